"""What may be read in two ways is never read silently: in every command it is refused, or read in one way that a notice says."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

import pytest

import autodiff as library
from autodiff.errors import AutodiffError
from tests.support.command import Ended, autodiff

COMMANDS = {
    "eval": ["eval", "PROGRAM", "--at", "AT"],
    "diff": ["diff", "PROGRAM"],
    "explain": ["explain", "PROGRAM"],
    "graph": ["graph", "PROGRAM"],
    "check": ["check", "PROGRAM", "1", "--wrt", "x"],
    "export": ["export", "PROGRAM", "--to", "python"],
    "train": ["train", "PROGRAM", "--params", "AT", "--epochs", "1", "-q"],
}

REFUSED = {
    "g(x)*h(x)": "unknown function 'g'",
    "erfinv2(x)": "unknown function 'erfinv2'",
    "foo(x)": "unknown function 'foo'",
    "swosh(x)": "unknown function 'swosh'",
    "x*y + xy": "'xy' has no value",
    "sin x = 2x; sin(3) + x": "can stand left of '='",
    "var y = 2x; y*x": "can stand left of '='",
    "|x| = 2; x": "can stand left of '='",
    "√x = 2; x": "can stand left of '='",
    "√(x) = 2; x": "can stand left of '='",
    "x^2\nx^3": "line 1, 'x^2' has no effect",
    "y = 2x\ny*3\ny^2": "line 2, 'y*3' has no effect",
    "x; x^2": "'x' has no effect",
    "sinx": "'sinx' has no value",
    "x + sin2x": "did you mean sin(2x)?",
    "xcosx": "did you mean x*cos(x)?",
    "x*r + pir": "did you mean pi*r?",
    "x*y*z + xyz": "did you mean x*y*z?",
    "f^-1(x)": "unknown function 'f'",
    "g²(x)": "unknown function 'g'",
    "log_3(x)": "write log(x, 3)",
    "log₃(x)": "write log(x, 3)",
    "log_5 x": "write log(x, 5)",
    "log_7x": "write log(x, 7)",
    "log_b x": "write log(x, b)",
    "%e^x": "an operand is missing before '%'",
    "sinxcosx": "did you mean sin(x)*cos(x)?",
    "x³ᐟ²": "'ᐟ' has no meaning here",
    "log₂x": "did you mean log2(x)?",
    "rsqrt(x)": "write 1/sqrt(x)",
    "e²ˣ": "'ˣ' has no meaning here",
    "xⁿ": "'ⁿ' has no meaning here",
    "1 ½ x": "a number before a fraction may be a mixed number or a product",
    "x!!": "n!! is the double factorial",
    "x//2": "write floor(a/b)",
    "x <> 2": "write != for 'not equal'",
    "x -> x^2": "a function is f(x) = …",
    "y := x^2": "':=' has no meaning here",
    "h(x) := x^2": "':=' has no meaning here",
    "y <- x^2": "'<-' has no meaning here",
    "x%%2": "write mod(u, v)",
    "Sin[x]^2": "write sin(…)",
    "max[x, 2]": "write max(…)",
    "pnorm(x)": "write normcdf(x)",
    "ifelse(x > 0, x, -x)": "write if(condition, u, v)",
    "diff(x^2, x)": 'autodiff diff "PROGRAM" --wrt x',
    "IF(x>0;x;-x)": "arguments are separated by commas",
    "x.^2": "write ^ alone",
    "round(x, 2)": "write round(100*x)/100",
    "sum(x^2, x, 1, 10)": "there are no ranges",
    "⌊x⌋": "write floor(x)",
    "∜x": "write x^(1/4)",
    "³√x": "write cbrt(x)",
    "x*np.inf": "'inf' of that library is not known here",
    "Math.LN2*x": "'LN2' of that library is not known here",
    "np.sinc(x)": "write sinc(pi*x): sinc here is sin(x)/x",
    "scipy.special.sinc(x)": "write sinc(pi*x): sinc here is sin(x)/x",
    "scipy.linalg.norm([x, 1], 1)": "the second argument of norm is an axis here",
    "torch.logsumexp([x, 1], 0)": "write ln(sum(exp(x), 0))",
    "math.remainder(x, 2)": "write x - y*round(x/y)",
    "sympy.acot(x)": "write atan(1/x)",
    "sp.jn(1, x)": "write spherical_jn(n, x)",
    "sympy.solve(x^2 - 1, x)": "equations are not solved here",
    "sum(x, 3)": "of numbers, write sum([u, v])",
    "2*mean(x, 0)": "of numbers, write mean([u, v])",
    "norm(x, 1)": "of numbers, write norm([u, v])",
    "argmax(x, 1)": "of numbers, write argmax([u, v])",
    "jax.nn.gelu(x)": "which it is by default there",
    "sd([x, 1])": "std divides by n",
    "STDEV([x, 1])": "std divides by n",
    "cis(x)": "there are no complex numbers here",
    "2/np.max(x, 0)": "no axis is read here",
    "torch.linalg.norm([x, 1], 1)": "the second argument of norm is an axis here",
    "torch.std([x, 1, 3])": "here they divide by n",
    "F.cross_entropy([x, 1], [0, 1])": "write cross_entropy(y, softmax(z))",
    "Math.round(x)": "write floor(x + 1/2)",
    "50% x": "write 50/100*x for a share, mod(50, x) for a remainder",
    "3 + 20%x": "write 20/100*x for a share",
    "50% (x+1)": "write 50/100*… for a share",
    "x mod 2": "write mod(x, 2)",
    "torch.clamp(x, min=0)": "arguments have no names here",
    "x^{n}!": "'!' can't stand here in LaTeX",
}

SAID = {
    "3x + 2e-x": "2e-x is read as 2*e - x",
    "x<-x^2": "x<-… is read as a comparison, x < -…",
    "x^1/2": "x^1/2 is read as (x^1)/2",
    "x^-1/2": "x^-1/2 is read as (x^-1)/2",
    "2^-x/3": "2^-x/3 is read as (2^-x)/3",
    "e^-x/(2*3)": "e^-x/(2*3) is read as (e^-x)/(2*3)",
    "e^-x^2/2": "e^-x^2/2 is read as e^(-(x^2))/2",
    "1.5 e-3x": "1.5 e-3 is read as 1.5*e - 3",
    "3/x x": "3/x x is read as (3/x)*x",
    "x^-2^2": "x^-2^2 is read as x^(-(2^2))",
    "2^3^x": "2^3^x is read as 2^(3^x)",
    "2^-3^x": "2^-3^x is read as 2^(-(3^x))",
    "x^2\n+ x": "+ x is read as the rest of the line before",
    "x^2\n- x\n- 3": "- x is read as the rest of the line before",
    "b = x^2\n-b": "-b is read as a statement of its own",
    "x % 2": "% is read as the remainder, mod(u, v)",
    "sin x/2": "sin x/2 is read as sin(x)/2",
    "7%3*x": "% is read as the remainder, mod(u, v)",
    "arctan2(x, 2)": "arctan2 is read as atan2",
    "arcctg(x)": "arcctg is read as acot",
    "|2|x|-5|": "|2|x|-5| is read as |2|*x*|-5|",
    "exp(-x/tau)": "tau is read as the constant 2*pi",
    "cos(x/τ)": "τ is read as the constant 2*pi",
    "log(x) + ln(x)": "log(…) is read as the natural logarithm; to base 10 it is log10(…)",
    "10log(x)": "log(…) is read as the natural logarithm; to base 10 it is log10(…)",
    "sum(ln(x)*[x x])": "[x x] is read as an array of one product, not of two elements",
    "sum(ln([x]))": "[x] is read as an array of one number, not a bracket",
    "x^2%": "% is read as a hundredth, u/100",
    "f(t) = 2t; f^2(x)": "f^2(x) is read as f(x)^2",
    "x(1)*x": "x(1) is read as x*(1)",
    "ln (x+1)x": "ln (x+1)x is read as (ln (x+1))*x",
    "2sin (x)(x+1)": "sin (x)(x+1) is read as (sin (x))*(x+1)",
    "pKa = 4; pKa + log(x)": "log(…) is read as the natural logarithm; to base 10 it is log10(…)",
    "0.059/2*log(x)": "log(…) is read as the natural logarithm; to base 10 it is log10(…)",
    "var([x, 1])": "var(…) is read as the one that divides by n, not n - 1",
    "norm([x, 1]) + norm([[x, 1], [2, 3]], 1)[0]": "norm(…) is read as the 2-norms along that axis, not another norm",
    "sinc(x)": "sinc(…) is read as sin(x)/x, not sin(pi*x)/(pi*x)",
    "acot(x)": "acot(…) is read as pi/2 - atan(x), not atan(1/x)",
    "norm([[x, 1], [2, 3]], 1)[0]": "norm(…) is read as the 2-norms along that axis, not another norm",
    "t_1 = x; t_1/2 + x^1/2": "x^1/2 is read as (x^1)/2",
    "x --1": "-- is read as signs of the number behind them, not a comment or a step",
    "++x": "++ is read as signs of the number behind them, not a comment or a step",
    "3×10-8 x": "3×10-8 is read as these digits, not a power of ten",
    "6.02 · 1023 x": "6.02 · 1023 is read as these digits, not a power of ten",
    "x^2 (2.3)": "(2.3) is read as a factor, not a number or a word beside the formula",
    "(1) x^2": "(1) is read as a factor, not the number of the formula",
    "y = 2x\n3. y": "3. is read as a factor, not the number of the formula",
    "x ! x": "! is read as a factorial, and a factor behind it",
    "x^2!": "x^2! is read as x^(2!)",
    "sum([x+1](x+2))": "[x+1] is read as an array of one number, not a bracket",
    "sum([1, x -1])": "x -1 is read as one element, x - 1",
    "2024-01-05 + x": "2024-01-05 is read as a difference or a quotient, not a date",
    "sin = x; sin*sin(x)": "sin(…) is read as the function sin, not the value of that name",
}


def _run(command: str, program: str, *more: str, at: str = "x=2") -> Ended:
    return autodiff(*[{"PROGRAM": program, "AT": at}.get(word, word) for word in COMMANDS[command]], *more)


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(("program", "message"), REFUSED.items())
def test_refused_in_every_command(command: str, program: str, message: str) -> None:
    ended = _run(command, program)
    assert ended.status == 2
    assert message in ended.err
    assert ended.out == ""


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(("program", "notice"), SAID.items())
def test_a_doubtful_reading_is_a_notice_and_strict_refuses_it(command: str, program: str, notice: str) -> None:
    assert f"notice: {notice}\n" in _run(command, program).err
    strict = _run(command, program, "--strict")
    assert (strict.status, strict.out) == (2, "")
    assert f"doubtful: {notice}" in strict.err


OF_NAMES = {
    "2πr^2 x": "πr is read as π*r",
    "x*exp^-x": "exp is read as an input of that name, not the function exp(…)",
    "xe^x + x": "xe^… is read as a power of xe, not a product with e^…",
    "3x10^5 x": "x10^… is read as a power of x10, not a product with 10^…",
    "x sin(ωt)": "ωt is read as one name, not ω*t",
    "ωβ x": "ωβ is read as one name, not ω*β",
    "PI*x": "PI is read as an input of that name, not the constant pi",
    "rate^2(x)": "rate^n(…) is read as a product, rate^n*(…)",
    "M_PI*x": "M_PI is read as an input of that name, not the constant pi",
    "E^x": "E is read as an input of that name, not the constant e",
    "Σx_i x": "Σx_i is read as an input of that name, not sum(x)",
    "Σ x": "Σ is read as an input of that name, not sum(x)",
    "derivative of x^2": "derivative is read as an input of that name, not the command autodiff diff",
    "one half x": "one is read as an input of that name, and a factor",
    "2.0f*x": "f is read as an input of that name, not the end of a number",
    "1j*x": "j is read as an input of that name, not the imaginary unit",
    "exp(-i*x)": "i is read as an input of that name, not the imaginary unit",
    "2.5d0*x": "d0 is read as an input of that name, not a power of ten",
    "1.5 e3 x": "e3 is read as an input of that name, not a power of ten",
    "1d-3*x": "1d-3 is read as 1*d - 3",
    "10ULL*x": "ULL is read as an input of that name, not the end of a whole number",
    "5 kg*x": "kg is read as an input of that name, not a unit",
    "9.81 m/s*x": "m is read as an input of that name, not a unit",
    "20°C*x": "C is read as an input of that name, not a temperature",
    "x*inf": "inf is read as an input of that name: infinity is not a number here",
    "True*x": "True is read as an input of that name, not the number 1",
    "3xy + x": "xy is read as one name, not x*y",
    "ax^2 + bx + c x": "ax is read as one name, not a*x",
    "x1x2 + x": "x1x2 is read as one name, not x1*x2",
    "4ac x": "ac is read as one name, not a*c",
    "x*e^ky": "ky is read as one name, not k*y",
    "x*exp(-ky)": "ky is read as one name, not k*y",
    "x/bc": "bc is read as one name, not b*c",
    "x*nRT": "nRT is read as one name, not n*R*T",
    "abc*x": "abc is read as one name, not a*b*c",
    "a1y*x": "a1y is read as one name, not a1*y",
    "x_1y*x": "x_1y is read as one name, not x_1*y",
    "x*cos(ω0t)": "ω0t is read as one name, not ω0*t",
    "kx1 + x1 x": "kx1 is read as one name, not k*x1",
    "2pift*x": "pift is read as one name, not pi*f*t",
    "x + x2": "x2 is read as one name, not x^2",
    "3r2 x": "r2 is read as one name, not r^2",
    "x*sinkt": "sinkt is read as one name, not sin(kt)",
    "x*rcosθ": "rcosθ is read as one name, not r*cos(θ)",
    "sin30°*x": "sin30 is read as one name, not sin(30)",
    "Ce^x": "Ce^… is read as a power of Ce, not a product with e^…",
    "I*x": "I is read as an input of that name, not the imaginary unit",
    "x*sqrt(2)*I": "I is read as an input of that name, not the imaginary unit",
    "x/(j*ω)": "j is read as an input of that name, not the imaginary unit",
    "10u*x": "u is read as an input of that name, not a millionth",
    "4.7k*x": "k is read as an input of that name, not a thousand",
    "x^m/n": "x^m/n is read as (x^m)/n",
    "x^n/2": "x^n/2 is read as (x^n)/2",
    "x*2^k/3": "2^k/3 is read as (2^k)/3",
    "e^x/2.5": "e^x/2.5 is read as (e^x)/2.5",
    "x^n⁄2": "x^n⁄2 is read as (x^n)⁄2",
    "x^2⁄3": "x^2⁄3 is read as (x^2)⁄3",
    "ln (x)!": "ln (x)! is read as (ln (x))!",
    "A^T x": "A^T is read as a power, not transpose(u)",
    "(A x)^T x": "(…)^T is read as a power, not transpose(u)",
    "x^n!/2": "x^n!/2 is read as (x^n!)/2",
    "x^|n|/2": "x^|n|/2 is read as (x^|n|)/2",
    "x^sin(n)/n": "x^sin(n)/n is read as (x^sin(n))/n",
    "-ln (x)n": "ln (x)n is read as (ln (x))*n",
    "ln (x)|n|": "ln (x)|n| is read as (ln (x))*|n|",
    "ln (x)²": "ln (x)² is read as (ln (x))²",
    "sin^2 (x)n": "sin^2 (x)n is read as (sin^2 (x))*n",
    "sin² (x) n": "sin² (x) n is read as (sin² (x))*n",
    "x +- 1": "+- is read as minus, not an uncertainty",
    "exp(-2*pi*i*x)": "i is read as an input of that name, not the imaginary unit",
    "e^(-2*pi*j*k*x/N)": "j is read as an input of that name, not the imaginary unit",
    "2^t/T*x": "2^t/T is read as (2^t)/T",
    "√x/n": "√x/n is read as sqrt(x)/n",
    "x*2^(-t/t_1/2)": "t_1/2 is read as (t_1)/2, not a half-life",
    "x*ln(2)/T1/2": "T1/2 is read as (T1)/2, not a half-life",
    "Sin*x": "Sin is read as an input of that name, not the function sin(…)",
    "GoldenRatio*x": "GoldenRatio is read as an input of that name, not (1 + sqrt(5))/2",
    "x/(1 + jωRC)": "jωRC is read as one name, not j*ω*R*C",
    "x*exp(-E/k_BT)": "k_BT is read as one name, not k_B*T",
    "ħω x": "ħω is read as one name, not ħ*ω",
    "2L*x": "L is read as an input of that name, not the end of a number",
    "1.5d*x": "d is read as an input of that name, not the end of a number",
    "2*I*x": "I is read as an input of that name, not the imaginary unit",
    "x + i y": "i is read as an input of that name, not the imaginary unit",
    "10 N*x": "N is read as an input of that name, not a unit",
    "int*x": "int is read as an input of that name, not a statement of another language",
    "sin (x+1)^2": "sin (x+1)^2 is read as (sin (x+1))^2",
    "-1^n x": "-1^n is read as -(1^n)",
    "e^2(x+1)": "e^2(x+1) is read as (e^2)*(x+1)",
    "2pir2 x": "pir2 is read as one name, not pi*r2",
    "x^n/(2a)": "x^n/(2a) is read as (x^n)/(2a)",
    "x*c^n/(a b)": "c^n/(a b) is read as (c^n)/(a b)",
    "x*e^-k t": "e^-k t is read as (e^-k)*t",
    "x*e^k(t-s)": "e^k(t-s) is read as (e^k)*(t-s)",
    "√n x": "√n x is read as sqrt(n) x",
    "(f+g)(x)": "(f+g)( is read as a product, not a function of functions",
    "x\u200by": "x\\u200by is read as two names, with an invisible blank between them",
    "\u0435^x + e": "\u0435 is read as another name than e: its letters are of another alphabet",
    "ϕ + φ x": "ϕ is read as the same name as φ",
    "ϖ x": "ϖ is read as the same name as π",
    "8.99e9 N m^2*x": "N is read as an input of that name, not a unit",
    "100 Ω*x": "Ω is read as an input of that name, not a unit",
    "n über x": "über is read as an input of that name, and a factor",
    "x*sinkcosk": "sinkcosk is read as one name, not sin(k)*cos(k)",
    "x*sin2kcosk": "sin2kcosk is read as one name, not sin(2k)*cos(k)",
    "x quadrat": "quadrat is read as an input of that name, and a factor",
}


@pytest.mark.parametrize("command", ["diff", "explain", "graph", "check", "export"])
@pytest.mark.parametrize(("program", "notice"), OF_NAMES.items())
def test_a_name_that_may_be_meant_otherwise(command: str, program: str, notice: str) -> None:
    assert f"notice: {notice}\n" in _run(command, program).err
    assert f"doubtful: {notice}" in _run(command, program, "--strict").err


def test_a_name_with_a_value_is_what_it_is() -> None:
    for program in ("exp*x", "xe^x", "sin(ωt)*x", "sinx*x", "πr*x", "x*xy"):
        names = dict.fromkeys(("x", *re.findall(r"exp|xe|ωt|sinx|πr|xy", program)), 1.0)
        assert library.evaluate(program, names, strict=True).readings == ()


def test_names_beside_names_are_plain_products_where_they_are_no_words() -> None:
    for program in ("2 rate*x", "alpha x", "omega t lambda x", "V_max S x", "x cos(x)"):
        assert library.derivative(program, "x", strict=True).readings == ()


@pytest.mark.parametrize("program", ["a x b", "3 x y", "2 x sin(y)"])
def test_an_x_between_two_factors_may_be_a_sign(program: str) -> None:
    notice = "notice: x is read as an input and a factor, not a sign of multiplication\n"
    assert notice in autodiff("graph", program).err
    assert autodiff("graph", program, "--strict").status == 2
    assert autodiff("diff", program, "--wrt", "x", "--strict").status == 0


def test_a_product_of_vectors_by_numpy_is_noted() -> None:
    notice = "dot(…) is read as sum(u*v); the product of matrices is A @ B"
    assert f"notice: {notice}\n" in autodiff("eval", "np.dot(x, x)", "--at", "x=[1, 2]").err
    assert autodiff("eval", "dot(x, x)", "--at", "x=[1, 2]").err == ""


@pytest.mark.parametrize("program", ["A^-1 @ x", "A⁻¹ @ x", "(A + 0)^-1 @ x", "(A)⁻¹ @ x"])
def test_an_inverse_of_a_matrix_is_not_of_its_elements(program: str) -> None:
    words = ["eval", f"sum({program})", "--at", "A=[[1, 2], [3, 4]],x=[1, 2]", "--wrt", "x"]
    assert "@ is read as 1/u of each element, not inv(u)" in autodiff(*words).err
    assert "doubtful: " in autodiff(*words, "--strict").err


@pytest.mark.parametrize("program", ["inv(A)*x", "2inv(A) x", "transpose(A)*A + x"])
def test_a_product_of_a_matrix_is_not_of_its_elements(program: str) -> None:
    words = ["eval", f"sum({program})", "--at", "A=[[1, 2], [3, 4]],x=[1, 2]", "--wrt", "A"]
    assert "is read as the product of each element, not u @ v" in autodiff(*words).err
    assert "doubtful: " in autodiff(*words, "--strict").err


HIDDEN = {
    "eval": ["eval", "x=2; x*y"],
    "train": ["train", "x=2; L=(w*x-y)^2; L", "--params", "w=1", "--epochs", "1", "-q"],
    "train over parts": ["train", "x=2; L=(w*x-y)^2; L", "--params", "w=1", "--epochs", "1", "-q", "--engine", "local"],
    "fit": ["fit", "x=2; a*x", "--y", "y", "--start", "a=1"],
}


@pytest.mark.parametrize("command", HIDDEN)
def test_a_column_that_the_program_assigns_is_a_notice(command: str, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("x,y\n5,10\n6,11\n7,13\n")
    words = [*HIDDEN[command], "--data", str(tmp_path / "t.csv")]
    notice = "x is read as what the program assigns to x, not the x of the data or the point"
    assert autodiff(*words).err.count(f"notice: {notice}\n") == 1
    strict = autodiff(*words, "--strict")
    assert (strict.status, strict.out) == (2, "")
    assert f"doubtful: {notice}" in strict.err


def test_a_result_called_like_a_column_hides_nothing(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("x,y\n5,10\n6,11\n")
    assert "notice" not in autodiff("eval", "y = 2x", "--data", str(tmp_path / "t.csv"), "--strict").err


def test_a_letter_that_is_also_a_value_needs_brackets_to_be_a_function() -> None:
    density = library.evaluate("e^(-(x-μ)²/(2σ²))/(σ√(2π))", {"x": 1.0, "μ": 0.0, "σ": 2.0}).value
    assert density == pytest.approx(0.17603266338214976)


def test_the_derivative_by_a_name_that_looks_like_a_product_says_so() -> None:
    assert "notice: mgh is read as one name, not m*g*h\n" in autodiff("diff", "mgh").err
    for quiet in (["mgh", "--wrt", "mgh", "--strict"], ["rate^2"], ["mu^2"], ["x^2"]):
        assert autodiff("diff", *quiet).err == ""


@pytest.mark.parametrize("sign", ["°", "º", "˚"])
def test_degree_signs_of_all_keyboards(sign: str) -> None:
    assert library.evaluate(f"30{sign}").value == pytest.approx(math.pi / 6)


@pytest.mark.parametrize("sign", ["^", "**", "＾", "ˆ"])
def test_power_signs_of_all_keyboards(sign: str) -> None:
    assert library.evaluate(f"x{sign}3", {"x": 2.0}).value == 8.0


@pytest.mark.parametrize("command", ["diff", "explain", "graph", "check", "export"])
def test_a_letter_that_stands_only_before_brackets(command: str) -> None:
    assert "notice: x(2+1) is read as x*(2+1)\n" in _run(command, "x(2+1)").err
    assert "doubtful" in _run(command, "x(2+1)", "--strict").err


@pytest.mark.parametrize(
    "program",
    [
        "x(x+3)",
        "2 + x*i",
        "f(t) = t; 2f(x)",
        "lr*dt + mu*w1 + cost + x_1",
        "log(x)",
        "log_x + log_prob",
        "math.tau*x",
        "1 + i",
        "2 x + 3 m v",
        "x2 - x1 + x",
        "sin (x)",
        "log(x, 10)*ln(x)",
        "2pi(x+1) + x",
        "e^x(x+1)",
        "x^2/3",
        "-x^2",
        "e^-x/(1 + e^-x)^2",
        "x^2 x",
        "gamma(x)*gamma",
        "U = R*I; U x",
        "12n + n^2 x",
        "0.5k x^2",
        "10k^2 x",
        "x^n/n + x^k/k! + e^x/pi",
        "sin (x) cos (x)",
        "np.std([x, 1])",
        "special.gammainc(2, x)",
        "x*t_1/2 + t_2",
        "t_1/2 + x t_1",
        "√x/2",
        "x[k] + x",
        "(x^n)/2 + x^n / 2 + x^n/2!",
        "2^T*x + e^T",
        "T = 2; x^T",
        "x+-1 + x + -1",
        "ln(x)!",
        "e^(-beta*J*x)",
        "x^-1 y",
        "x -y + -1 - -1",
        "(x+1)! y + n! x",
        "f(t) = t; 2f (3) + x",
        "sin (3) + x",
        "e^-x(x+1)",
        "2.5 × 10 - 8x",
        "3·100 x",
        "x = 2; a x b",
        "a x b x^2",
        "x sin(a) x",
        "[x, -1][0]",
        "\u0430 + \u0431",
        "inv(A) @ x + 2inv(A)",
    ],
)
def test_what_has_one_reading_is_silent(program: str) -> None:
    assert library.parse(program, strict=True).readings == ()


@pytest.mark.parametrize(("command", "program"), [("eval", "foo(x)"), ("diff", "k2(x+1)")])
def test_a_given_value_makes_a_factor(command: str, program: str) -> None:
    name = program.partition("(")[0]
    assert library.evaluate(program, {"x": 2.0, name: 3.0}).gradient[name] == eval(
        program.replace(name, ""), {"x": 2.0}
    )
    with pytest.raises(AutodiffError, match="unknown function"):
        library.derivative(program)


@pytest.mark.parametrize("letter", "fghFGH")
def test_a_letter_that_means_a_function_is_one(letter: str) -> None:
    with pytest.raises(AutodiffError, match="unknown function"):
        library.parse(f"{letter}(x)")
    assert library.parse(f"{letter}(x)", given=[letter]).readings == ()
    assert library.parse(f"{letter} = 3; {letter}(x)*x").readings == ()
    assert library.parse(f"{letter}(t) = 3t; {letter}(x)").readings == ()


@pytest.mark.parametrize(
    ("program", "at", "gradient"),
    [
        ("gamma*x", {"gamma": 2.0, "x": 3.0}, {"gamma": 3.0, "x": 2.0}),
        ("mean + 1", {"mean": 2.0}, {"mean": 1.0}),
        ("l1*cos(a)", {"l1": 2.0, "a": 0.0}, {"l1": 1.0, "a": 0.0}),
        ("gamma^2*x", {"gamma": 2.0, "x": 3.0}, {"gamma": 12.0, "x": 4.0}),
        ("gamma = 2x; gamma*x", {"x": 3.0}, {"x": 12.0}),
    ],
)
def test_a_name_is_a_function_only_before_a_bracket(program: str, at: dict[str, float], gradient: object) -> None:
    answer = library.evaluate(program, at)
    assert answer.gradient == gradient
    assert answer.readings == ()


@pytest.mark.parametrize("name", ["e", "pi", "tau", "π"])
def test_a_given_value_wins_over_a_constant_and_is_a_notice(name: str) -> None:
    ended = autodiff("eval", f"w*{name}", "--at", f"w=1,{name}=5", "-q")
    assert ended.out == "5 5 1\n"
    assert f"notice: {name} is read as the input {name}, not the constant" in ended.err
    assert autodiff("eval", f"w*{name}", "--at", f"w=1,{name}=5", "--strict").status == 2
    of_tau = [reading.meaning for reading in library.evaluate(f"w*{name}", {"w": 1.0}).readings]
    assert of_tau == ["the constant 2*pi"] * (name == "tau")


@pytest.mark.parametrize(
    ("program", "given", "said"),
    [
        ("x*pi", "π", "pi is read as the constant 3.141592653589793, not the input π"),
        ("x*τ", "tau", "τ is read as the constant 6.283185307179586, not the input tau"),
        ("log x", "log", "log x is read as a product with the value of log, not the function"),
        ("x + sin y", "sin", "sin y is read as a product with the value of sin, not the function"),
    ],
)
def test_a_value_beside_a_constant_or_a_function_that_looks_like_it(program: str, given: str, said: str) -> None:
    readings = library.parse(program, given=["x", given]).readings
    assert said in map(str, readings)


def test_a_given_e_is_no_exponential() -> None:
    answer = library.evaluate("e^x + exp(x) + gelu(x)", {"e": 2.0, "x": 0.0})
    assert answer.gradient["e"] == 0.0
    assert library.evaluate("e^x", {"e": 2.0, "x": 3.0}).value == 8.0


def test_columns_parameters_and_point_files_win(tmp_path: Path) -> None:
    rows = tmp_path / "rows.csv"
    rows.write_text("e,gamma,y\n5,2,10\n1,1,1\n", encoding="utf-8")
    ended = autodiff("eval", "w*e + gamma", "--data", str(rows), "--at", "w=1")
    assert ended.out.splitlines()[1].split(",")[0] == "7"
    assert "e is read as the input e" in ended.err
    point = tmp_path / "point.json"
    point.write_text(json.dumps({"e": 5, "w": 2}), encoding="utf-8")
    assert autodiff("eval", "w*e", "--at", f"@{point}", "-q").out == "10 5 2\n"
    trained = autodiff(
        "train", "mse(y, w*e + pi)", "--data", str(rows), "--params", "w=0,pi=1", "--epochs", "1", "--lr", "0.01"
    )
    assert trained.status == 0
    assert "e is read as the input e" in trained.err
    assert "pi is read as the input pi" in trained.err


COLUMNS = "e,gamma,max,pi,lr,y\n2,3,4,5,6,20\n1,2,3,1,2,9\n3,1,2,2,1,8\n2,2,1,3,4,11\n"


@pytest.mark.parametrize("name", ["e", "gamma", "max", "pi", "lr"])
def test_a_column_or_a_given_value_wins_in_every_command(name: str, tmp_path: Path) -> None:
    rows, notice = tmp_path / "rows.csv", f"{name} is read as the input {name}"
    rows.write_text(COLUMNS, encoding="utf-8")
    lines = COLUMNS.splitlines()
    column = [float(line.split(",")[lines[0].split(",").index(name)]) for line in lines[1:]]
    targets = [float(line.split(",")[-1]) for line in lines[1:]]
    point, table = ["--at", f"{name}=2"], ["--data", str(rows)]
    best = sum(x * y for x, y in zip(column, targets, strict=True)) / sum(x * x for x in column)
    commands = {
        "6 3\n": ["eval", f"3*{name}", *point, "-q"],
        f"{3 * column[0]:g},3,ok": ["eval", f"3*{name}", *table],
        f"df/d{name} = 3": ["explain", f"3*{name}", *point],
        f"3*{name}   6": ["graph", f"3*{name}", *point],
        f"{best:.10g}"[:9]: ["fit", f"w*{name}", *table, "--y", "y", "--start", "w=1", "-q"],
        '"variable"': ["plot", f"3*{name}", "--range", f"{name}=1..3", *point, "--format", "json"],
        "": ["train", f"mse(y, w*{name})", *table, "--params", "w=1", "--epochs", "5", "--lr", "0.01", "-q"],
    }
    for expected, words in commands.items():
        ended = autodiff(*words)
        assert ended.status in (0, 3), (words, ended.err)
        assert expected in ended.out, (words, ended.out)
        assert (notice in ended.err) == (name in ("e", "pi")), (words, ended.err)


def test_a_plot_over_a_name_of_a_constant_is_no_horizontal_line() -> None:
    curve = json.loads(autodiff("plot", "3*e", "--range", "e=0..1", "--format", "json").out)["curves"][0]
    assert curve["shown"] == pytest.approx([-0.15, 3.15])
    assert library.fit("w*e", {"e": [1.0, 2.0], "y": [3.0, 6.0]}, "y", {"w": 1.0}).params["w"] == pytest.approx(3)


def test_a_name_that_is_part_of_a_name_gets_the_product_as_a_hint() -> None:
    assert "xy is one name, a product is x*y" in autodiff("diff", "xy", "--wrt", "x").err
    assert "mgh is one name, a product is m*g*h" in autodiff("diff", "mgh", "--wrt", "h").err
    assert "is one name" not in autodiff("diff", "rate*x", "--wrt", "r").err


@pytest.mark.parametrize(
    "value", ["2024-01-05", "1999-12-31", "5/1/2024", "2024/01/05", "05/01/1999", "[2024-01-05, 3]"]
)
def test_a_date_is_no_difference_and_no_quotient(value: str) -> None:
    ended = autodiff("eval", "x^2", "--at", f"x={value}")
    assert ended.status == 2
    assert "is a date" in ended.err


@pytest.mark.parametrize("value", ["3-5", "3–5", "1-1/2", "3--5", "3×10-8", "[1 -2]"])
def test_a_value_that_may_be_another_is_said(value: str) -> None:
    words = ["eval", "sum(x)" if "[" in value else "x", "--at", f"x={value}"]
    assert "notice: " in autodiff(*words).err
    assert autodiff(*words, "--strict").status == 2
    assert autodiff("eval", "x", "--at", "x=(3-5)", "--strict").status == 0


@pytest.mark.parametrize("value", ["2024 - 01 - 05", "2024-1-5", "5/1/24", "1/2/3", "1.5/1/2024"])
def test_an_expression_that_is_no_date_is_computed(value: str) -> None:
    assert autodiff("eval", "x", "--at", f"x={value}").status == 0


@pytest.mark.parametrize("value", ["4.0(1)", "4 +- 0.1", "4±0.1", "4 +/- 0.1"])
def test_an_uncertainty_is_not_dropped(value: str) -> None:
    ended = autodiff("eval", "x^2", "--at", f"x={value}")
    assert ended.status == 2
    assert "uncertainty" in ended.err


@pytest.mark.parametrize("command", ["eval", "diff", "explain", "export", "check"])
def test_a_name_that_the_result_does_not_depend_on(command: str) -> None:
    program = "x = cos(t); y = sin(t)"
    words = {"check": ["1"], "eval": ["--at", "t=1"], "explain": [], "diff": [], "export": ["--to", "c"]}[command]
    ended = autodiff(command, program, *words, "--wrt", "x")
    assert ended.status == 2
    assert "'x' is assigned, and y does not depend on it" in ended.err


@pytest.mark.parametrize(
    ("text", "program"), [("(d/dx) x^2", "x^2"), ("(d/dx)(x^2)", "x^2"), ("(d/dx x^2)", "PROGRAM")]
)
def test_the_command_for_a_derivative_in_brackets_has_its_brackets_in_pairs(text: str, program: str) -> None:
    assert f'autodiff diff "{program}" --wrt x' in autodiff("diff", text).err


@pytest.mark.parametrize("text", ["d(x^2)/dx", "dy/dx", "d/dx x^2", "d/dx(x^2)", "df/dx", "d²y/dx²", "d^2f/dx^2"])
@pytest.mark.parametrize("command", ["eval", "explain", "graph", "export", "train"])
def test_a_derivative_in_a_program_is_refused_with_what_to_write(text: str, command: str) -> None:
    ended = _run(command, text)
    assert ended.status == 2
    assert "autodiff diff" in ended.err


@pytest.mark.parametrize(
    ("text", "wrt", "slope"),
    [
        ("d/dx x^2", "x", "2*x"),
        ("d/dx[x^2*y]", "x", "2*x*y"),
        ("d(x^2)/dx", "x", "2*x"),
        ("y = x^2; dy/dx", "x", "2*x"),
        ("f(x) = x^3; f'(x)", "x", "3*x^2"),
    ],
)
def test_a_derivative_is_read_where_one_is_asked_for(text: str, wrt: str, slope: str) -> None:
    assert str(library.derivative(text)) == slope
    assert str(library.derivative(text, wrt)) == slope
    with pytest.raises(AutodiffError, match="is a derivative by 'x' itself"):
        library.derivative(text, "z")


LEFT = ["y' =", "y’=", "f'(x) =", "f′(x) = ", "f' =", "dy/dx =", "df/dx=", "d/dx[x^2] =", "d/dx (x^2) =", "d(x^2)/dx ="]


@pytest.mark.parametrize("left", LEFT)
def test_check_takes_an_answer_with_its_left_side(left: str) -> None:
    assert autodiff("check", "x^2", f"{left} 2x").out.startswith("yes")
    assert autodiff("check", "x^2", f"{left} 3x").out.startswith("no")


def test_an_answer_about_something_else_is_refused() -> None:
    assert "the derivative of 'x^3'" in autodiff("check", "x^2", "d/dx[x^3] = 2x").err
    assert "a derivative by 'y'" in autodiff("check", "x^2*y", "df/dy = x^2", "--wrt", "x").err
    assert autodiff("check", "x^2*y", "df/dy = x^2").out.startswith("yes")


@pytest.mark.parametrize(
    "left", ["d²y/dx²", "d^2y/dx^2", "y''", "f''(x)", "y″", "f'(2)", "y'(-1)", "dy/dx|x=2", r"\frac{d^2y}{dx^2}"]
)
def test_an_answer_that_is_no_first_derivative_is_refused(left: str) -> None:
    ended = autodiff("check", "x^3", f"{left} = 12")
    assert (ended.status, ended.out) == (2, "")
    assert "is not the first derivative as a formula" in ended.err


def test_an_answer_between_two_dollar_signs_has_its_left_side() -> None:
    assert autodiff("check", "x^2", "$y' = 2x$").out.startswith("yes")
    assert autodiff("check", "a*x^2", r"$\frac{dy}{dx} = 2ax$", "--wrt", "x").out.startswith("yes")


def test_a_point_in_a_program_gets_the_whole_command() -> None:
    for text in ("x^2 at 3", "x^2 at x=3"):
        ended = autodiff("eval", text)
        assert (ended.status, "") == (2, ended.out)
        assert 'write autodiff eval "x^2" --at x=3' in ended.err
    assert 'write autodiff eval "PROGRAM" --at x=3' in autodiff("eval", "at x=3").err


@pytest.mark.parametrize("command", COMMANDS)
def test_a_derivative_at_a_number_gets_the_whole_command(command: str) -> None:
    ended = _run(command, "f(t) = t^2; f'(3)")
    assert (ended.status, ended.out) == (2, "")
    assert 'autodiff eval "f(t) = t^2; f(t)" --at t=3' in ended.err
    assert 'autodiff eval "f(x) = …; f(x)" --at x=3' in _run(command, "f′(3)").err


def test_constants_of_libraries_and_digits_of_other_keyboards() -> None:
    for text in ("Math.PI", "math.pi", "np.pi", "torch.pi"):
        assert library.evaluate(text).value == math.pi
    assert library.evaluate("Math.E^2").value == library.evaluate("e^2").value
    assert library.evaluate("PI*x", {"PI": 2.0, "x": 3.0}).value == 6.0
    wide = {ord(c): ord(c) + 0xFEE0 for c in "0123456789."}
    assert library.evaluate(f"{'2'.translate(wide)}x + {'1.5'.translate(wide)}", {"x": 2.0}).value == 5.5
    assert library.evaluate(f"{'0.1'.translate(wide)} + 0.2 - {'0.3'.translate(wide)}").value == 0


ROWS = "e,pi,gamma,mean,l1,beta,x\n2,3,4,5,6,7,8\n"


@pytest.mark.parametrize(
    ("program", "value", "said"),
    [
        ("e*x", 16, "e is read as the input e"),
        ("pi + x", 11, "pi is read as the input pi"),
        ("gamma*x", 32, ""),
        ("mean + l1*x", 53, ""),
        ("beta*x", 56, ""),
        ("gamma(gamma)", 6, "gamma(…) is read as the function gamma"),
        ("x^1/2", 4, "x^1/2 is read as (x^1)/2"),
        ("2^1^x", 2, "2^1^x is read as 2^(1^x)"),
    ],
)
def test_columns_win_in_rows(program: str, value: float, said: str, tmp_path: Path) -> None:
    rows = tmp_path / "rows.csv"
    rows.write_text(ROWS, encoding="utf-8")
    ended = autodiff("eval", program, "--data", str(rows))
    assert (said in ended.err) if said else ("notice" not in ended.err)
    assert float(ended.out.splitlines()[1].split(",")[0]) == value
    strict = autodiff("eval", program, "--data", str(rows), "--strict")
    assert strict.status == (2 if said else 0)


@pytest.mark.parametrize(("program", "message"), REFUSED.items())
def test_refused_in_rows(program: str, message: str, tmp_path: Path) -> None:
    rows = tmp_path / "rows.csv"
    rows.write_text("x,y\n2,3\n", encoding="utf-8")
    ended = autodiff("eval", program, "--data", str(rows))
    assert (ended.status, ended.out) == (2, "")
    assert message in ended.err


@pytest.mark.parametrize("command", ["eval", "explain", "graph"])
def test_a_number_alone_is_the_value_of_the_only_input(command: str) -> None:
    ended = autodiff(command, "t^2", "--at", "3")
    assert ended.status == 0
    assert "notice: --at 3 is read as t=3\n" in ended.err
    assert autodiff(command, "t^2", "--at", "3", "--strict").status == 2
    assert autodiff(command, "t^2*u", "--at", "3").status == 2


def test_a_constant_before_a_name_is_a_factor_without_its_sign() -> None:
    assert "did you mean x*e?" in autodiff("eval", "xe^x", "--at", "x=2").err
    assert "did you mean e*x?" in autodiff("eval", "2ex", "--at", "x=2").err


@pytest.mark.parametrize("program", ["mean[0] + x", "if(x<-1, x, 2)"])
def test_what_only_looks_like_another_language_is_silent(program: str) -> None:
    ended = autodiff("eval", program, "--at", "x=2,mean=[1]" if "mean" in program else "x=2")
    assert (ended.status, ended.err) == (0, "")
