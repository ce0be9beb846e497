"""Which folder may import which, what start-up loads, and that only the table knows a derivative."""

from __future__ import annotations

import ast
import os
import pty
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from io import StringIO
from pathlib import Path
from tokenize import COMMENT, generate_tokens

import pytest

from autodiff.core import rules
from tests.support.command import PATIENCE, process, python
from tests.support.paths import SOURCE

ROOMS = [
    "record",
    "errors",
    "libraries",
    "display",
    "language",
    "core",
    "numbers",
    "nonsmooth",
    "diagnostics",
    "arrays",
    "verify",
    "symbolic",
    "notation",
    "api",
    "explanation",
    "codegen",
    "tables",
    "batch",
    "grading",
    "train",
    "fitting",
    "engines",
    "plotting",
    "render",
    "serve",
    "manual",
    "program",
    "cli",
    "notebook",
]
"""The folders of the source in order: a folder imports only from those before it."""

MOST_FILES = 15
"""Modules of one folder; the command line has one for each command beside its options."""

MOST_LINES, MOST_LINES_OF_A_FUNCTION = 350, 60
"""Of a file, and of a function without its signature and docstring."""

ONLY_IN = {
    "click": ["cli"],
    "lark": ["language/generate.py"],
    "latex2mathml": ["render/document/mathml.py"],
    "rich": ["render/terminal/"],
    "numpy": [
        "arrays/",
        "api/array_gradient.py",
        "verify/array_difference.py",
        "verify/array_digits.py",
        "verify/random_rounding.py",
        "batch/",
        "tables/",
        "train/",
        "fitting/",
        "engines/",
        "plotting/",
        "render/terminal/training.py",
    ],
    "scipy": ["train/optimizers/lbfgs.py", "fitting/"],
    "odrpack": ["fitting/orthogonal.py"],
    "pyarrow": ["batch/ufuncs.py", "tables/arrow.py"],
    "fsspec": ["tables/filesystems.py"],
    "llvmlite": ["batch/jit/compile.py"],
    "flint": ["numbers/ball", "verify/"],
    "sympy": ["api/sympy.py"],
    "matplotlib": ["render/plot/image.py"],
    "threadpoolctl": ["engines/part_sums.py"],
    "IPython": ["notebook.py"],
    "starlette": ["serve/app.py"],
    "uvicorn": ["cli/serve.py"],
    "plotille": ["render/plot/terminal.py"],
    "contourpy": ["plotting/contours.py"],
}


@cache
def _tree(path: Path) -> ast.Module:
    """The syntax of a file, read once for all tests."""
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def _nodes(path: Path) -> list[ast.AST]:
    return list(ast.walk(_tree(path)))


@cache
def _imports(path: Path, *, top: bool = False) -> list[str]:
    """The names that a file imports; with `top` only those that are imported when it is."""
    found = []
    for node in _tree(path).body if top else _nodes(path):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found += [f"{node.module}.{alias.name}" for alias in node.names]
    return found


@cache
def _files() -> list[Path]:
    return [path for path in sorted(SOURCE.rglob("*.py")) if path.name not in ("__init__.py", "__main__.py")]


@pytest.mark.parametrize("path", _files(), ids=lambda p: str(p.relative_to(SOURCE)))
def test_a_folder_imports_only_from_those_before_it(path: Path) -> None:
    room = path.relative_to(SOURCE).parts[0].removesuffix(".py")
    assert room in ROOMS, "a new folder: give it a place in ROOMS"
    for name in _imports(path):
        parts = name.split(".")
        if parts[0] != "autodiff":
            continue
        other = parts[1]
        if other not in ROOMS:
            continue
        assert ROOMS.index(other) <= ROOMS.index(room), f"{path.name} imports {name}"


def test_no_module_imports_itself_through_others() -> None:
    names = {".".join(path.relative_to(SOURCE.parent).with_suffix("").parts): path for path in _files()}
    needs = {}
    for module, path in names.items():
        found = [n for n in _imports(path, top=True) if n.startswith("autodiff.")]
        needs[module] = {n if n in names else n.rpartition(".")[0] for n in found} & names.keys()
    while needs:
        ready = [module for module, others in needs.items() if not others & needs.keys()]
        assert ready, f"a cycle among {sorted(needs)}"
        needs = {module: others for module, others in needs.items() if module not in ready}


def test_a_folder_holds_what_a_reader_can_look_over() -> None:
    counts = Counter(path.parent for path in _files())
    assert {str(folder): count for folder, count in counts.items() if count > MOST_FILES and folder.name != "cli"} == {}


def _too_long(sizes: dict[str, int], most: int) -> dict[str, int]:
    return {name: size for name, size in sizes.items() if size > most}


def test_a_file_is_read_in_one_sitting() -> None:
    """Tables of data are longer where there is more data."""
    lines = {str(path.relative_to(SOURCE)): len(path.read_text(encoding="utf-8").splitlines()) for path in _files()}
    assert _too_long(lines, MOST_LINES) == {}


def test_a_function_fits_on_a_page() -> None:
    sizes = {}
    for path in _files():
        for node in _nodes(path):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                documented = ast.get_docstring(node) is not None
                first = node.body[1] if documented and len(node.body) > 1 else node.body[0]
                sizes[f"{path.relative_to(SOURCE)}: {node.name}"] = (node.end_lineno or 0) - first.lineno + 1
    assert _too_long(sizes, MOST_LINES_OF_A_FUNCTION) == {}


@pytest.mark.parametrize(("library", "places"), ONLY_IN.items())
def test_a_library_is_imported_in_one_place(library: str, places: list[str]) -> None:
    for path in _files():
        if library in {name.split(".")[0] for name in _imports(path)}:
            assert any(str(path.relative_to(SOURCE)).startswith(place) for place in places), path


COLUMNS = frozenset(
    [
        "partials",
        "formula",
        "definition",
        "domain",
        "partial_domain",
        "kink",
        "jump",
        "vertical_tangent",
        "scaling",
        "pushforward",
        "elements",
    ]
)
"""Columns of the table that hold texts in the language."""

SPLITTERS = frozenset(
    ["split", "rsplit", "partition", "rpartition", "removeprefix", "removesuffix", "replace", "strip", "startswith"]
)


def _places(shape: Callable[[ast.AST], bool]) -> list[str]:
    """The files that hold syntax of this shape, one entry for each place."""
    return [str(path.relative_to(SOURCE)) for path in _files() for node in _nodes(path) if shape(node)]


def _attributes(*nodes: ast.AST) -> set[str]:
    return {part.attr for node in nodes for part in ast.walk(node) if isinstance(part, ast.Attribute)}


def test_the_texts_of_the_table_are_split_by_one_reader() -> None:
    def splits(node: ast.AST) -> bool:
        if isinstance(node, ast.Compare):  # "if(" in row.partials[0]
            is_text = isinstance(node.left, ast.Constant) and isinstance(node.left.value, str)
            return (
                is_text and isinstance(node.ops[0], ast.In) and not COLUMNS.isdisjoint(_attributes(*node.comparators))
            )
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            return False
        if isinstance(node.func.value, ast.Name) and node.func.value.id == "re":
            return not (COLUMNS - {"formula"}).isdisjoint(_attributes(*node.args))  # explanations have formulas, too
        row = isinstance(node.func.value, ast.Subscript) and not COLUMNS.isdisjoint(_attributes(node.func.value))
        return row and node.func.attr in SPLITTERS

    assert splits(ast.parse("row.partials[k].partition(' at ')", mode="eval").body)
    assert splits(ast.parse("re.search('w', row.definition)", mode="eval").body)
    assert splits(ast.parse("'if(' in row.partials[k]", mode="eval").body)
    assert _places(splits) == []
    is_reader = lambda node: isinstance(node, ast.Call) and ast.unparse(node.func).endswith("lower_template")  # noqa: E731
    assert _places(is_reader) == ["core/templates.py"]


def test_a_leaf_is_looked_up_in_one_place() -> None:
    def looks_up(node: ast.AST) -> bool:
        """`point[graph.inputs[node]]`."""
        name = node.slice.value if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Subscript) else None
        return isinstance(name, ast.Attribute) and name.attr == "inputs"

    assert _places(looks_up) == ["core/graph.py"]


def test_adjoints_and_tangents_are_added_up_in_one_loop_for_floats_and_one_for_any_number() -> None:
    def adds_up(node: ast.AST) -> bool:
        """`adjoints[arg] = adjoints[arg] + part if arg in adjoints else part`."""
        if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.IfExp):
            return False
        total = ast.unparse(node.targets[0])
        return total.startswith(("adjoints[", "tangents[", "slopes[")) and total in ast.unparse(node.value.body)

    assert _places(adds_up) == ["core/algebra.py", "core/jvp.py", "core/vjp.py", "core/vjp.py"]


def test_an_answer_gets_its_numbers_by_one_function() -> None:
    def fills(node: ast.AST) -> bool:
        """`answer._replace(value=…)`; the record itself is made by `Query.empty`."""
        keywords = {keyword.arg for keyword in node.keywords} if isinstance(node, ast.Call) else set()
        is_record = isinstance(node, ast.Call) and ast.unparse(node.func).endswith("_replace")
        return is_record and not {"value", "gradient", "forward"}.isdisjoint(keywords)

    api = [name for name in _places(fills) if name.startswith(("api/", "batch/"))]
    assert api == ["api/answer.py", "api/array_answer.py", "api/array_answer.py"]  # those two rename the slopes
    assert _places(lambda node: isinstance(node, ast.Call) and ast.unparse(node.func) == "Answer") == [
        "api/scalar_answer.py"
    ]


def test_what_depends_on_an_input_is_computed_in_one_place() -> None:
    def spreads(node: ast.AST) -> bool:
        """A loop in which an equation gets a flag, or enters a set, where one of its arguments has."""
        if not isinstance(node, ast.For) or "args" not in _attributes(node):
            return False
        flagged = [
            part for part in ast.walk(node) if isinstance(part, ast.Assign) and "any(" in ast.unparse(part.value)
        ]
        return any(isinstance(part.targets[0], ast.Subscript) for part in flagged)

    assert _places(spreads) == ["core/graph.py"]


def test_a_missing_library_is_reported_by_one_function() -> None:
    texts = [(path.name, value) for path in _files() for value in _strings(path) if "which is not installed" in value]
    assert [name for name, _ in texts] == ["libraries.py"]


def _strings(path: Path) -> list[str]:
    return [node.value for node in _nodes(path) if isinstance(node, ast.Constant) and isinstance(node.value, str)]


def _loaded(code: str) -> set[str]:
    """The modules that a fresh interpreter holds after running `code`."""
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print('\\n'.join(sys.modules), file=sys.stderr)"],
        capture_output=True, text=True, timeout=PATIENCE,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return set(done.stderr.split())


HEAVY = {"rich", "latex2mathml", "numpy", "importlib.metadata", "importlib.resources", "difflib"}


def test_import_costs_nothing() -> None:
    loaded = _loaded("import autodiff")
    assert not loaded & (HEAVY | {"lark", "click"})
    assert not any(name.startswith("autodiff.") for name in loaded)


@pytest.mark.parametrize("option", ["-q", "--strict"], ids=["quiet", "named"])
def test_one_shot_eval_loads_nothing_that_it_does_not_use(option: str) -> None:
    code = f"from autodiff.cli.main import run; assert run(['eval', {option!r}, 'exp(sin(x^2))', '--at', 'x=4']) == 0"
    loaded = _loaded(code) - _loaded("import click; click.Command('none').main([], standalone_mode=False)")
    assert not loaded & (HEAVY | {"lark", "dataclasses", "json", "pathlib", "fractions", "decimal", "unicodedata"})
    rooms = {name.removeprefix("autodiff.") for name in loaded if name.startswith("autodiff.")}
    assert not rooms & {
        "nonsmooth.verdict",
        "language.generate",
        "render.terminal.functions",
        "render.terminal.rich",
        "cli.functions",
        "cli.rows",
    }
    assert not any(room.startswith(("batch", "tables.csv", "tables.reader")) for room in rooms)
    assert not rooms & {"api.matrices", "api.derivative", "numbers.taylor", "symbolic.expression", "render.text.matrix"}


@pytest.mark.parametrize("mode", ["reverse", "forward", "both"])
def test_explain_in_a_pipe_loads_nothing_that_it_does_not_use(mode: str) -> None:
    code = f"from autodiff.cli.main import run; assert run(['explain', 'exp(sin(x^2))', '--at', 'x=4', '--mode', {mode!r}]) == 0"
    loaded = _loaded(code) - _loaded("import click; click.Command('none').main([], standalone_mode=False)")
    assert not loaded & (HEAVY | {"lark", "json", "shutil", "pathlib", "sympy", "html"})
    rooms = {name.removeprefix("autodiff.") for name in loaded if name.startswith("autodiff.")}
    assert not rooms & {
        "nonsmooth.verdict",
        "render.document.html",
        "render.document.latex",
        "render.document.markdown",
        "render.terminal.rich",
        "codegen",
    }


def test_eval_on_a_terminal_does_not_load_rich() -> None:
    controller, screen = pty.openpty()
    code = "import sys; from autodiff.cli.main import run; run(['eval', 'x^2', '--at', 'x=4']); print(*sys.modules, file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", code], stdout=screen, stderr=subprocess.PIPE, text=True, timeout=PATIENCE
    )
    os.close(screen)
    assert os.read(controller, 100).split() == [b"f", b"16", b"df/dx", b"8"]
    os.close(controller)
    assert not set(done.stderr.split()) & HEAVY


@pytest.mark.parametrize("words", ["['eval', 'sine(x)']", "['eval', 'ln(x)', '--at', 'x=-1']"])
def test_colours_of_errors_do_not_load_rich(words: str) -> None:
    loaded = _loaded(f"from autodiff.cli.main import run; run([*{words}, '--color', 'always'])")
    assert "autodiff.render.terminal.colours" in loaded
    assert not any(name.startswith("rich") for name in loaded)


@pytest.mark.parametrize("module", ["signal", "ast", "dis", "inspect"])
def test_a_start_does_not_load(module: str) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "autodiff", "eval", "-q", "x", "--at", "x=1"],
        capture_output=True, text=True, timeout=PATIENCE,
    )  # fmt: skip
    assert done.stdout == "1 1\n"
    assert "autodiff.api.evaluate" in done.stderr
    assert not re.search(rf"\| +{module}$", done.stderr, re.MULTILINE)


def test_inspect_is_there_for_who_needs_it() -> None:
    code = (
        "import sys; from autodiff.cli.deferred_inspect import DeferredInspect\n"
        "sys.modules['inspect'] = stand_in = DeferredInspect('inspect')\n"
        "print(stand_in.cleandoc('A line.'), sys.modules['inspect'] is stand_in)\n"
        "print(stand_in.cleandoc('A line.\\n    Another.\\n'))\n"
        "import inspect; print(inspect is stand_in, stand_in.isfunction is inspect.isfunction, stand_in.cleandoc is inspect.cleandoc)\n"
        "from dataclasses import dataclass; print(inspect.signature(dataclass(type('A', (), {}))))"
    )
    assert python("-c", code).out.splitlines() == [
        "A line. True",
        "A line.",
        "Another.",
        "False True True",
        "() -> None",
    ]


def test_the_process_ends_with_its_status_and_all_its_output() -> None:
    done = process("eval", "ln(x)", "--at", "x=-1")
    assert (done.status, done.out) == (3, "")
    assert "needs x > 0" in done.err
    assert process("eval", "x", "--at", "x=1", "--format", "json").out.endswith("}\n")


def test_no_function_is_named_outside_the_table() -> None:
    names = {name for row in rules.rows() for name in row.names if name.isidentifier() and len(name) > 1}
    comparison = re.compile(
        rf"""[!=]=\s*["']({"|".join(sorted(names))})["']|name in \(["']({"|".join(sorted(names))})"""
    )
    for path in _files():
        if path.parent.name != "table":
            assert not comparison.search(path.read_text(encoding="utf-8")), path


UNCLEAR_NAMES = frozenset(
    [
        "it",
        "found",
        "made",
        "one",
        "each",
        "odd",
        "said",
        "told",
        "asked",
        "looks",
        "denied",
        "held",
        "lost",
        "moving",
        "onward",
        "asleep",
        "gone",
        "suspects",
    ]
)
"""Words that do not say what a thing is: "validation_loss" does, "held" does not."""


def _bound_names(nodes: Iterable[ast.AST]) -> Iterator[tuple[int, str]]:
    """The names that a file gives to variables, attributes, parameters, functions and classes, with their lines."""
    for node in nodes:
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()) | ast.arg(arg=name):
                yield node.lineno, name
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield node.lineno, name
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                yield node.lineno, name
            case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                yield from ((node.lineno, alias.asname) for alias in aliases if alias.asname)


def _unclear(nodes: Iterable[ast.AST]) -> list[str]:
    return [f"{line}: {name}" for line, name in _bound_names(nodes) if name.strip("_") in UNCLEAR_NAMES]


def test_names_say_what_a_thing_is() -> None:
    unclear = {str(path.relative_to(SOURCE)): _unclear(_nodes(path)) for path in _files()}
    assert {path: names for path, names in unclear.items() if names} == {}


@pytest.mark.parametrize(
    "source",
    [
        "it = 1", "for one in x: pass", "[0 for each in x]", "def f(told): pass", "def found(): pass", "lambda *made: 0",
        "with x as held: pass", "self._said = 1", "class lost: pass", "import a as odd", "if (asked := 1): pass",
        "try: pass\nexcept E as gone: pass", "match x:\n    case [*looks]: pass",
        "class A:\n    denied: int = 1",
    ],
)  # fmt: skip
def test_every_way_to_name_a_thing_is_searched(source: str) -> None:
    assert len(_unclear(ast.walk(ast.parse(source)))) == 1


FIGURATIVE = re.compile(
    r"\b(nobody|somebody|asleep|awake|witness|heard|whisper|has no say|held against|pinned down|don't tell)\b"
)


@pytest.mark.parametrize("path", _files(), ids=lambda p: str(p.relative_to(SOURCE)))
def test_prose_has_no_figure_of_speech(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    comments = [token.string for token in generate_tokens(StringIO(source).readline) if token.type == COMMENT]
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef)
    docs = [ast.get_docstring(node) or "" for node in _nodes(path) if isinstance(node, documented)]
    assert FIGURATIVE.findall("\n".join([*comments, *docs])) == []


def test_a_class_name_stands_in_one_room() -> None:
    """`Record` says what it is to somebody who finds it by name: no other class has that name."""
    modules = list(map(_tree, _files()))
    names = Counter(node.name for module in modules for node in module.body if isinstance(node, ast.ClassDef))
    assert [name for name, count in names.items() if count > 1 and not name.startswith("_")] == []
