"""One meaning for every text: doubtful readings, names, numbers, and the round through the grammar."""

from __future__ import annotations

import pytest

import autodiff
from autodiff.language.ast import Array, Call, Index, Name, Number
from autodiff.language.ast import Expr as Tree
from autodiff.language.doubt.operators import Noted, of_operators


def shape(node: Tree) -> str:
    """A tree with every bracket written: `(+ a (* b c))`."""
    match node:
        case Call():
            return f"({' '.join([node.name.replace('implicit *', '·').replace('chained <', 'chain'), *map(shape, node.args)])})"
        case Name():
            return node.name
        case Number():
            return f"{node.value:g}"
        case Array():
            return f"[{' '.join(map(shape, node.items))}]"
        case Index():
            return f"{shape(node.base)}[{' '.join(map(shape, node.indices))}]"


READINGS = {
    # sign, power
    "-x^2": "(- (^ x 2))",
    "(-x)^2": "(^ (- x) 2)",
    "2^-x": "(^ 2 (- x))",
    "2^3^2": "(^ 2 (^ 3 2))",
    "-2^-2": "(- (^ 2 (- 2)))",
    "x**y": "(^ x y)",
    "--x": "(- (- x))",
    "-+-x": "(- (+ (- x)))",
    "2*-x": "(* 2 (- x))",
    "x^-y^z": "(^ x (- (^ y z)))",
    "x!=y": "(!= x y)",
    # sums and products lean to the left
    "a-b-c": "(- (- a b) c)",
    "a/b/c": "(/ (/ a b) c)",
    "a/b*c": "(* (/ a b) c)",
    "a*b/c*d": "(* (/ (* a b) c) d)",
    "a-b+c": "(+ (- a b) c)",
    # juxtaposition binds exactly like *
    "2x": "(· 2 x)",
    "2x y": "(· (· 2 x) y)",
    "2x^2": "(· 2 (^ x 2))",
    "-2x": "(· (- 2) x)",
    "x y^2 z": "(· (· x (^ y 2)) z)",
    "(x+1)(x-1)": "(· (+ x 1) (- x 1))",
    "x(y+1)": "(· x (+ y 1))",
    "x(y+1)^2": "(· x (^ (+ y 1) 2))",
    "2sin(x)": "(· 2 (sin x))",
    "sin(x)cos(x)": "(· (sin x) (cos x))",
    "pi r^2": "(· pi (^ r 2))",
    "1/2x": "(· (/ 1 2) x)",
    "a/b c/d": "(/ (· (/ a b) c) d)",
    "2x/3y": "(· (/ (· 2 x) 3) y)",
    "e^2x": "(· (^ e 2) x)",
    "2e": "(· 2 e)",
    "2e3": "2000",
    "2e3x": "(· 2000 x)",
    "3e-x": "(- (· 3 e) x)",
    "x -1": "(- x 1)",
    "(2)(3)": "(· 2 3)",
    # calls
    "sin(x)^2": "(^ (sin x) 2)",
    "sin^2(x)": "(^ (sin x) 2)",
    "sin²(x)": "(^ (sin x) 2)",
    "sin (x)": "(sin x)",
    "max(1, x, y)": "(max 1 x y)",
    "σ(x)": "(σ x)",
    # superscripts, subscripts, other signs
    "x²": "(^ x 2)",
    "x⁻¹": "(^ x -1)",
    "2x²y": "(· (· 2 (^ x 2)) y)",
    "x₁+x1": "(+ x1 x1)",
    "x·y×z÷2−1": "(- (/ (* (* x y) z) 2) 1)",
    "ŷ": "ŷ",
    "𝑥": "x",
    # conditions
    "if(x < 0, 1, 2)": "(if (< x 0) 1 2)",
    "if(0 < x < 1, 1, 2)": "(if (chain (< 0 x) (< x 1)) 1 2)",
    "if(a<1 or b<1 and not c<1, 1, 2)": "(if (or (< a 1) (and (< b 1) (not (< c 1)))) 1 2)",
    "if(not a<1 and b<1, 1, 2)": "(if (and (not (< a 1)) (< b 1)) 1 2)",
    "if((a<1 or b<1) and c<1, 1, 2)": "(if (and (or (< a 1) (< b 1)) (< c 1)) 1 2)",
    "if(x≤1, 1, 2)": "(if (<= x 1) 1 2)",
    "x+1 < 2y": "(< (+ x 1) (· 2 y))",
    "(x > 0) == y": "(== (> x 0) y)",
    # arrays
    "[1, x]": "[1 x]",
    "[[1, 2], [3, 4]]": "[[1 2] [3 4]]",
    "A @ x": "(@ A x)",
    "x[0]y": "(· x[0] y)",
    "A[0, 1]^2": "(^ A[0 1] 2)",
    "[1, 2][0]": "[1 2][0]",
    # numbers
    ".5": "0.5",
    "5.": "5",
    "1.5e-3": "0.0015",
    "5.x": "(· 5 x)",
}


@pytest.mark.parametrize(("text", "tree"), READINGS.items())
def test_every_doubtful_text_has_its_one_meaning(text: str, tree: str) -> None:
    assert shape(autodiff.parse(text).statements[0].body) == tree


@pytest.mark.parametrize(
    ("text", "notice"),
    {
        "1/2x": "1/2x is read as (1/2)*x",
        "|2|x|-5|": "|2|x|-5| is read as |2|*x*|-5|",
        "1 + |x|y z|x|": "|x|y z|x| is read as |x|*y z*|x|",
        "1/2(x+1)": "1/2(x+1) is read as (1/2)*(x+1)",
        "y + a/b c": "a/b c is read as (a/b)*c",
        "e^2x": "e^2x is read as (e^2)*x",
        "3*x^2y": "x^2y is read as (x^2)*y",
        "e^-2x": "e^-2x is read as (e^-2)*x",
    }.items(),
)
def test_a_doubtful_reading_has_a_notice_and_strict_rejects_it(text: str, notice: str) -> None:
    assert [str(r) for r in autodiff.parse(text).readings] == [notice]
    with pytest.raises(autodiff.AutodiffError, match="doubtful"):
        autodiff.parse(text, strict=True)


@pytest.mark.parametrize(
    "text",
    ["(1/2)x", "1/(2x)", "x^2 y", "x²y", "2x y", "x(x+1)", "2^x(y)", "x^(2)y", "2pi(r+1)", "x^2/3", "-x^2", "a*b c"],
)
def test_a_plain_reading_gives_no_notice(text: str) -> None:
    assert autodiff.parse(text, strict=True).readings == ()


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("x + y*z", "(x + (y*z))"),
        ("a = 1; b", "a = 1\nb"),
        ("a = 1;;b;", "\n\na = 1 # note\r\nb\r\n"),
        ("f(t) = t^2; f(x)", "f(t)=t^2\nf(\n x\n)"),
        ("[1,\n2]", "[1, 2]"),
    ],
)
def test_blanks_brackets_and_comments_do_not_count(first: str, second: str) -> None:
    assert autodiff.parse(first) == autodiff.parse(second)
    assert autodiff.parse(first) != autodiff.parse("q = 1; " + first)


@pytest.mark.parametrize(
    ("text", "at", "name", "value"),
    [
        ("x^2", {"x": 3}, "f", 9),
        ("y = x^2", {"x": 3}, "y", 9),
        ("y = x^2\nz = y + 1", {"x": 3}, "z", 10),
        ("f(t) = t^2; f(2x)", {"x": 3}, "f", 36),
        ("f(x) = x^2", {"x": 3}, "f", 9),
        ("g(a, b) = a*b + c; g(2, 3)", {"c": 1}, "f", 7),
        ("g(a) = h(a) + 1; h(a) = 2a; g(x)", {"x": 3}, "f", 7),
        ("f", {"f": 3}, "y", 3),
        ("c = x > 0; if(c, 1, 2)", {"x": 3}, "f", 1),
        ("x > 2", {"x": 3}, "f", 1),
        ("max(1, 5, x)", {"x": 3}, "f", 5),
        ("if(x > 4 or x < 3.5 and x != 3, 1, 2)", {"x": 3}, "f", 2),
        ("0 < x < 5", {"x": 3}, "f", 1),
        ("log(8, 2) + log(1000, 10)", {}, "f", 6),
        ("e^0 + π - pi + τ - tau", {}, "f", 1),
        ("where(1 < 2, 3, 4)", {}, "f", 3),
        ("x₁ + 1", {"x1": 2}, "f", 3),
        ("mod(-7, 3) + 0^0", {}, "f", 3),
    ],
)
def test_programs_mean_what_the_language_says(text: str, at: dict[str, float], name: str, value: float) -> None:
    answer = autodiff.evaluate(text, at)
    assert (answer.result, answer.value) == (name, value)


@pytest.mark.parametrize(
    ("text", "at", "wrt", "slopes"),
    [
        ("a = x^2; a + x^2", {"x": 3}, ["a", "x"], [1, 12]),
        ("y = x; y*x", {"x": 3}, ["y", "x"], [3, 6]),
        ("f(t) = t^2; y = f(x); y + f(x)", {"x": 3}, ["y", "x"], [1, 12]),
        ("y = if(x > 0, x^2, 0); y^2", {"x": 3}, ["y", "x"], [18, 108]),
        ("y = 3; y^2*x", {"x": 2}, ["y", "x"], [12, 9]),
        ("u = x*z; v = u^2", {"x": 2, "z": 3}, ["z", "u", "v"], [24, 12, 1]),
        ("p = q^2; x", {"q": 1, "x": 2}, ["q", "x"], [0, 1]),
    ],
)
@pytest.mark.parametrize("mode", ["reverse", "forward", "both"])
def test_slopes_by_names(text: str, at: dict[str, float], wrt: list[str], slopes: list[float], mode: str) -> None:
    answer = autodiff.evaluate(text, at, wrt, mode)
    assert answer.gradient == dict(zip(wrt, slopes, strict=True))
    assert answer.checked


def test_inputs_come_in_order_of_first_appearance() -> None:
    answer = autodiff.evaluate("g(t) = t*c; b + g(a) + b", {"a": 1, "b": 2, "c": 3})
    assert list(answer.gradient) == ["c", "b", "a"]


def test_a_tower_of_powers_is_cut_for_its_notices_before_it_is_copied() -> None:
    class Counted(str):
        characters = 0

        def __getitem__(self, key: object) -> str:
            piece = super().__getitem__(key)  # type: ignore[index]
            Counted.characters += len(piece)
            return piece

    text = "^".join("x" * 4000)
    body = autodiff.parse(text).statements[0].body
    powers = list[Noted]()
    while isinstance(body, Call):
        powers.append(("power", body))
        body = body.args[1]
    assert len([*of_operators(Counted(text), powers)]) == 3998
    assert Counted.characters < 4000 * len(powers)
