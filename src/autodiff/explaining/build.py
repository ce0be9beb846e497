"""From a program, and maybe a point, to the explanation of its slopes.

>>> explain("y = x^2; z = sin(y)", {"x": 4.0}).slopes[0].chain[0].slope.formula
'cos(y)'
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from autodiff.answer import MODES, Answer, answered, parse
from autodiff.calculus.corners import verdict
from autodiff.calculus.forward import forward
from autodiff.calculus.graph import Graph
from autodiff.calculus.local import CONVENTIONS
from autodiff.calculus.lower import Lowered
from autodiff.calculus.primal import Outside, Run, number, sweep
from autodiff.calculus.reverse import reverse
from autodiff.calculus.shorter import shorter
from autodiff.calculus.suspects import suspects
from autodiff.calculus.symbolic import image, segment, slopes
from autodiff.errors import AutodiffError, quoted
from autodiff.explaining import checks, factors, paths
from autodiff.explaining.drawing import Arrow, Drawing, Vertex
from autodiff.explaining.factors import Formula, Formulas
from autodiff.explaining.model import (
    Beside,
    Block,
    Cancelling,
    Cost,
    Difference,
    Explanation,
    Factor,
    Meaning,
    Place,
    Row,
    Side,
    Slope,
    Step,
    Text,
)
from autodiff.explaining.places import Places, as_written, places
from autodiff.notation.infix import PLAIN, PRETTY, infix
from autodiff.notation.parts import LONGEST, parted, size
from autodiff.notation.tex import tex, tex_name
from autodiff.point import bind, over_numbers, sources

FORMULAS = 200
"""Places at either end of a long program whose local slopes are written as formulas."""

WIDE = 2000
"""Equations above which neither the whole slope nor that of one statement is written as a formula."""

LONGEST_TEXT = 1000
"""Characters that a formula with named parts may have."""

TRACED = 24
"""Places up to which both sides of a hard point are followed one by one."""

MANY = 64
"""Names above which the slopes are confirmed by one sweep of the other mode, instead of one per name."""

DRAWN = 24
"""Places at either end of a program whose arrows carry formulas in the drawing."""

NAMES, STEPS = 500, 20_000
"""Names that the backward table leads to at most, and its steps after which no further name begins."""

SMALL = 8
"""Names for which difference quotients and meanings are made."""

NEAR = 200
"""Places that are looked through for another way from a place to one that it is made of."""

_NOTHING = Text("", "", "")
_UNMOVED: Mapping[int, float] = {}


def explain(
    text: str,
    at: Mapping[str, float] | None = None,
    wrt: Sequence[str] | None = None,
    mode: str = "reverse",
    *,
    rate: float | None = None,
    atoms: bool = False,
    expand: Collection[str] = (),
    strict: bool = False,
    convention: str = "",
) -> Explanation:
    """How the slopes of the program `text` come about, at the point `at` or, without one, in symbols.

    wrt, mode, strict, convention   as for `evaluate`; mode says which table is to be shown
    rate    the learning rate of one step of gradient descent, to be shown as well
    atoms   one step per operation instead of one per statement; `expand` does so for the statements named in it

    Raises AutodiffError for a mistake in the text or the arguments; a hard point is explained as one.
    """
    for kind, given, choices in (("mode", mode, MODES), ("convention", convention, ("", *CONVENTIONS))):
        if given not in choices:
            raise AutodiffError(
                f"unknown {kind} {quoted(given)}", hint=f"choose one of {', '.join(filter(None, choices))}"
            )
    program = parse(text, strict=strict)
    first = over_numbers(program)
    wanted = sources(first, wrt)
    made = places(first, atoms=atoms, expand=expand)
    at = {} if at is None and not first.inputs else at
    if rate is not None and at is None:
        raise AutodiffError("a step of gradient descent needs a point", hint="add --at NAME=VALUE")
    both = "both" if len(wanted) <= MANY else "reverse"
    answer = None if at is None else answered(first, bind(first, at), wanted, both, convention=convention)
    found = _Findings(made, wanted, answer, mode)
    explanation = found.explanation()
    explanation = replace(explanation, source=program.source, readings=program.readings)
    return explanation if rate is None else _with_update(explanation, made.lowered, wanted, rate)


def local_factors(text: str, wrt: Sequence[str]) -> tuple[Factor, ...]:
    """The factors of the chain rule between a program's statements, in symbols, from the result to the names `wrt`.

    Each stands once. Columns of data are taken as the numbers of one row; a program that works on whole arrays, such as
    A @ x, has no such factors: then, and beyond a dozen of them, the answer is empty.
    """
    try:
        blocks = explain(text, None, wrt).blocks
    except AutodiffError:
        return ()
    found = {(step.factor.of, step.factor.by): step.factor for block in blocks for step in block.steps}
    return tuple(found.values()) if len(found) <= 12 and all(f.slope.formula for f in found.values()) else ()


class _Findings:
    """What is known of one program at one point: each part of the explanation is a method."""

    def __init__(self, made: Places, wanted: Mapping[str, int], answer: Answer | None, mode: str) -> None:
        self.places, self.wanted, self.answer, self.mode = made, wanted, answer, mode
        self.lowered: Lowered = made.lowered
        self.graph: Graph = made.lowered.graph
        self.run: Run | None = None
        self.values: Mapping[int, float] = {}
        self.broken = -1
        self._evaluate()
        self.corners: set[int] = set() if self.run is None else set(suspects(self.lowered, self.run))
        self.plain = {name: node for name, node in wanted.items() if self._is_plain(name)}
        self.moves = factors.moving(made, wanted.values(), self.run)
        self.order = sorted(made.names, reverse=True)
        self.convention = answer.convention if answer else ""
        self.numbers: dict[tuple[int, int], float] = {}
        self.flows = self._flows()
        self.formulas = Formulas(made)
        reached = [p for p in self.order if p in self.flows]
        ends = {*reached[:FORMULAS], *reached[-FORMULAS:]}
        self.written = {place for place in ends if len(made.inside.get(place, ())) <= WIDE}
        self.rules: dict[int, Mapping[int, str]] = {}
        self.listed: set[str] = set()
        self.counts = paths.count(self.lowered.result, self.order, self.flows)

    def _evaluate(self) -> None:
        if self.answer is None:
            return
        known: dict[int, float] = {}
        graph, point = self.graph, self.answer.at

        def leaf(node: int) -> float:
            known[node] = graph.constants[node] if node in graph.constants else point[graph.inputs[node]]
            return known[node]

        def apply(node: int, args: Sequence[float]) -> float:
            known[node] = number(graph, node, args)
            return known[node]

        try:
            self.run = Run(*sweep(graph, self.lowered.result, leaf, apply, bool))
            known |= {node: self.run.values[node] for node in self.run.order}
        except Outside as trouble:
            self.broken = trouble.node
        self.values = known

    def _is_plain(self, name: str) -> bool:
        """Whether the chain rule's factors are the whole story: at a hard point they are not."""
        if self.answer is None:
            return True
        if self.answer.gradient[name] is None:
            return False
        return name not in self.answer.verdicts or bool(self.answer.convention)

    def _flows(self) -> dict[int, list[int]]:
        flows: dict[int, list[int]] = {}
        if self.answer is not None and self.run is None:
            return flows
        live = {self.lowered.result} & self.moves
        for place in self.order:
            if place not in live or place not in self.places.inside:
                continue
            if self.run is None:
                flows[place] = factors.structure(self.places, place, self.moves)
            else:
                found = factors.numbers(self.places, place, self.moves, self.run, self.convention)
                self.numbers |= {(place, arg): slope for arg, slope in found.items()}
                flows[place] = list(found)
            live.update(flows[place])
        return flows

    def explanation(self) -> Explanation:
        """All of it."""
        answer = self.answer
        whole = self._whole()
        blocks = self._blocks()
        self.listed = {step.factor.by for block in blocks for step in block.steps if step.answer} | {
            b.to for b in blocks
        }
        found = tuple(self._slope(name, whole) for name in self.wanted)
        value = None if answer is None else answer.value
        return Explanation(
            result=self.lowered.name,
            title=self._title(),
            at=None if answer is None else answer.at,
            wrt=tuple(self.wanted),
            mode=self.mode,
            status="ok" if answer is None else answer.status,
            value=value,
            forward=tuple(self._place(node) for node in self._listed()),
            drawing=self._drawing(),
            blocks=blocks,
            slopes=found,
            rows=self._rows(),
            cost=self._cost(),
            cancelling=self._cancelling(blocks),
            differences=self._differences(),
            checked=None if answer is None else answer.checked,
            meanings=self._meanings(),
            why="" if answer is None else answer.why,
            hint="" if answer is None else answer.hint,
            span=None if answer is None else answer.span,
            sides=self._sides(),
            notes=() if answer is None else answer.notes,
            convention=self.convention,
        )

    # --- formulas -----------------------------------------------------------------------------------------------------

    def _title(self) -> Text:
        """The whole program as one formula of its inputs, if it is short."""
        if len(self.graph) > WIDE:
            return _NOTHING
        seen = image(self.graph, self.lowered.result, {})
        return _text(seen.symbols.graph, seen.of[self.lowered.result])

    def _whole(self) -> dict[str, Text]:
        """The slopes as formulas of the inputs, where they are short."""
        if len(self.graph) > WIDE or (self.answer is not None and self.run is None):
            return {}
        seen = image(self.graph, self.lowered.result, {})
        found = slopes(self.graph, self.lowered.result, {}, list(self.wanted.values()), seen)
        symbols = seen.symbols
        whole = {name: found.get(node, symbols.constant(0.0)) for name, node in self.wanted.items()}
        return {name: _text(symbols.graph, shorter(symbols, node)) for name, node in whole.items()}

    def _formula(self, place: int, arg: int) -> Formula | None:
        if place not in self.written:
            return None
        return self.formulas.of(place, self.flows[place]).get(arg)

    def _factor(self, place: int, arg: int) -> Factor:
        names = self.places.names
        formula = self._formula(place, arg)
        return Factor(
            of=names[place],
            by=names[arg],
            rule=self._rules(place).get(arg, "") if formula else "",
            slope=_NOTHING if formula is None else _of_formula(formula),
            value=self.numbers.get((place, arg)),
            fixed=tuple(names[other] for other in paths.beside(place, arg, self.flows, NEAR)),
        )

    def _rules(self, place: int) -> Mapping[int, str]:
        if place not in self.rules:
            taken = {} if self.run is None else self.run.taken
            self.rules[place] = factors.rules(self.places, place, self.moves, taken)
        return self.rules[place]

    # --- the forward pass -----------------------------------------------------------------------------------------------

    def _place(self, node: int) -> Place:
        name, value = self.places.names[node], self.values.get(node)
        if node in self.graph.inputs:
            asked = node in self.wanted.values()
            return Place(
                name, "input" if asked else "held", name, tex_name(name), "input" if asked else "held fixed", value
            )
        kind = "result" if node == self.lowered.result else "step"
        text, math = self._right_side(node)
        return Place(name, kind, text, math, factors.does(self.places, node), value, self._missing(node))

    def _listed(self) -> list[int]:
        """The places as people list them: inputs first, then what is made of them."""
        return sorted(self.places.names, key=lambda node: (node not in self.graph.inputs, node))

    def _missing(self, node: int) -> str:
        """Why a step has no value at the point."""
        if self.answer is None or node in self.values:
            return ""
        if self.run is not None:
            return "not taken"
        return "none" if self.broken in self.places.own(node) else "not reached"

    def _right_side(self, node: int) -> tuple[str, str]:
        """How a step is made: in the user's words, or of the steps before it."""
        own = self.lowered.assigned.get(self.places.names[node]) == node or node == self.lowered.result
        inner = any(
            a not in self.lowered.assigned.values() and a not in self.graph.inputs for a in self.places.arguments(node)
        )
        if node not in self.written and len(self.places.names) > FORMULAS:
            return as_written(self.lowered, node), ""
        seen = image(self.graph, node, self.places.names)
        text = _text(seen.symbols.graph, seen.of[node])
        return (as_written(self.lowered, node) if own and not inner else text.pretty), text.tex

    # --- the drawing ----------------------------------------------------------------------------------------------------

    def _drawing(self) -> Drawing:
        names = self.places.names
        vertices = tuple(
            Vertex(place.name, place.text, place.kind, place.value)
            for place in (self._place(node) for node in reversed(self.order))
        )
        order = self._listed()
        ends = {*order[:DRAWN], *order[-DRAWN:]}
        arrows = []
        for node in reversed(self.order):
            flowing = set(self.flows.get(node, ()))
            hard = not self.convention and not self.corners.isdisjoint(self.places.own(node))
            for arg in self.places.arguments(node):
                formula = self._formula(node, arg) if arg in flowing and node in ends and arg in ends else None
                slope = "" if formula is None else _of_formula(formula).pretty
                value = self.numbers.get((node, arg))
                if hard and arg in flowing:
                    slope, value = "no slope", None
                arrows.append(Arrow(names[arg], names[node], slope, value, arg in flowing))
        return Drawing(vertices, tuple(arrows), self._title().pretty)

    # --- the backward pass ----------------------------------------------------------------------------------------------

    def _blocks(self) -> tuple[Block, ...]:
        alive = [name for name, node in self.plain.items() if self.counts.get(node)]
        if not alive:
            return ()
        links = paths.largest(self.lowered.result, self.order, self.flows, lambda p, a: self.numbers.get((p, a), 1.0))
        found = {name: [link.places() for link in links[self.wanted[name]]] for name in alive[:NAMES]}
        alive = list(found)
        if all(self.counts[self.wanted[name]] == 1 for name in alive):
            return (self._chain({name: found[name][0][::-1] for name in alive}),)
        blocks: list[Block] = []
        for name in alive:
            if sum(len(block.steps) for block in blocks) < STEPS:
                blocks += self._paths(name, [route[::-1] for route in found[name]])
        return tuple(blocks)

    def _chain(self, chains: Mapping[str, list[int]]) -> Block:
        """One table for names that are each reached by one path: what they share once, then each one's own rest."""
        routes = list(chains.values())
        shared = next(
            (i for i, nodes in enumerate(zip(*routes, strict=False)) if len(set(nodes)) > 1), min(map(len, routes))
        )
        steps = [*self._steps(routes[0][:shared], "", 1.0, 0)]
        so_far = steps[-1].so_far if steps else 1.0
        short = all(len(name) <= 3 for name in chains)
        for i, (name, route) in enumerate(chains.items()):
            mark = "" if len(chains) == 1 else name if short else chr(ord("a") + i % 26)
            steps += self._steps(route[shared - 1 :], mark, so_far, shared - 1)
        return Block(tuple(steps), next(iter(chains)) if len(chains) == 1 else "")

    def _steps(self, route: Sequence[int], mark: str, so_far: float | None, start: int) -> list[Step]:
        steps = []
        for i, (place, arg) in enumerate(itertools.pairwise(route), start=start + 1):
            factor = self._factor(place, arg)
            so_far = None if factor.value is None or so_far is None else so_far * factor.value
            asked = self.places.names[arg] in self.plain and self.counts[arg] == 1
            steps.append(Step(f"{i}{mark}", factor, so_far, self.counts[arg] == 1, asked))
        return steps

    def _paths(self, name: str, routes: list[list[int]]) -> list[Block]:
        names = self.places.names
        if self.counts[self.wanted[name]] <= paths.MOST:
            routes = sorted(routes, key=lambda route: (len(route), route))
        blocks = []
        for route in routes:
            steps = [s._replace(answer=s.answer and s.factor.by == name) for s in self._steps(route, "", 1.0, 0)]
            total = (steps[-1].so_far if steps else 1.0) if self.run is not None else None
            blocks.append(Block(tuple(steps), name, tuple(names[node] for node in reversed(route)), total))
        return blocks

    def _cancelling(self, blocks: Sequence[Block]) -> tuple[Cancelling, ...]:
        """The first steps whose product gets simpler as the next factor joins it."""
        if len(blocks) != 1 or blocks[0].path or not blocks[0].steps:
            return ()
        by_name = {name: node for node, name in self.places.names.items()}
        steps = [step for step in blocks[0].steps if step.label.isdigit()][:6]
        pairs = [(by_name[step.factor.of], by_name[step.factor.by]) for step in steps]
        before = 0
        for known, step in enumerate(steps, start=1):
            if self._formula(*pairs[known - 1]) is None:
                return ()
            graph, product = self.formulas.product(pairs[:known])
            now = size(graph, product)
            if known > 1 and now < before:
                return (Cancelling(known, step.factor.by, _text(graph, product), step.so_far),)
            before = now
        return ()

    # --- the answer -------------------------------------------------------------------------------------------------------

    def _slope(self, name: str, whole: Mapping[str, Text]) -> Slope:
        node = self.wanted[name]
        count = self.counts.get(node, 0)
        value = forwards = ulps = None
        if self.answer is not None:
            value = self.answer.gradient[name]
            forwards = (self.answer.forward or {}).get(name)
            ulps = self.answer.ulps_apart().get(name)
        chain: tuple[Factor, ...] = ()
        if count == 1 and name in self.plain and node != self.lowered.result:
            route = self._only_route(node)
            chain = tuple(self._factor(p, a) for p, a in itertools.pairwise(route)) if len(route) < 40 else ()
        listed = min(count, paths.MOST) if name in self.listed else 0
        formula = whole.get(name) if name in self.plain else None
        return Slope(
            name, value, count, listed, formula if formula and formula.formula else None, chain, forwards, ulps
        )

    def _only_route(self, source: int) -> list[int]:
        """The one path from the result to `source`."""
        above = {arg: place for place, args in self.flows.items() for arg in args if place in self.counts}
        route = [source]
        while route[-1] != self.lowered.result:
            route.append(above[route[-1]])
        return route[::-1]

    def _rows(self) -> tuple[Row, ...]:
        """Values, tangents and adjoints side by side, place by place."""
        if self.run is None or self.answer is None:
            return ()
        shown = list(self.plain.items())[:SMALL]
        seeds: dict[int, dict[str, float]] = {}
        for name, node in shown:
            seeds.setdefault(node, {})[name] = 1.0
        duals = forward(self.lowered, self.answer.at, seeds)
        adjoints = reverse(self.lowered, self.run, list(self.plain.values()), self.convention)
        swept = factors.moving(self.places, self.plain.values(), self.run)
        rows = []
        for node in self._listed():
            if self.run.values[node] is not None:
                tangents = {name: duals[node].tangent.get(name, 0.0) for name, _ in shown}
                adjoint = adjoints.get(node, 0.0) if node in swept else None
                rows.append(Row(self.places.names[node], self.values[node], tangents, adjoint))
        return tuple(rows)

    def _cost(self) -> Cost:
        """Multiplications by a local slope: one per argument that moves, in each sweep."""
        graph, run = self.graph, self.run
        order = graph.reaching(self.lowered.result) if run is None else run.order
        products = 0
        for node in order:
            row = graph.rows[node]
            if row is not None and not (run is not None and node in run.taken):
                products += sum(
                    a in self.moves and text != "0" for a, text in zip(graph.args[node], row.slopes, strict=True)
                )
        inputs = len(self.wanted)
        return Cost(inputs, inputs, inputs * products, 1, products)

    # --- checks and meaning -----------------------------------------------------------------------------------------------

    def _sure(self) -> list[tuple[str, float]]:
        """Names with a slope that is no convention and stands at no hard point, with it; the first few."""
        if self.answer is None:
            return []
        verdicts = self.answer.verdicts
        smooth = (n for n in self.wanted if n not in verdicts or verdicts[n].status == "ok")
        known = ((name, self.answer.gradient[name]) for name in smooth)
        most = SMALL if len(self.graph) <= WIDE else 1
        return [(name, slope) for name, slope in known if slope is not None][:most]

    def _function(self) -> checks.Function:
        assigned = {name: node for name, node in self.wanted.items() if node not in self.graph.inputs}
        return lambda point: _value(self.lowered, point, {assigned[n]: point[n] for n in assigned if n in point})

    def _point(self, name: str) -> Mapping[str, float]:
        """The point; with the number of an assigned name, which then stands for its statement."""
        at = {} if self.answer is None else self.answer.at
        return at if name in at else {**at, name: self.values[self.wanted[name]]}

    def _differences(self) -> tuple[Difference, ...]:
        return tuple(checks.difference(self._function(), self._point(n), n, slope) for n, slope in self._sure())

    def _meanings(self) -> tuple[Meaning, ...]:
        if self.answer is None or self.answer.value is None:
            return ()
        value, function = self.answer.value, self._function()
        return tuple(checks.meaning(function, self._point(n), n, slope, value) for n, slope in self._sure())

    def _sides(self) -> tuple[Side, ...]:
        verdicts = {} if self.answer is None else self.answer.verdicts
        return tuple(
            Side(name, found.status, found.left, found.right, self._trace(name)) for name, found in verdicts.items()
        )

    def _trace(self, name: str) -> tuple[Beside, ...]:
        """Both sides, place by place, from the input to the result."""
        source = self.wanted[name]
        reached = factors.moving(self.places, [source], self.run)
        nodes = [node for node in sorted(self.places.names) if node in reached]
        if self.run is None or self.answer is None or len(nodes) > TRACED:
            return ()
        found = []
        for node in nodes:
            if self.run.values[node] is not None:
                seen = verdict(self.lowered._replace(result=node), self.run, self.answer.at, source)
                found.append(Beside(self.places.names[node], seen.left, seen.right))
        return tuple(found)


def _value(lowered: Lowered, point: Mapping[str, float], moved: Mapping[int, float] = _UNMOVED) -> float | None:
    """The result at a point, None where it has none; the equations in `moved` have those values, whatever they are made of."""
    graph = lowered.graph
    try:
        return sweep(
            graph,
            lowered.result,
            lambda node: graph.constants[node] if node in graph.constants else point[graph.inputs[node]],
            lambda node, args: moved[node] if node in moved else number(graph, node, args),
            bool,
        )[0][lowered.result]
    except Outside:
        return None


def _with_update(explanation: Explanation, lowered: Lowered, wanted: Mapping[str, int], rate: float) -> Explanation:
    """One step of gradient descent from here."""
    fixed = [name for name, node in wanted.items() if node not in lowered.graph.inputs]
    if fixed:
        raise AutodiffError(f"{fixed[0]} is computed, so it can't be moved by a step", hint="name inputs with --wrt")
    if explanation.value is None or explanation.at is None:
        return explanation
    gradient = {slope.name: slope.value for slope in explanation.slopes}
    made = checks.update(lambda point: _value(lowered, point), explanation.at, gradient, rate, explanation.value)
    return replace(explanation, update=made)


def _text(graph: Graph, node: int) -> Text:
    """A formula in its three spellings; a long one as statements with named parts, a very long one not at all."""
    if size(graph, node) <= LONGEST:
        return Text(infix(graph, node, PLAIN), infix(graph, node, PRETTY), tex(graph, node))
    plain, pretty = ("; ".join(str(parted(graph, [node], style)).split("\n")) for style in (PLAIN, PRETTY))
    return Text(plain, pretty, "") if len(plain) <= LONGEST_TEXT else _NOTHING


def _of_formula(formula: Formula) -> Text:
    """A local slope: with its place's own name where that stands for a part that would be written twice."""
    own = formula.own
    twice = formula.node != own and _occurrences(formula.graph, formula.node, own) > 1
    return _text(formula.graph, formula.named if twice else formula.node)


def _occurrences(graph: Graph, node: int, inner: int) -> int:
    found: dict[int, int] = {}
    for i in segment(graph, node, {}):
        found[i] = 1 if i == inner else sum(found[a] for a in graph.args[i])
    return found[node]
