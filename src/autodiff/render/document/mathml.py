r"""LaTeX's formulas as MathML, which browsers draw by themselves.

>>> mathml("2 x")
'<math xmlns="http://www.w3.org/1998/Math/MathML" display="inline"><mrow><mn>2</mn><mi>x</mi></mrow></math>'
"""

from __future__ import annotations

from functools import lru_cache
from html import unescape
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

_TALL = {"mfrac", "mtable", "msqrt", "mroot", "msup", "mover"}
_GAP = "0.167em"  # LaTeX's thin space, which it puts around the names of functions by itself


@lru_cache(maxsize=4096)
def mathml(tex: str) -> str:
    """One `<math>` element, well-formed whatever the names hold."""
    from latex2mathml.converter import convert_to_element  # only pages need it, and it reads a table of 2,500 signs

    # the library drops a single upright letter, and a separate word with an underscore
    known = tex.replace(r"\mathrm{d}", r"\text{d}").replace(r"\operatorname{", r"\mathrm{")
    root: Element = convert_to_element(known.replace(r"\\ ", r"\\"))
    for element in root.iter():
        element.text = unescape(element.text) if element.text else None  # the library writes signs as entities
        _upright(element)
    for step in (_merge, _tighten, _space):
        for element in root.iter():
            step(element)
    return ElementTree.tostring(root, encoding="unicode")


def _merge(element: Element) -> None:
    """A row of upright letters is one word: `mi` of several letters."""
    children = list(element)
    if len(children) > 1 and element.tag == "mrow" and all(child.get("mathvariant") == "normal" for child in children):
        element.tag, element.text = "mi", "".join(child.text or "" for child in children)
        for child in children:
            element.remove(child)


def _upright(element: Element) -> None:
    """The d of a slope is an upright letter, and `max` a name rather than an operator with space on both sides."""
    if element.tag == "mtext" and element.text == "d":
        element.tag = "mi"
        element.set("mathvariant", "normal")
    elif element.tag == "mo" and (element.text or "") not in ("mod", "") and (element.text or "").isalpha():
        element.tag = "mi"


def _tighten(element: Element) -> None:
    """No space inside brackets, around the stroke of du/dx, and between a sign and its number."""
    before = "mo"
    for child in element:
        text, fence = child.text or "", child.get("fence") == "true"
        if fence or (child.tag == "mo" and (text == "/" or (text in ("\u2212", "-") and before == "mo"))):
            child.set("lspace", "0")
            child.set("rspace", "0")
        if fence and not any(inner.tag in _TALL for inner in element.iter()):
            child.set("stretchy", "false")  # a browser's stretched bracket is wider than its plain one
        before = "mi" if child.get("form") == "postfix" else child.tag


def _space(element: Element) -> None:
    """A thin space between the name of a function, or a word, and what it is multiplied with."""
    children = list(element)
    if element.tag not in ("mrow", "math", "mtd"):
        return
    for at in range(len(children) - 1, 0, -1):
        before, after = children[at - 1], children[at]
        if "mo" in (before.tag, after.tag) or "mspace" in (before.tag, after.tag):
            continue
        if _is_word(after) or (_is_word(before) and not _is_bracketed(after)):
            element.insert(at, Element("mspace", width=_GAP))


def _is_word(element: Element) -> bool:
    """`ln`, `rate`, or one of them with something at its foot or its head."""
    inner = element[0] if element.tag in ("msub", "msup", "msubsup") else element
    return inner.tag == "mi" and len(inner.text or "") > 1


def _is_bracketed(element: Element) -> bool:
    return element.tag == "mrow" and len(element) > 0 and element[0].get("fence") == "true"
