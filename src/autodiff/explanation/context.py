"""The analysis of a program at a point, of which all parts of an explanation are made: values, local slopes, paths.

>>> from autodiff.core.lowering import lower
>>> from autodiff.explanation.steps import places
>>> lowered = lower("y = x^2; sin(y)")
>>> analysis = Analysis(places(lowered), {"x": 0}, None, "reverse", None)
>>> analysis.flows
{3: [2], 2: [0]}
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING

from autodiff.api.answer import Answer
from autodiff.core.graph import Graph
from autodiff.core.linearize import Linearization, linearize
from autodiff.core.lowering import Lowered
from autodiff.core.special_points import special_points
from autodiff.core.vjp import vjp
from autodiff.explanation import factors, paths
from autodiff.explanation.evaluation import Evaluation, as_floats
from autodiff.explanation.factors import Formula, Formulas
from autodiff.explanation.model import Cancelling, Factor, FormulaText, Place
from autodiff.explanation.spellings import NOTHING, text_of, written_out
from autodiff.explanation.steps import SAME, Places, as_written
from autodiff.notation.parts import size
from autodiff.notation.tex import tex_name
from autodiff.symbolic.adjoint import image

if TYPE_CHECKING:
    from autodiff.numbers.ball_numbers import Number
    from autodiff.verify.digits import BallTrace

FORMULAS = 200
"""Places at either end of a long program whose local slopes are written as formulas."""

WIDE = 2000
"""Equations above which neither the whole slope nor that of one statement is written as a formula."""

ELEMENT = 60
"""Characters up to which an element of an array is written out: `h[0] = W[0, 0]·x[0] + b[0]`."""

LONG = 24
"""Names, numbers and functions from which on a local slope is written without the branches that are not taken."""

NEAR = 200
"""Places that are searched for another path from a place to one of its arguments."""


class Analysis:
    """A program at a point, or in symbols without one: places, values, partials, and the paths between them."""

    def __init__(
        self, places: Places, wanted: Mapping[str, int], answer: Answer | None, mode: str, evaluation: Evaluation | None
    ) -> None:
        self.places, self.wanted, self.answer, self.mode = places, wanted, answer, mode
        self.lowered: Lowered = places.lowered
        self.graph: Graph = places.lowered.graph
        self.convention = answer.convention if answer else ""
        self.exact: BallTrace | None = self._in_balls()
        known = evaluation if self.exact is None else as_floats(self.exact)
        self.trace = None if known is None else known.trace
        self.values: Mapping[int, float] = {} if known is None else known.values
        self.failed = None if known is None else known.failed
        self.special: set[int] = set() if self.trace is None else set(special_points(self.lowered, self.trace))
        self.partials = self._partials()
        self.cancelled = self._cancels()
        self.beyond: dict[tuple[int, int], str] = {}
        self._exact_factors: dict[tuple[int, int], Number] = {}
        self.plain = {name: node for name, node in wanted.items() if self._is_plain(name)}
        self.active = factors.active(places, wanted.values(), self.trace)
        self.order = sorted(places.names, reverse=True)
        self.numbers: dict[tuple[int, int], float] = {}
        self.flows = self._flows()
        self.formulas = Formulas(places)
        reached = [p for p in self.order if p in self.flows]
        ends = {*reached[:FORMULAS], *reached[-FORMULAS:]}
        self.written = {place for place in ends if len(places.inside.get(place, ())) <= WIDE}
        self.rules: dict[int, Mapping[int, str]] = {}
        self.listed: set[str] = set()
        self.cancelling: tuple[Cancelling, ...] = ()
        self.routes: Mapping[str, list[list[int]]] = {}
        self._turns: dict[int, dict[int, int]] = {}
        self._adjoints: dict[int, Number] | None = None
        self.counts = paths.count(self.lowered.result, self.order, self.flows)
        # several parts of an explanation show the same
        self.formula, self.text = cache(self._formula), cache(self._text)
        self.factor, self.place = cache(self._factor), cache(self._place)

    def _in_balls(self) -> BallTrace | None:
        """All numbers in ball arithmetic, where the answer is made of those."""
        if self.answer is None or not self.answer.bits or self.answer.value is None:
            return None
        from autodiff.verify import digits  # most answers need none

        return digits.record(self.lowered, self.answer.at, list(self.wanted.values()), 2 * self.answer.bits)

    def _partials(self) -> Linearization:
        """The partial derivatives between the equations, each in the arguments that are active."""
        if self.trace is None:
            return {}
        if self.exact is None:
            return linearize(self.lowered, self.trace, self.wanted.values(), self.convention)
        from autodiff.numbers.ball_numbers import shown

        return {node: [(arg, shown(slope)) for arg, slope in edges] for node, edges in self.exact.partials.items()}

    def _cancels(self) -> set[str]:
        """The names whose slope is less than rounding leaves of the sum over paths; a note says how it was computed."""
        if self.exact is None or self.answer is None:
            return set()
        swept = vjp(self.lowered.result, self.partials, list(self.wanted.values()))
        slopes = {n: g for n, g in self.answer.gradient.items() if g is not None and n not in self.answer.verdicts}
        sums = {n: swept.get(self.wanted[n], 0.0) for n in slopes}
        # a sum that is no number has factors beyond float64, which the table shows as texts
        return {n for n, g in slopes.items() if math.isfinite(sums[n]) and not math.isclose(sums[n], g, rel_tol=1e-9)}

    def _is_plain(self, name: str) -> bool:
        """Whether the slope is the product and sum of the chain rule's factors, which at a special point it is not."""
        if self.answer is None:
            return True
        if self.answer.gradient[name] is None:
            return False
        if name in self.cancelled:
            return False
        return name not in self.answer.verdicts or bool(self.answer.convention)

    def _flows(self) -> dict[int, list[int]]:
        """For each place that the result depends on: the places that it passes its adjoint to."""
        flows: dict[int, list[int]] = {}
        if self.answer is not None and self.trace is None:
            return flows
        live = {self.lowered.result} & self.active
        for place in self.order:
            if place in live and place in self.places.inside:
                flows[place] = self._sources(place)
                live.update(flows[place])
        return flows

    def _sources(self, place: int) -> list[int]:
        """The active places that a place is made of; notes its local slopes in them."""
        if self.trace is None:
            return factors.structure(self.places, place, self.active)
        if self.exact is None:
            slopes = factors.numbers(self.places, place, self.partials)
            self.numbers |= {(place, arg): slope for arg, slope in slopes.items()}
            return list(slopes)
        from autodiff.numbers.ball_numbers import shown, words

        exact = factors.in_balls(self.places, place, self.exact)
        for arg, number in exact.items():
            self._exact_factors[place, arg] = number
            if beyond := words(number):
                self.beyond[place, arg] = beyond
            else:
                self.numbers[place, arg] = shown(number)
        return list(exact)

    def _formula(self, place: int, arg: int) -> Formula | None:
        """The local slope as symbols; a long one with choices is that of the branches that are taken at the point."""
        if place not in self.written:
            return None
        known = self.formulas.of(place, self.flows[place]).get(arg)
        if known is None or self.trace is None or size(known.graph, known.node) < LONG:
            return known
        return factors.as_taken(
            known, {name: self.values[node] for node, name in self.places.names.items() if node in self.values}
        )

    def _text(self, place: int, arg: int) -> FormulaText:
        """The local slope in its three spellings, empty where it is not written as a formula."""
        formula = self.formula(place, arg)
        return NOTHING if formula is None else text_of(formula)

    def _factor(self, place: int, arg: int) -> Factor:
        names = self.places.names
        return Factor(
            of=names[place],
            by=names[arg],
            rule=self.rules_of(place).get(arg, "") if self.formula(place, arg) else "",
            slope=self.text(place, arg),
            value=self.numbers.get((place, arg)),
            fixed=tuple(names[other] for other in paths.dependent_arguments(place, arg, self.flows, NEAR)),
            beyond=self.beyond.get((place, arg), ""),
        )

    def exact_adjoint(self, node: int) -> tuple[float | None, str]:
        """The slope of the result in an equation in ball arithmetic, as a float64 or, beyond its range, as a text; else neither."""
        if self.exact is None:
            return None, ""
        if self._adjoints is None:
            self._adjoints = self.exact.adjoints(self.lowered.result, list(self.wanted.values()))
        if node not in self._adjoints:
            return None, ""
        from autodiff.numbers.ball_numbers import shown_or_words

        return shown_or_words(self._adjoints[node])

    def exact_product(self, route: Sequence[int]) -> tuple[float | None, str]:
        """The product of the factors along places, the same."""
        if self.exact is None:
            return None, ""
        from autodiff.numbers.ball_numbers import precision, shown_or_words
        from autodiff.numbers.balls import BALLS

        product = BALLS.constant(1.0)
        with precision(self.exact.bits):
            for edge in itertools.pairwise(route):
                product = BALLS.times(product, self._exact_factors[edge])
            return shown_or_words(product)

    def turn(self, place: int, arg: int) -> int:
        """Where `arg` comes among the arguments of `place`, read from left to right."""
        if place not in self._turns:
            stops, seen, todo = self.places.stops(place), set[int](), [place]
            turns: dict[int, int] = {}
            while todo:
                node = todo.pop()
                if node in stops and node != place:
                    turns.setdefault(node, len(turns))
                elif node not in seen:
                    seen.add(node)
                    todo.extend(reversed(self.graph.args[node]))
            self._turns[place] = turns
        return self._turns[place].get(arg, 0)

    def rules_of(self, place: int) -> Mapping[int, str]:
        if place not in self.rules:
            taken = {} if self.trace is None else self.trace.taken
            self.rules[place] = factors.rules(self.places, place, self.active, taken)
        return self.rules[place]

    def _place(self, node: int) -> Place:
        name, value, beyond = self.places.names[node], self.values.get(node), ""
        if self.exact is not None and (number := self.exact.trace.values[node]) is not None:
            from autodiff.numbers.ball_numbers import words

            beyond = words(number)
            value = None if beyond else value
        if node in self.graph.inputs:
            is_wanted = node in self.wanted.values()
            return Place(
                name,
                "input" if is_wanted else "held",
                name,
                tex_name(name),
                "input" if is_wanted else "held fixed",
                value,
            )
        kind = "result" if node == self.lowered.result else "step"
        text, math = self._right_side(node)
        return Place(
            name,
            kind,
            text,
            math,
            factors.operation_name(self.places, node),
            value,
            beyond or ("" if value is not None else self._missing(node)),
        )

    def in_order(self) -> list[int]:
        """The places as people list them: inputs first, then what is made of them."""
        return sorted(self.places.names, key=lambda node: (node not in self.graph.inputs, node))

    def _missing(self, node: int) -> str:
        """Why a step has no value at the point."""
        if self.answer is None or node in self.values:
            return ""
        if self.trace is not None:
            return "not taken"
        return "none" if self.failed in self.places.own(node) else "not reached"

    def _right_side(self, node: int) -> tuple[str, str]:
        """How a step is made: in the user's words, or of the steps before it."""
        if node in self.places.calls:
            from autodiff.explanation.textbook import call_text  # most programs call no such function

            text = call_text(self.places, node)
            return text.pretty, text.tex
        own = self.lowered.assigned.get(self.places.names[node]) == node or node == self.lowered.result
        own = own and not (self.graph.rows[node] is SAME and self.graph.args[node][0] in self.lowered.assigned.values())
        inner = any(
            a not in self.lowered.assigned.values() and a not in self.graph.inputs for a in self.places.arguments(node)
        )
        if node not in self.written and len(self.places.names) > FORMULAS:
            return as_written(self.lowered, node), ""
        seen = image(self.graph, node, self.places.names)
        text = written_out(seen.symbols.graph, seen.of[node])
        by_element = self.places.names[node].endswith("]") and 0 < len(text.pretty) <= ELEMENT
        return (as_written(self.lowered, node) if own and not inner and not by_element else text.pretty), text.tex
