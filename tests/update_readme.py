"""Write into README and the manual what their commands print now: `python -m tests.update_readme [PAGE…]`."""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from . import pages

if __name__ == "__main__":
    for page in pages.PAGES:
        if page.stem in sys.argv[1:] or not sys.argv[1:]:
            with TemporaryDirectory() as folder:
                page.write_text(pages.renewed(page, Path(folder)), encoding="utf-8")
