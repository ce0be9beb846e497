"""`-o FILE` writes what the file's ending says, whole or not at all; `--open` shows it; pictures run down or to the right."""

from __future__ import annotations

import itertools
import json
import re
import webbrowser
from pathlib import Path
from xml.etree import ElementTree

import pytest

from autodiff.cli.main import run
from tests.support.command import autodiff

CHAIN = ["y = x^2; z = sin(y); u = e^z", "--at", "x=4"]


@pytest.mark.parametrize(
    ("command", "ending", "begin"),
    [
        ("explain", ".html", "<!doctype html>"),
        ("explain", ".md", "# "),
        ("explain", ".tex", r"\documentclass"),
        ("explain", ".json", '{"result": "u"'),
        ("explain", ".txt", " u = e^sin(x^2)"),
        ("graph", ".svg", "<svg "),
        ("graph", ".dot", "digraph {"),
        ("graph", ".gv", "digraph {"),
        ("graph", ".mmd", "flowchart TD"),
        ("graph", ".tex", r"\documentclass[border=4pt]{standalone}"),
        ("graph", ".json", '{"vertices"'),
        ("graph", ".txt", "●    x"),
        ("export", ".py", '"""Value and gradient'),
        ("export", ".c", "/*"),
    ],
)
def test_the_ending_says_the_format(command: str, ending: str, begin: str, tmp_path: Path) -> None:
    path = tmp_path / f"answer{ending}"
    ended = autodiff(command, *(CHAIN if command != "export" else ["exp(x)"]), "-o", str(path))
    assert (ended.status, ended.out) == (0, ""), ended.err
    assert path.read_text(encoding="utf-8").lstrip().startswith(begin.lstrip())
    assert path.read_text(encoding="utf-8").endswith("\n")
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["explain", "x^2", "-o", "a.xyz"], "does not tell its format"),
        (["explain", "x^2", "-o", "a.md", "--format", "html"], "don't go together"),
        (["explain", "x^2", "--fragment"], "--fragment belongs to LaTeX"),
        (["explain", "x^2", "--format", "json", "--open"], "a browser does not show json"),
        (["export", "x^2"], "the language is missing"),
        (["graph", "x^2", "-o", "/nowhere/a.svg"], "can't write"),
    ],
)
def test_what_does_not_fit_is_an_error(words: list[str], message: str) -> None:
    ended = autodiff(*words)
    assert ended.status != 0
    assert message in ended.err


def test_a_program_is_not_written_over(tmp_path: Path) -> None:
    path = tmp_path / "program.txt"
    path.write_text("x^2")
    ended = autodiff("explain", "-f", str(path), "-o", str(path))
    assert ended.status == 2
    assert path.read_text() == "x^2"


def test_open_shows_the_page_or_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    shown: list[str] = []

    def show(url: str) -> bool:
        shown.append(url)
        return True

    monkeypatch.setattr(webbrowser, "open", show)
    assert run(["explain", *CHAIN, "--open"]) == 0
    assert run(["graph", *CHAIN, "--open", "-o", str(tmp_path / "a.svg")]) == 0
    assert shown[0].endswith("/autodiff.html")
    assert Path(shown[0].removeprefix("file://")).read_text(encoding="utf-8").startswith("<!doctype html>")
    assert shown[1] == (tmp_path / "a.svg").resolve().as_uri()


def test_the_arrows_go_to_the_right() -> None:
    words = ["graph", "x*sin(x^2)", "--at", "x=1.5", "--direction", "right", "--format"]
    assert "rankdir=LR" in autodiff(*words, "dot").out
    assert autodiff(*words, "mermaid").out.startswith("flowchart LR")
    picture = ElementTree.fromstring(autodiff(*words, "svg").out)
    boxes = {group.get("data-name"): group.find("{*}rect") for group in picture.iter("{http://www.w3.org/2000/svg}g")}
    places = [float(boxes[name].get("x", "")) for name in ("x", "v1", "v2", "f")]  # type: ignore[union-attr]
    assert places == sorted(places)
    assert len(set(places)) == 4
    nodes = dict(re.findall(r"\\node\[box[^]]*\] \(v(\d)\) at \(([-\d.]+),", autodiff(*words, "tikz").out))
    ends = [float(nodes[number]) for number in "0123"]
    assert ends == sorted(ends)


def test_labels_of_tikz_have_room() -> None:
    drawn = autodiff("graph", "h = tanh(a*x + b); c*h + x^2/(1 + x)", "--format", "tikz").out
    labels = re.findall(r"-- \(([-\d.]+), ([-\d.]+)\) node\[[^]]*\] \{(.*?)\} --", drawn)
    rows: dict[str, list[tuple[float, str]]] = {}
    for across, down, words in labels:
        rows.setdefault(down, []).append((float(across), re.sub(r"\\\w+(\{\})?|\$", "", words)))
    for row in rows.values():
        for (left, words), (right, others) in itertools.pairwise(sorted(row)):
            assert right - left > 0.16 * (len(words) + len(others)) / 2  # centimetres of a small letter
    assert max(map(len, rows.values())) > 2


def test_a_fragment_has_no_document_around_it() -> None:
    whole = autodiff("explain", *CHAIN, "--format", "latex").out
    fragment = autodiff("explain", *CHAIN, "--format", "latex", "--fragment").out
    assert r"\begin{document}" in whole
    assert r"\documentclass" not in fragment
    assert r"\begin{document}" not in fragment
    body = whole[whole.index(r"{\Large") : whole.index(r"\end{document}")].strip()
    assert body in fragment
    assert fragment.count("{") - fragment.count(r"\{") == fragment.count("}") - fragment.count(r"\}")
    assert autodiff("graph", *CHAIN, "--format", "tikz", "--fragment").out.startswith("% needs")


def test_bars_name_the_step_that_makes_the_slope_tiny() -> None:
    program = ["v = 5*x; h = tanh(v)", "--at", "x=1", "--bars"]
    page = autodiff("explain", *program).out
    assert "BARS" in page
    assert "v = 5 saturates tanh: its slope is 1.8e-04" in page
    bars = json.loads(autodiff("explain", *program, "--format", "json").out)["bars"]
    assert [round(bar["size"], 3) for bar in bars] == [-3.741, 0.699]
    assert "saturates" not in autodiff("explain", "sin(x)", "--at", "x=1", "--bars").out
    assert "leaky_relu" in autodiff("explain", "3*relu(x)", "--at", "x=-1", "--bars").out
    for form in ("html", "markdown", "latex"):
        assert "saturates tanh" in autodiff("explain", *program, "--format", form).out
    assert ".bars code { white-space: pre; }" in autodiff("explain", *program, "--format", "html").out


def test_a_picture_of_a_network_leaves_out_the_inputs_of_one_step(tmp_path: Path) -> None:
    units = "; ".join(f"h{k} = tanh(a{k}*x + b{k}*y + c{k})" for k in (1, 2, 3, 4))
    at = ",".join(f"{name}{k}={k}" for name in "abc" for k in (1, 2, 3, 4))
    picture = tmp_path / "a.svg"
    done = autodiff("graph", f"{units}; h1 + h2 + h3 + h4", "--at", f"{at},x=1,y=0.5", "-o", str(picture))
    assert (done.status, done.err) == (0, "notice: 12 inputs not drawn: each is in the formula of its step\n")
    names = set(re.findall(r'data-source="(\w+)"', picture.read_text()))
    assert names == {"x", "y", "h1", "h2", "h3", "h4"}
