"""The gallery is what its own commands make, has its pictures, and is light enough for the wheel."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.make_gallery import GALLERY, made
from tests.support import pages
from tests.support.command import autodiff

PAGES = sorted(GALLERY.glob("*.md"))

pytest.importorskip("matplotlib")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_and_its_picture_are_what_its_commands_make(page: Path, tmp_path: Path) -> None:
    text, pictures = made(page, tmp_path)
    assert page.read_text(encoding="utf-8") == text, "python -m tests.make_gallery"
    assert [picture.name for picture in pictures] == re.findall(r"!\[[^]]+\]\((.*?)\)", text) == [f"{page.stem}.svg"]
    (picture,) = pictures
    kept = (GALLERY / picture.name).read_text(encoding="utf-8")
    drawn = picture.read_text(encoding="utf-8")
    if "autodiff graph" in text:
        assert kept == drawn
    else:  # Matplotlib's versions place letters differently
        assert [element.tag for element in ElementTree.fromstring(kept)] == [
            element.tag for element in ElementTree.fromstring(drawn)
        ]
        assert 0.5 < len(kept) / len(drawn) < 2


def test_the_gallery_is_whole_and_light() -> None:
    assert len(PAGES) == 19
    assert sum(path.stat().st_size for path in GALLERY.iterdir()) < 1_000_000
    index = (pages.MANUAL / "gallery.md").read_text(encoding="utf-8")
    assert set(re.findall(r"\]\(gallery/(\w+)\.md\)", index)) == {page.stem for page in PAGES}


def test_help_shows_the_pages() -> None:
    for page in PAGES:
        done = autodiff("help", f"gallery/{page.stem}")
        assert (done.status, done.out) == (0, page.read_text(encoding="utf-8"))
    assert "gallery/chain" in autodiff("help", "gallery").out
    wrong = autodiff("help", "gallery/chian")
    assert wrong.status == 2
    assert "did you mean gallery/chain?" in wrong.err
    assert autodiff("help", "gallery/../language").status == 2
