"""Drawings show the graph: every name once, every arrow or its count, nothing cut, nothing overlapping.

`golden/drawings.txt` holds the four drawings of the design at three widths; `UPDATE_GOLDEN=1 pytest tests/render/test_graph_drawings.py`
writes it anew, then read what changed. `AUTODIFF_MERMAID` names a folder with `mermaid` and `jsdom` from npm.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autodiff.errors import columns, shortened
from autodiff.explanation.graph import Arrow, Drawing, Vertex
from autodiff.render.graph.dot import dot
from autodiff.render.graph.mermaid import mermaid
from autodiff.render.graph.sugiyama import arrange, coordinates
from autodiff.render.graph.svg import svg
from autodiff.render.graph.text import lines as styled_lines
from autodiff.render.text.elide import GAP, elide
from autodiff.render.text.layout import plain_lines
from autodiff.render.text.numbers import eight, short
from tests.support.command import PATIENCE
from tests.support.drawings import FOUR, NAMES, chain, drawing, fan
from tests.support.paths import GOLDEN

DRAWINGS = GOLDEN / "drawings.txt"
WIDTHS = (40, 80, 120)
RANDOM = [drawing(seed) for seed in range(120)]
DENSE = [drawing(seed, 40, least=30, density=0.5) for seed in range(4)]
WEIRD = [
    Drawing(
        (Vertex("x", "x", "input", 1.0), Vertex(name, f"{name}!", "result", 2.0)), (Arrow("x", name, name, 3.0),), name
    )
    for name in NAMES
]


# Text


def text(graph: Drawing, width: int, *, unicode: bool = True) -> list[str]:
    return plain_lines(styled_lines(graph, width, unicode=unicode)).split("\n")


def _golden() -> str:
    blocks = []
    for name, graph in FOUR.items():
        for width in WIDTHS:
            for unicode in (True, False):
                lines = text(graph, width, unicode=unicode)
                blocks.append("\n".join([f"=== {name}, {width} columns{'' if unicode else ', ASCII'}", *lines, ""]))
    return "\n".join(blocks)


def test_the_drawings_are_the_recorded_ones() -> None:
    if os.environ.get("UPDATE_GOLDEN"):
        DRAWINGS.write_text(_golden(), encoding="utf-8")
    assert _golden() == DRAWINGS.read_text(encoding="utf-8")


@pytest.mark.parametrize("width", [40, *WIDTHS, 200])
@pytest.mark.parametrize("unicode", [True, False])
def test_no_line_is_wider_than_the_screen_and_no_number_is_cut(width: int, unicode: bool) -> None:
    for graph in (*FOUR.values(), *RANDOM, *DENSE, *WEIRD, chain(5000), fan(10_000)):
        lines = text(graph, width, unicode=unicode)
        assert len(lines) <= 200
        assert all(columns(line) <= width for line in lines)
        assert all(line.isprintable() and line == line.rstrip() for line in lines)
        if not unicode:
            assert all(line.isascii() for line in lines)
        cut = elide(graph).drawing
        words = Counter(word for line in lines for word in line.split())
        values = Counter(short(vertex.value) for vertex in cut.vertices if vertex.value is not None)
        assert all(words[value] >= count for value, count in values.items())


@pytest.mark.parametrize("width", [80, 200])
def test_every_vertex_is_named_once_in_its_own_colour(width: int) -> None:
    for graph in (*FOUR.values(), *RANDOM):
        without_symbols = replace(graph, arrows=tuple(replace(arrow, slope="") for arrow in graph.arrows))
        drawn = styled_lines(without_symbols, width)
        for vertex in graph.vertices:
            own = [words for line in drawn for words, style in line if style == f"@{vertex.name}"]
            heads = " ".join(words for words in own if not re.match(r"   \S+ ─▶ ", words))
            assert len(re.findall(rf"(?<!\w){vertex.name}(?!\w)", heads)) == 1
        unowned = "".join(words for line in drawn for words, style in line if not style)
        assert not re.search("[─│┌┐└┘├┤┬┴┼▶●○]", unowned)
        assert {style for line in drawn for _, style in line} <= {"", *(f"@{vertex.name}" for vertex in graph.vertices)}


@pytest.mark.parametrize("graph", [*RANDOM[:60], *DENSE], ids=lambda graph: str(len(graph.arrows)))
def test_lanes_join_each_vertex_with_its_arguments(graph: Drawing) -> None:
    """The lanes that meet a mark, from the side or from above, are all those of its arguments, and no lane changes its owner."""
    cut = elide(graph)
    sources: dict[str, set[str]] = {vertex.name: set() for vertex in cut.drawing.vertices}
    for arrow in cut.drawing.arrows:
        sources[arrow.target].add(arrow.source)
    before: list[tuple[str, str]] = []
    for line in styled_lines(graph, 200):
        cells = [(sign, style[1:]) for words, style in line for sign in words][:34:2]
        for above, (sign, owner) in zip(before, cells, strict=False):
            if sign in "│├┤┼└┘┴":
                assert above[0] in "│├┤┼●⋮"
                assert above[1] == owner
        mark = next((at for at, (sign, _) in enumerate(cells) if sign in "●○⋮"), None)
        if mark is not None and (name := cells[mark][1]):
            running = {owner for sign, owner in before if sign in "│├┤┼●⋮"}
            joining = {owner for sign, owner in cells if sign in "├┤┼└┘┴"}
            if (mark < len(before) and before[mark][0] in "│├┤┼") or before[mark : mark + 1] == [("⋮", cut.gap)]:
                joining.add(before[mark][1])
            assert joining == running & sources[name]
        before = cells


@pytest.mark.parametrize("graph", [*RANDOM, *DENSE, chain(5000), fan(10_000)], ids=lambda graph: str(len(graph.arrows)))
def test_a_list_shows_or_counts_every_vertex_and_every_arrow(graph: Drawing) -> None:
    drawn = text(graph, 60)
    counted = Counter[str]()
    for line in drawn:
        for number, what in re.findall(r"([\d,]+) more (step|arrow)s?", line):
            counted[what] += int(number.replace(",", ""))
    assert sum("●" in line or "○" in line for line in drawn) + counted["step"] == len(graph.vertices)
    assert sum("─▶" in line for line in drawn) + counted["arrow"] == len(graph.arrows)


def test_ascii_keeps_the_names_that_colours_go_by() -> None:
    styles = {style for line in styled_lines(FOUR["neuron"], 80, unicode=False) for _, style in line}
    assert styles == {"", *(f"@{vertex.name}" for vertex in FOUR["neuron"].vertices)}


# Large drawings


@pytest.mark.parametrize("most", [4, 5, 40])
@pytest.mark.parametrize("graph", [chain(3), chain(300), fan(300), *RANDOM[:30], *DENSE])
def test_what_is_left_out_is_counted(graph: Drawing, most: int) -> None:
    cut = elide(graph, most)
    kept = [vertex for vertex in cut.drawing.vertices if vertex.kind != GAP]
    whole = [arrow for arrow in cut.drawing.arrows if cut.gap not in (arrow.source, arrow.target)]
    assert len(kept) + cut.steps == len(graph.vertices)
    assert len(whole) + cut.arrows == len(graph.arrows)
    assert [graph.arrows[number] for number in cut.kept] == whole
    place = {vertex.name: at for at, vertex in enumerate(cut.drawing.vertices)}
    assert all(place[arrow.source] < place[arrow.target] for arrow in cut.drawing.arrows)


@pytest.mark.parametrize("draw", [lambda d: text(d, 80), svg, dot, mermaid], ids=["text", "svg", "dot", "mermaid"])
def test_large_drawings_are_short(draw: Callable[[Drawing], str | list[str]]) -> None:
    same = Drawing((Vertex("x", "x", "input"), Vertex("y", "f(x)", "result")), (Arrow("x", "y"),) * 10_000)
    for graph in (
        chain(5000),
        fan(10_000),
        drawing(1, 10_000, least=10_000),
        drawing(2, 40, least=40, density=1.0),
        same,
    ):
        drawn = draw(graph)
        assert draw is svg or len(drawn if isinstance(drawn, list) else drawn.splitlines()) <= 200


# Layout


def test_parts_keep_their_order_and_their_distance() -> None:
    for graph in (*RANDOM, *DENSE):
        parts = arrange(graph)
        x = coordinates(parts, lambda left, right: 1.0 + left % 3)
        for layer in parts.layers:
            for left, right in pairwise(layer):
                assert x[right] - x[left] >= 1.0 + left % 3 - 1e-6
        for path in parts.paths:
            assert [parts.parts[part].layer for part in path] == list(
                range(parts.parts[path[0]].layer, parts.parts[path[-1]].layer + 1)
            )


# SVG

SVG = "{http://www.w3.org/2000/svg}"
Box = tuple[float, float, float, float]


def _boxes(root: ElementTree.Element, kind: str) -> list[Box]:
    graph = []
    for group in root.iter(f"{SVG}g"):
        if group.attrib["class"].split()[0] == kind:
            for rect in group.iter(f"{SVG}rect"):
                x, y, w, h = (float(rect.attrib[key]) for key in ("x", "y", "width", "height"))
                graph.append((x, y, x + w, y + h))
    return graph


def _apart(one: Box, other: Box) -> bool:
    return one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]


@pytest.mark.parametrize(
    "graph", [*FOUR.values(), *RANDOM, *DENSE, *WEIRD, chain(100), fan(50)], ids=lambda f: f.title[:9]
)
def test_svg_boxes_and_labels_lie_apart_inside_the_sheet_and_arrows_run_down(graph: Drawing) -> None:
    root = ElementTree.fromstring(svg(graph))
    _, _, width, height = map(float, root.attrib["viewBox"].split())
    boxes, plates = _boxes(root, "box"), _boxes(root, "arrow")
    frames = [*boxes, *plates]
    assert all(_apart(one, other) for at, one in enumerate(frames) for other in frames[:at])
    assert all(x >= 0 and y >= 0 and right <= width and bottom <= height for x, y, right, bottom in frames)
    arrows = [group for group in root.iter(f"{SVG}g") if group.attrib["class"].startswith("arrow")]
    for arrow in arrows:
        ways = [re.findall(r"-?[\d.]+", path.attrib["d"]) for path in arrow.iter(f"{SVG}path")]
        line, head = ([float(number) for number in numbers] for numbers in ways)
        assert line[1] < line[-1] < head[1]
        assert head[1] in [box[1] for box in boxes]
        assert all(_apart(plate, (head[0] - 4.5, head[1] - 9, head[0] + 4.5, head[1])) for plate in plates)
    cut = elide(graph)
    assert len(arrows) == len(cut.drawing.arrows)
    assert len(boxes) == len(cut.drawing.vertices)
    names = [group.attrib["data-name"] for group in root.iter(f"{SVG}g") if "data-name" in group.attrib]
    assert names == [
        shown if (shown := vertex.name).isprintable() else names[at] for at, vertex in enumerate(cut.drawing.vertices)
    ]


def test_svg_identifiers_are_unique_and_count_as_the_drawing_does() -> None:
    twice = Drawing(FOUR["chain"].vertices, FOUR["chain"].arrows * 2)
    for graph in (*FOUR.values(), *RANDOM, chain(100), twice):
        identifiers = re.findall(r' id="([^"]*)"', svg(graph, "page-2"))
        assert len(identifiers) == len(set(identifiers))
    survey = FOUR["survey"]
    for number, arrow in enumerate(survey.arrows):
        assert f'id="drawing-arrow-{number}" data-source="{arrow.source}" data-target="{arrow.target}"' in svg(survey)
    assert 'id="drawing-arrow-98" data-source="v98"' in svg(chain(100))


def test_svg_asks_for_nothing_and_runs_nothing() -> None:
    for graph in WEIRD:
        root = ElementTree.fromstring(svg(graph))
        assert {element.tag.removeprefix(SVG) for element in root.iter()} == {
            "svg",
            "title",
            "style",
            "rect",
            "g",
            "path",
            "text",
            "tspan",
        }
        assert not any(name.startswith("on") or name.endswith("href") for e in root.iter() for name in e.attrib)
        assert not re.search(r"url\(|@import", svg(graph))


@pytest.mark.skipif(not shutil.which("chromium"), reason="chromium is not installed")
def test_svg_text_is_narrower_than_its_frame_in_a_browser(tmp_path: Path) -> None:
    page = "".join(svg(graph, f"d{at}") for at, graph in enumerate((*FOUR.values(), *RANDOM[:20], *WEIRD)))
    script = """<script>addEventListener("load", () => { const wide = []; let seen = 0;
      for (const text of document.querySelectorAll("g > text")) { seen++;
        const inner = text.getBBox(), outer = text.parentNode.querySelector("rect").getBBox();
        if (inner.x < outer.x || inner.x + inner.width > outer.x + outer.width || inner.y < outer.y
            || inner.y + inner.height > outer.y + outer.height) wide.push(text.textContent); }
      document.body.innerHTML = ""; document.body.dataset.found = JSON.stringify({seen, wide}); });</script>"""
    (tmp_path / "page.html").write_text(f"<!doctype html><meta charset=utf-8><body>{page}{script}", encoding="utf-8")
    done = subprocess.run(
        ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", f"--user-data-dir={tmp_path}/profile",
         "--dump-dom", (tmp_path / "page.html").as_uri()],
        capture_output=True, text=True, timeout=PATIENCE,
    )  # fmt: skip
    result = re.search(r'data-found="([^"]*)"', done.stdout)
    assert result, done.stderr[-500:]
    measured = json.loads(result[1].replace("&quot;", '"'))
    assert measured["seen"] > 400
    assert measured["wide"] == []


# DOT and Mermaid


@pytest.mark.skipif(not shutil.which("dot"), reason="graphviz is not installed")
def test_graphviz_reads_every_name_as_it_is() -> None:
    everything = Drawing(
        tuple(Vertex(name, name, "step", 1.5) for name in NAMES),
        tuple(Arrow(NAMES[0], name, name, 2.0) for name in NAMES[1:]),
    )  # fmt: skip
    for graph in (*FOUR.values(), *RANDOM[:10], *WEIRD, everything, chain(100), chain(1), Drawing((), ())):
        done = subprocess.run(["dot", "-Tsvg"], input=dot(graph).encode(), capture_output=True, timeout=PATIENCE)
        assert (done.returncode, done.stderr) == (0, b"")
        root = ElementTree.fromstring(done.stdout)
        cut = elide(graph).drawing
        assert sum(group.get("class") == "node" for group in root.iter(f"{SVG}g")) == len(cut.vertices)
        assert sum(group.get("class") == "edge" for group in root.iter(f"{SVG}g")) == len(cut.arrows)
        words = {" ".join((element.text or "").split()) for element in root.iter(f"{SVG}text")}
        for vertex in cut.vertices:
            if vertex.kind != GAP:
                assert any(shortened(vertex.name, 60) in word for word in words), vertex.name


MERMAID = """
import { createRequire } from "node:module"; import { pathToFileURL } from "node:url";
const require = createRequire(process.cwd() + "/");
const { JSDOM } = require("jsdom");
const page = new JSDOM("<body></body>"); globalThis.window = page.window; globalThis.document = page.window.document;
const { default: mermaid } = await import(pathToFileURL(process.cwd() + "/node_modules/mermaid/dist/mermaid.core.mjs"));
let text = ""; for await (const chunk of process.stdin) text += chunk;
const read = [];
for (const drawing of JSON.parse(text)) {
  await mermaid.parse(drawing);
  const { db } = await mermaid.mermaidAPI.getDiagramFromText(drawing);
  read.push([[...db.getVertices().values()].map(v => v.text), db.getEdges().map(e => [e.start, e.end, e.text])]);
}
console.log(JSON.stringify(read));
"""


@pytest.mark.skipif(
    not os.environ.get("AUTODIFF_MERMAID"), reason="AUTODIFF_MERMAID names no folder with mermaid from npm"
)
def test_mermaid_reads_every_name_as_it_is() -> None:
    drawings = (*FOUR.values(), *RANDOM[:10], *WEIRD, chain(100), chain(1), Drawing((), ()))
    done = subprocess.run(
        ["node", "--input-type=module", "-e", MERMAID],
        cwd=os.environ["AUTODIFF_MERMAID"], input=json.dumps([mermaid(graph) for graph in drawings]),
        capture_output=True, text=True, timeout=PATIENCE,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for graph, (vertices, edges) in zip(drawings, json.loads(done.stdout), strict=True):
        cut = elide(graph).drawing
        numbers = {vertex.name: f"v{at}" for at, vertex in enumerate(cut.vertices)}
        assert [(start, end) for start, end, _ in edges] == [(numbers[a.source], numbers[a.target]) for a in cut.arrows]
        # Mermaid keeps #60; as ﬂ°°60¶ß until it writes the picture
        read = [re.sub("ﬂ°°(\\d+)¶ß", lambda m: chr(int(m[1])), vertex) for vertex in vertices]
        for vertex, shown_vertex in zip(cut.vertices, read, strict=True):
            assert vertex.kind == GAP or shown_vertex.startswith(shortened(vertex.name, 60))


# Numbers

FINITE = st.floats(allow_nan=False, allow_infinity=False)


@given(FINITE | st.integers(-(10**12), 10**12).map(float) | st.decimals(-1000, 1000, places=3).map(float))
@pytest.mark.parametrize(("write", "places"), [(short, 5), (eight, 8)])
def test_a_number_that_looks_exact_is(write: Callable[[float], str], places: int, number: float) -> None:
    text = write(number)
    digits = text.lstrip("-").partition("e")[0]
    decimals = len(digits.partition(".")[2])
    assert decimals <= places
    assert len(text) <= 2 + 9 + 1 + places
    assert "e" in text or abs(number) < 1e9 + 1
    exponent = int(text.partition("e")[2] or 0)
    if decimals < places:
        assert float(text) == pytest.approx(number, rel=1e-15, abs=0)
    elif abs(number) < 1e308:
        assert abs(float(text) - number) <= 0.500001 * 10.0 ** (exponent - places)


@pytest.mark.parametrize(
    ("number", "five", "longer"),
    [
        (0.0, "0", "0"), (-0.0, "0", "0"), (8.0, "8", "8"), (-2.5, "-2.5", "-2.5"), (0.1 + 0.2, "0.3", "0.3"),
        (-0.28790331666506533, "-0.28790", "-0.28790332"), (1 + 1e-9, "1.00000", "1.00000000"), (5e-4, "0.0005", "0.0005"),
        (0.00012345678, "1.23457e-04", "0.00012346"), (10000000.53515625, "10000000.53516", "10000000.53515625"), (1e300, "1e+300", "1e+300"), (5e-324, "5e-324", "5e-324"),
        (1234567890.5, "1.23457e+09", "1.23456789e+09"), (999999999.0, "999999999", "999999999"), (float("inf"), "inf", "inf"),
    ],
)  # fmt: skip
def test_numbers_are_written_as_people_do(number: float, five: str, longer: str) -> None:
    assert (short(number), eight(number)) == (five, longer)


def test_a_drawing_in_ascii_keeps_names_apart() -> None:
    one, other = Vertex("ŷ", "ŷ", "input", 1.0), Vertex("\\u0177", "ŷ", "result", 2.0)
    lines = text(Drawing((one, other), (Arrow("ŷ", "\\u0177", "1", 1.0),)), 80, unicode=False)
    assert "\\u0177 " in lines[1]
    assert lines[1].endswith("\\u0177 -> \\u0177_  1")


def test_an_input_without_a_slope_is_marked_as_held() -> None:
    graph = replace(FOUR["neuron"], arrows=FOUR["neuron"].arrows[:1])
    assert any("(held)" in line for line in text(graph, 60))
