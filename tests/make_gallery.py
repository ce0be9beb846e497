"""Write the pages of the gallery and their pictures anew: `python -m tests.make_gallery`; then look at every picture."""

from __future__ import annotations

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.support import pages

GALLERY = pages.MANUAL / "gallery"


def made(page: Path, folder: Path) -> tuple[str, list[Path]]:
    """The text of a page and its pictures, made by its own commands in `folder`."""
    text = pages.renewed(page, folder)
    return text, sorted(folder.glob("*.svg"))


if __name__ == "__main__":
    for page in sorted(GALLERY.glob("*.md")):
        with TemporaryDirectory() as folder:
            text, pictures = made(page, Path(folder))
            page.write_text(text, encoding="utf-8")
            for picture in pictures:
                shutil.copy(picture, GALLERY / picture.name)
