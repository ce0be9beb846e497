"""Pages have what the explanation has: every number, every formula, nothing of the user's as markup, nothing from elsewhere.

`golden/explanation.md` holds two explanations as Markdown; `UPDATE_GOLDEN=1 pytest tests/render/test_document_pages.py` writes it anew, then
read what changed. `AUTODIFF_PLAYWRIGHT` names a folder with `playwright-core` from npm, which opens the pages in Chromium.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import pytest

import autodiff as package
from autodiff.core import rules
from autodiff.core.primitive import Primitive
from autodiff.diagnostics import shown
from autodiff.errors import AutodiffError
from autodiff.explanation.build import explain
from autodiff.explanation.model import ChainStep, Explanation, Place, Slope
from autodiff.render.document.blocks import shortened_list
from autodiff.render.document.html import html
from autodiff.render.document.latex import latex
from autodiff.render.document.markdown import markdown
from autodiff.render.document.mathml import mathml
from autodiff.render.text.document import text
from autodiff.render.text.numbers import eight
from tests.support.command import PATIENCE, autodiff
from tests.support.paths import GOLDEN

MARKDOWN = GOLDEN / "explanation.md"
NEURON = "loss(y, p) = -(y*ln(p) + (1-y)*ln(1-p)); z = w*x + b; yhat = sigmoid(z); L = loss(y, yhat)"
SURVEY = "y = ln(x1) + x1*x2 - sin(x2)"
HOSTILE = "y = x^2 # </script><script>alert(1)</script> `ticks``` | $x$ \\end{document} \\input{x} %&~^_#{} \u202e \x00 <!-- ]]>"
NAMES = ("速度", "ŷ", "é", "𝑥", "a_b", "q\u0302", "ϡ", "ς", "ñandú", "Ж", "learning_rate", "x1", "θ_1", "ﬁ")
LONG = ["y0 = x^2", *(f"y{i + 1} = sin(y{i})*cos(y{i} + {i})" for i in range(200))]


@cache
def explanations() -> dict[str, Explanation]:
    neuron = {"w": 0.4, "b": -2.5, "x": 7.8, "y": 1.0}
    many = {f"x{i}": 0.1 * i for i in range(1, 41)}
    return {
        "chain": explain("y = x^2; z = sin(y); u = e^z", {"x": 4.0}),
        "neuron": explain(NEURON, neuron, ["w", "b"], rate=0.1),
        "paths": explain("f = x*sin(x^2)", {"x": 1.5}),
        "survey": explain(SURVEY, {"x1": 2.0, "x2": 5.0}),
        "both": explain("y = x^2; z = sin(y); u = e^z", {"x": 4.0}, mode="both"),
        "both, two": explain(SURVEY, {"x1": 2.0, "x2": 5.0}, mode="both"),
        "forward": explain(SURVEY, {"x1": 2.0, "x2": 5.0}, mode="forward"),
        "corners that cancel": explain("max(x,0) + log(1 + exp(-abs(x)))", {"x": 0.0}),
        "corner": explain("abs(x)*y", {"x": 0.0, "y": 2.0}),
        "corners": explain("max(abs(x), y) + relu(x)", {"x": 0.0, "y": 0.0}),
        "jump": explain("floor(x) + x", {"x": 2.0}),
        "infinite": explain("sqrt(x)", {"x": 0.0}),
        "convention": explain("relu(x)", {"x": 0.0}, convention="torch"),
        "no value": explain("log(x-3)*sqrt(x)", {"x": 2.0}),
        "symbols": explain("y = x^2; z = if(y > 1, leaky_relu(y), 2/3y)*rate*learning_rate; loss = log(z, 2)"),
        "symbols, paths": explain("f = x*sin(x^2)"),
        "doublings": explain(
            "x0 = x; " + "; ".join(f"a{i} = x{i}^2; x{i + 1} = x{i} + a{i}" for i in range(12)), {"x": 0.01}
        ),
        "long": explain("\n".join(LONG), {"x": 1.1}),
        "deep": explain("y0 = sin(x)\n" + "\n".join(f"y{i + 1} = sin(y{i})" for i in range(300)), {"x": 1.1}),
        "many": explain("*".join(many) + "+x1*x2", many),
        "names": explain(" + ".join(f"{name}^2" for name in NAMES), dict.fromkeys(NAMES, 1.5), NAMES[:4]),
        "hostile": explain(HOSTILE, {"x": 1e-7}),
        "constant": explain("2 + 3"),
    }


KINDS = tuple(explanations())


@pytest.fixture(params=KINDS)
def explanation(request: pytest.FixtureRequest) -> Explanation:
    return explanations()[request.param]


# What every format says


def _shown_steps(explanation: Explanation) -> Iterator[ChainStep]:
    """The steps that a page lists: of long lists both ends, of many names with several paths the first and the last."""
    names = shortened_list(list(dict.fromkeys(block.to for block in explanation.blocks)), most=3)
    listed = [block for block in explanation.blocks if block.to in names]
    most_steps = max(1, min(12, 36 // len(listed))) if listed and listed[0].path else 12
    for block in listed:
        yield from (step for step in shortened_list(block.steps, most=most_steps) if isinstance(step, ChainStep))


def _numbers(explanation: Explanation) -> Iterator[float | None]:
    """Those in the tables of a page."""
    if explanation.at is None:
        return
    held = len(explanation.forward) > 24
    places = [place for place in explanation.forward if not (held and place.kind == "held")]
    yield from (place.value for place in shortened_list(places) if isinstance(place, Place) and not place.why)
    if explanation.value is None:
        return
    if explanation.mode == "reverse":
        for step in _shown_steps(explanation):
            yield from (step.factor.value, step.so_far)
    else:
        for row in explanation.rows:
            yield from (row.value, *row.tangents.values())
            if explanation.mode == "both":
                yield row.adjoint
    for side in explanation.sides:
        ends_of = [(side.left, side.right), *((row.left, row.right) for row in side.trace)]
        yield from (number for pair in ends_of for number in pair if number is not None)
    if explanation.update:
        yield from (number for pair in explanation.update.names.values() for number in pair)
        yield from (explanation.update.before, explanation.update.after)


def _spelled(number: float | None) -> str:
    return "none" if number is None else eight(number)


@pytest.mark.parametrize("write", [html, markdown, latex])
def test_every_number_is_on_the_page_and_answers_in_full(write: object, explanation: Explanation) -> None:
    assert callable(write)
    page = write(explanation).replace(r"\infty", "inf").replace("∞", "inf")
    words = set(
        re.findall(r"(?<![\w.])-?(?:\d[\d.]*(?:e[-+]?\d+)?|inf|none)(?![\w.])", re.sub(r"\.(?=[\s<)])", " ", page))
    )
    assert {_spelled(number) for number in _numbers(explanation)} <= words
    if explanation.value is not None:
        answers = [slope for slope in shortened_list(explanation.slopes) if isinstance(slope, Slope)]
        assert {shown(slope.value) for slope in answers if slope.value is not None} <= words
        assert all("does not exist" in page or "none" in words for slope in answers if slope.value is None)


@pytest.mark.parametrize("write", [html, markdown, latex])
def test_the_blocks_come_in_the_order_of_the_text(write: object, explanation: Explanation) -> None:
    assert callable(write)
    titles = re.findall(r'class="title">([^<]+)<|^## (.+)$|^\\section\*\{(.+)\}$', write(explanation), re.MULTILINE)
    order = [
        "Forward", "Graph", "Corner", "Jump", "Infinite slope", "Unknown", "Both sides", "Both modes", "Tangents", "Backward", "Answer", "Notice",
        "Update", "Checked", "Means",
    ]  # fmt: skip
    places = [order.index("".join(title)) for title in titles]
    assert places == sorted(set(places))
    assert places[:2] == [0, 1]
    assert order.index("Answer") in places


def test_an_input_at_a_corner_has_no_adjoint() -> None:
    """The sweep goes on with a number there, which is the slope of nothing."""
    explanation = explain("abs(x)*y", {"x": 0.0, "y": 2.0}, mode="both")
    assert "| $x$ | 0 | 0 | none | none |" in markdown(explanation).splitlines()
    assert "Adjoints" not in markdown(explain("abs(x)*y", {"x": 0.0, "y": 2.0}))


@pytest.mark.parametrize("write", [text, markdown, latex, html])
def test_no_equals_sign_before_a_slope_that_does_not_exist(write: Callable[[Explanation], str]) -> None:
    page = re.sub("<[^>]*>", "", write(explanations()["corners"]))
    answers = [line for line in page.splitlines() if "does not exist:" in line]
    assert len(answers) >= 2
    assert not any("=" in line for line in answers)


@pytest.mark.parametrize("write", [html, markdown, latex])
def test_hundreds_of_steps_are_counted(write: object) -> None:
    assert callable(write)
    for kind in ("long", "deep", "doublings", "many"):
        page = write(explanations()[kind])
        assert len(page) < 400_000
    page = write(explanations()["deep"])
    assert re.search(r"⋮ 278 more steps", page), "302 places, 12 at either end"
    assert re.search(r"\b4,096 paths|4\{,\}096 paths", write(explanations()["doublings"]))


# HTML


def _tree(page: str) -> Element:
    """The page as XML: it is written so that only the void elements and the doctype are not."""
    return ElementTree.fromstring(re.sub(r"<!doctype html>|<meta [^>]*>", "", page))


def _tag(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def test_the_page_is_well_formed_and_titled(explanation: Explanation) -> None:
    page = html(explanation)
    assert page.startswith('<!doctype html>\n<html lang="en">')
    tree = _tree(page)
    title = tree.findtext("head/title") or ""
    assert explanation.result in title
    assert all(f"{explanation.result}/" in title and name in title for name in explanation.wrt[:2])
    identities = [element.get("id") for element in tree.iter() if element.get("id")]
    assert len(identities) == len(set(identities))
    for section in tree.iter("section"):
        assert section.get("aria-labelledby") in identities


def test_every_table_says_what_its_cells_are(explanation: Explanation) -> None:
    for table in _tree(html(explanation)).iter("table"):
        assert table.get("aria-label")
        heads = table.findall("thead/tr/th")
        assert all(head.get("scope") == "col" and "".join(head.itertext()) for head in heads)
        for row in table.findall("tbody/tr"):
            assert sum(int(cell.get("colspan", "1")) for cell in row) == len(heads)
            if row.get("class") != "more":
                assert row[0].tag == "th"
                assert row[0].get("scope") in ("row", "rowgroup")


def test_every_kind_of_table_has_its_style(explanation: Explanation) -> None:
    sheet = (Path(package.__file__).parent / "render" / "document" / "page.css").read_text(encoding="utf-8")
    for table in _tree(html(explanation)).iter("table"):
        assert re.search(rf"\.{table.get('class')}\b", sheet)


def test_nothing_can_come_from_elsewhere(explanation: Explanation) -> None:
    page = html(explanation)
    assert "default-src 'none'" in page
    tree = _tree(page)
    assert not {_tag(element) for element in tree.iter()} & {
        "script",
        "link",
        "img",
        "iframe",
        "object",
        "a",
        "use",
        "image",
    }
    attributes = {name for element in tree.iter() for name in element.attrib}
    assert not attributes & {"src", "href", "srcset", "action"}
    assert not any(name.startswith("on") for name in attributes)
    styles = "".join(element.text or "" for element in tree.iter() if _tag(element) == "style")
    assert not re.search(r"url\(|@import|https?:|expression", styles)


def test_what_the_user_wrote_is_no_markup() -> None:
    tree = _tree(html(explanations()["hostile"]))
    source = next(tree.iter("pre"))
    assert "</script><script>alert(1)</script>" in "".join(source.itertext())
    assert "\\u202e" in "".join(source.itertext())
    assert "\\x00" in "".join(source.itertext())


def test_every_number_carries_its_digits(explanation: Explanation) -> None:
    tree = _tree(html(explanation))
    exact = {data.get("value") for data in tree.iter("data")}
    for data in tree.iter("data"):
        assert data.get("title") == data.get("value")
        number = (data.text or "").replace("∞", "inf")
        assert number in (data.get("value"), eight(float(data.get("value") or "nan")))
    assert {shown(number) for number in _numbers(explanation) if number is not None} <= exact


def test_each_step_lights_the_arrow_that_it_is_about(explanation: Explanation) -> None:
    page = html(explanation)
    tree = _tree(page)
    arrows = {(arrow.source, arrow.target): number for number, arrow in enumerate(explanation.drawing.arrows)}
    expected = (
        []
        if explanation.mode != "reverse"
        else [str(arrows[s.factor.by, s.factor.of]) for s in _shown_steps(explanation)]
    )
    rows = [row.get("data-arrow") for row in tree.iter("tr") if row.get("data-arrow")]
    assert rows == expected
    assert all(row.get("tabindex") == "0" for row in tree.iter("tr") if row.get("data-arrow"))
    drawn = {
        e.get("id"): (e.get("data-source"), e.get("data-target"))
        for e in tree.iter()
        if e.get("data-source") is not None
    }
    for step in _shown_steps(explanation) if rows else ():
        number = arrows[step.factor.by, step.factor.of]
        assert f"main:has([data-arrow='{number}']:is(:hover,:focus)) #drawing-arrow-{number} path" in page
        if f"drawing-arrow-{number}" in drawn and step.factor.by.isascii():
            assert drawn[f"drawing-arrow-{number}"] == (step.factor.by, step.factor.of)


CORE = {"math", "mrow", "mi", "mn", "mo", "mtext", "mspace", "mfrac", "msqrt", "mroot", "msub", "msup", "msubsup", "mover", "mtable", "mtr", "mtd"}  # fmt: skip


def _slopes(row: Primitive) -> Explanation | None:
    """A row's function of names, in symbols; None where it is no function of its own."""
    names = ["x", "y", "z_1"][: row.arity]
    if row.branches or row.is_predicate:
        return None
    call = (
        f"{row.name}({', '.join(names)})"
        if row.name.isidentifier()
        else {1: f"{row.name}x", 2: f"x {row.name} y"}[row.arity]
    )
    try:
        return explain(call)
    except AutodiffError:  # an argument that must be constant, as the example has it
        return explain(row.example.replace("2)", "x)").replace("1)", "x)"))


PLAIN = [row for row in rules.rows() if row.kind == "elementwise"]
ROWS = [explain(row.example) for row in PLAIN] + [slopes for row in PLAIN if (slopes := _slopes(row))]


def _formulas(explanation: Explanation) -> Iterator[str]:
    yield explanation.title.tex
    yield from (place.tex for place in explanation.forward)
    yield from (step.factor.slope.tex for block in explanation.blocks for step in block.steps)
    yield from (slope.formula.tex for slope in explanation.slopes if slope.formula)


def test_every_row_of_the_table_is_drawn_in_mathml() -> None:
    formulas = {tex for explanation in (*ROWS, *explanations().values()) for tex in _formulas(explanation) if tex}
    assert len(formulas) > 250
    for tex in formulas:
        tree = ElementTree.fromstring(mathml(tex))
        for element in tree.iter():
            assert _tag(element) in CORE, tex
            text = element.text or ""
            assert not re.search(r"[\\&{}#]", text) or text == "{", tex
            assert len(element) or text or _tag(element) in ("mspace", "mrow", "mtd"), tex
        shown = "".join(tree.itertext())
        assert sorted(re.findall(r"\d", shown)) == sorted(re.findall(r"\d", tex))


@pytest.mark.parametrize("row", PLAIN, ids=lambda row: f"{row.name}-{row.arity}")
def test_every_row_of_the_table_has_its_pages(row: Primitive) -> None:
    for explanation in (explain(row.example), _slopes(row)):
        if explanation is not None:
            _tree(html(explanation))
            _check_tables(markdown(explanation))
            _check_latex(latex(explanation))


def test_words_and_signs_are_set_as_in_print() -> None:
    assert "<mi>leaky_relu</mi>" in mathml(r"\operatorname{leaky\_relu}\left(x\right)")
    assert "<mi>rate</mi><mspace" in mathml(r"\mathrm{rate} x")
    assert mathml(r"x \ln\left(y\right)").count("mspace") == 1
    assert '<mi mathvariant="normal">d</mi>' in mathml(r"\frac{\mathrm{d}u}{\mathrm{d}x}")
    assert mathml("x = -2").count('lspace="0"') == 1
    assert 'lspace="0"' not in mathml("x - 2")


# Markdown


def _golden() -> str:
    return markdown(explanations()["neuron"]) + "\n" + markdown(explanations()["symbols, paths"])


def test_the_markdown_is_the_recorded_one() -> None:
    if os.environ.get("UPDATE_GOLDEN"):
        MARKDOWN.write_text(_golden(), encoding="utf-8")
    assert _golden() == MARKDOWN.read_text(encoding="utf-8")


def _check_tables(page: str) -> None:
    """Every row of a table has as many cells as its head, and no formula holds what Markdown would read as its own."""
    wide = 0
    fence = ""
    for line in page.splitlines():
        if marks := re.match(r"`{3,}", line):
            fence = "" if line == fence else fence or marks[0]
            wide = 0
        elif not fence and line.startswith("|"):
            cells = len(re.findall(r"(?<!\\)\|", line)) - 1
            wide = wide or cells
            assert cells == wide, line
        else:
            wide = 0
        if not fence:
            _check_formulas(line)
    assert not fence


def _check_formulas(line: str) -> None:
    bare = re.sub(r"\$`.*?`\$|`+.*?`+", "", re.sub(r"\\[$`]", "", line))
    assert bare.count("$") % 2 == 0, line
    for inside in re.findall(r"\$([^$]*)\$", bare):
        assert not re.search(r"[`*|<>~&]|\\[^A-Za-z ]|(?<![A-Za-z0-9])_", inside), line
        assert inside.count("{") == inside.count("}")


def test_markdown_tables_and_formulas_hold_together(explanation: Explanation) -> None:
    page = markdown(explanation)
    _check_tables(page)
    assert page.count("```mermaid\n") == 1
    assert page.startswith("# ")


def test_what_the_user_wrote_is_no_markdown() -> None:
    page = markdown(explanations()["hostile"])
    fence = re.search(r"^(`{4,})\n(.*\n)\1$", page, re.MULTILINE)
    assert fence
    assert "</script>" in fence[2]
    assert "</script>" not in page.replace(fence[0], "")
    assert r"leaky\_relu" not in re.sub(
        r"\$`[^`]*`\$|```.*?```", "", markdown(explanations()["symbols"]), flags=re.DOTALL
    )


# LaTeX


def _check_latex(page: str) -> None:
    """What can be seen without LaTeX: groups and environments close, and signs beyond ASCII are declared."""
    head, _, body = page.partition(r"\begin{document}")
    plain = re.sub(r"\\[\\{}]", "", body)
    assert plain.count("{") == plain.count("}")
    opened = re.findall(r"\\(begin|end)\{(\w+)\}", page)
    depth: list[str] = []
    for kind, name in opened:
        if kind == "begin":
            depth.append(name)
        else:
            assert depth.pop() == name
    assert not depth
    declared = {int(code, 16) for code in re.findall(r"DeclareUnicodeCharacter\{([0-9A-F]+)\}", head)}
    assert {ord(sign) for sign in body if not sign.isascii()} == declared
    assert head.isascii()


def test_the_document_holds_together(explanation: Explanation) -> None:
    page = latex(explanation)
    _check_latex(page)
    assert page.endswith("\\end{document}\n")
    assert page.count(r"\end{document}") == 1, "the user's own is escaped"
    assert r"\input" not in page


PDFLATEX = shutil.which("pdflatex")


def _compiled(pages: list[str], folder: Path) -> None:
    """All documents as one, which pdflatex must take without a stop."""
    assert PDFLATEX
    preamble = pages[0].partition(r"\begin{document}")[0].partition(r"\ifdefined\Declare")[0]
    declared = {line for page in pages for line in page.splitlines() if line.startswith(r"\DeclareUnicodeCharacter")}
    bodies = [page.partition(r"\begin{document}")[2].partition(r"\end{document}")[0] for page in pages]
    text = "\n".join([preamble, *sorted(declared), r"\begin{document}", *bodies, r"\end{document}"])
    (folder / "pages.tex").write_text(text, encoding="utf-8")
    done = subprocess.run(
        [PDFLATEX, "-interaction=nonstopmode", "-halt-on-error", "pages.tex"],
        cwd=folder, capture_output=True, text=True, errors="replace", timeout=PATIENCE,
    )  # fmt: skip
    assert done.returncode == 0, (
        "\n".join(re.findall(r"^!.*(?:\n.*){4}", done.stdout, re.MULTILINE)) + done.stdout[-500:]
    )
    assert "Missing character" not in done.stdout
    assert not re.search(r"Overfull \\hbox \([5-9]\d\.|Overfull \\hbox \(\d{3}", done.stdout), "a line leaves the page"


@pytest.mark.skipif(not PDFLATEX, reason="no pdflatex: install texlive-latex-base and texlive-latex-recommended")
def test_pdflatex_compiles_every_row_of_the_table(tmp_path: Path) -> None:
    _compiled([latex(explanation) for explanation in ROWS], tmp_path)


@pytest.mark.skipif(not PDFLATEX, reason="no pdflatex: install texlive-latex-base and texlive-latex-recommended")
def test_pdflatex_compiles_every_kind_of_explanation(tmp_path: Path) -> None:
    _compiled([latex(explanation) for explanation in explanations().values()], tmp_path)


# The command


@pytest.mark.parametrize(
    ("form", "begin"), [("html", "<!doctype html>"), ("markdown", "# $"), ("latex", r"\documentclass")]
)
def test_the_command_writes_each_format(form: str, begin: str) -> None:
    done = autodiff("explain", "x*sin(x^2)", "--at", "x=1.5", "--format", form)
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith(begin)
    hard = autodiff("explain", "abs(x)", "--at", "x=0", "--format", form)
    assert hard.status == package.errors.HARD_POINT
    assert hard.out.startswith(begin)


# The browser

BROWSER = os.environ.get("AUTODIFF_PLAYWRIGHT", "")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
OPEN = """
import { chromium } from "playwright-core";
import { readFileSync } from "node:fs";
const { executable, files, folder } = JSON.parse(readFileSync(0, "utf8"));
const browser = await chromium.launch({ executablePath: executable, args: ["--no-sandbox"] });
const explanation = [];
for (const [name, file] of Object.entries(files)) for (const colorScheme of ["light", "dark"]) for (const width of [400, 1200]) {
  const context = await browser.newContext({ viewport: { width, height: 800 }, colorScheme });
  const page = await context.newPage();
  const requests = [], messages = [];
  page.on("request", (request) => requests.push(request.url()));
  page.on("console", (message) => messages.push(message.text()));
  page.on("pageerror", (error) => messages.push(String(error)));
  await page.goto("file://" + file);
  const seen = await page.evaluate(() => {
    const inks = (cell) => { const range = document.createRange(); range.selectNodeContents(cell); return range.getBoundingClientRect(); };
    const overlaps = [];
    for (const words of document.querySelectorAll(".hidden")) words.style.display = "none";  // for ears only, and long
    for (const row of document.querySelectorAll("tr")) {
      const head = row.closest("thead");
      if (head && head.getBoundingClientRect().width < 2) continue;  // on a phone a head is for ears only
      const boxes = [...row.children].map(inks).filter((box) => box.width > 0 && box.height > 0);
      boxes.forEach((one, i) => boxes.slice(i + 1).forEach((two) => {
        if (Math.min(one.right, two.right) - Math.max(one.left, two.left) > 1
          && Math.min(one.bottom, two.bottom) - Math.max(one.top, two.top) > 1) overlaps.push(row.textContent);
      }));
    }
    const scrolls = (element) => element && (["auto", "scroll"].includes(getComputedStyle(element).overflowX) || scrolls(element.parentElement));
    const cut = [...document.querySelectorAll("main *")].filter((element) => !element.closest(".hidden, thead, svg, math")
      && element.getBoundingClientRect().right > innerWidth + 1 && !scrolls(element)).map((element) => element.outerHTML.slice(0, 200));
    const whole = (innerWidth > 1000 ? ".short h1, " : "") + ".scroll:has(> :is(.modes, .update))";
    const scrolled = [...document.querySelectorAll(whole)].filter((element) => element.scrollWidth > element.clientWidth + 1).map((element) => element.textContent);
    return { wide: document.documentElement.scrollWidth, overlaps, cut, scrolled, paper: getComputedStyle(document.body).backgroundColor };
  });
  let lit = null;
  const row = page.locator("tr[data-arrow]").first();
  if (width > 400 && colorScheme === "light" && await row.count()) {
    const number = await row.getAttribute("data-arrow");
    const path = page.locator(`#drawing-arrow-${number} path`).first();
    if (await path.count()) {
      const bold = async () => { await page.waitForTimeout(200); return path.evaluate((e) => getComputedStyle(e).strokeWidth); };
      const before = await bold();
      await row.hover();
      const pointed = await bold();
      await page.mouse.move(0, 0);
      await row.focus();
      const focused = await bold();
      await row.blur();
      const plain = await row.evaluate((e) => getComputedStyle(e).backgroundColor);
      await page.locator(`#drawing-arrow-${number} .plate`).first().hover({ force: true });
      lit = [before, pointed, focused, plain, await row.evaluate((e) => getComputedStyle(e).backgroundColor)];
    }
  }
  const picture = await page.screenshot({ fullPage: true, path: `${folder}/${name}-${colorScheme}-${width}.png` });
  explanation.push({ name, colorScheme, width, requests: requests.filter((url) => url !== "file://" + file), messages, ...seen, lit, size: picture.length });
  await context.close();
}
await browser.close();
console.log(JSON.stringify(explanation));
"""


def _opened(pages: dict[str, str], folder: Path) -> list[dict[str, object]]:
    files = {}
    for number, (name, page) in enumerate(pages.items()):
        files[name] = str(folder / f"{number}.html")
        Path(files[name]).write_text(page, encoding="utf-8")
    request = json.dumps({"executable": CHROMIUM, "files": files, "folder": str(folder)})
    done = subprocess.run(
        ["node", "--input-type=module", "-e", OPEN],
        cwd=BROWSER,
        input=request,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stderr
    seen: list[dict[str, object]] = json.loads(done.stdout)
    return seen


in_a_browser = pytest.mark.skipif(
    not BROWSER or not CHROMIUM or not shutil.which("node"),
    reason="needs node, Chromium, and AUTODIFF_PLAYWRIGHT naming a folder with playwright-core from npm",
)


@in_a_browser
def test_a_browser_shows_every_page_whole_and_asks_for_nothing(tmp_path: Path) -> None:
    seen = _opened({name: html(explanation) for name, explanation in explanations().items()}, tmp_path)
    assert len(seen) == 4 * len(KINDS)
    for page in seen:
        assert page["requests"] == [], page
        assert page["messages"] == [], page
        assert page["wide"] == page["width"], page
        assert page["overlaps"] == [], page
        assert page["cut"] == [], page
        assert page["scrolled"] == [], page
        assert isinstance(page["size"], int)
        assert page["size"] > 10_000
        if page["lit"] is not None:
            assert isinstance(page["lit"], list)
            before, pointed, focused, plain, lit = page["lit"]
            assert (before, pointed, focused) == ("1.75px", "4.5px", "4.5px"), page
            assert plain != lit, page
    assert sum(page["lit"] is not None for page in seen) > 8
    papers = {scheme: {page["paper"] for page in seen if page["colorScheme"] == scheme} for scheme in ("light", "dark")}
    assert len(papers["light"]) == len(papers["dark"]) == 1
    assert papers["light"] != papers["dark"]


@in_a_browser
def test_the_watch_sees_a_request_a_message_and_an_overflow_where_they_are(tmp_path: Path) -> None:
    page = html(explanations()["chain"])
    bad = page.replace("<main>", '<main><img src="file:///none.png"><p style="width:2000px">wide</p>')
    loose = bad.replace("default-src 'none'; ", "")
    strict, free = (_opened({"page": text}, tmp_path)[0] for text in (bad, loose))
    assert strict["messages"], "the policy refuses the picture, and the console says so"
    assert free["requests"] == ["file:///none.png"]
    assert strict["wide"] != strict["width"]
    assert strict["cut"]


@pytest.mark.parametrize(
    ("form", "written"), [("markdown", "| none | -∞ |"), ("latex", r"& $-\infty$ &"), ("html", ">-∞</data>")]
)
def test_an_infinite_slope_is_written_as_people_write_it(form: str, written: str) -> None:
    page = autodiff("explain", "sin(y^y) + y", "--at", "y=0", "--format", form).out
    assert written in page
    assert re.search(r"\| -?inf\b|\$-?inf|>-?inf<", page) is None
