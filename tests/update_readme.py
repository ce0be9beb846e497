"""Write into README and the manual what their commands print now: `python -m tests.update_readme [PAGE…]`.

README's picture is made by hand, where the page of `explain` has changed:

    autodiff explain "y = x^2; z = sin(y); u = e^z" --at x=4 --format html > /tmp/page.html
    chromium --headless --hide-scrollbars --window-size=1000,1455 --screenshot=tests/golden/explain.png file:///tmp/page.html
"""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.support import pages

if __name__ == "__main__":
    for page in pages.PAGES:
        if page.stem in sys.argv[1:] or not sys.argv[1:]:
            with TemporaryDirectory() as folder:
                page.write_text(pages.renewed(page, Path(folder)), encoding="utf-8")
