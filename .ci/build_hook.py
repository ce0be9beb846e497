"""What a wheel gets when it is built: the man page, made from the pages of the manual."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ManPage(BuildHookInterface):  # type: ignore[misc]
    """Make `autodiff.1` beside the wheel, and have it installed where `man` looks."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called before the wheel is put together."""
        text = runpy.run_path(str(Path(self.root, "src", "autodiff", "manual", "manpage.py")))["page"](
            self.metadata.version
        )
        Path(self.directory).mkdir(parents=True, exist_ok=True)
        self._file().write_text(text, encoding="utf-8")
        build_data["shared_data"][str(self._file())] = "share/man/man1/autodiff.1"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Called when the wheel is there."""
        self._file().unlink()

    def _file(self) -> Path:
        return Path(self.directory, "autodiff.1")
