"""Write the program's own table of functions into the README: `python -m tests.update_readme`."""

from __future__ import annotations

import re
from pathlib import Path

from .command import autodiff

README = Path(__file__).parent.parent / "README.md"

if __name__ == "__main__":
    listed = autodiff("functions", "--format", "markdown").out
    text = README.read_text(encoding="utf-8")
    text = re.sub(
        r"(<!-- functions:.*?-->\n).*(<!-- end of functions -->)", lambda m: m[1] + listed + m[2], text, flags=re.DOTALL
    )
    README.write_text(text, encoding="utf-8")
