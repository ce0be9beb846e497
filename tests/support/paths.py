"""Where the checkout, its sources and the recorded outputs are."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
SOURCE = ROOT / "src" / "autodiff"
GOLDEN = ROOT / "tests" / "golden"
EXAMPLES = ROOT / "tests" / "examples"
SPECIAL_POINTS = ROOT / "tests" / "support" / "special-points.json"
"""Programs at corners, jumps and ends of domains, with what holds there."""
