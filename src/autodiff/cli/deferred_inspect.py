"""The module `inspect` loaded when something of it is needed: Click imports it, and it is a tenth of a start.

>>> DeferredInspect("inspect").cleandoc("Numbers only.")
'Numbers only.'
"""

import sys
from types import ModuleType


class DeferredInspect(ModuleType):
    """Stands in `sys.modules` until it loads the module itself, with `ast`, `dis` and `tokenize`.

    Click needs it to clean help texts, and ours are clean.
    """

    def __getattr__(self, name: str) -> object:
        return getattr(self.load(), name)

    def cleandoc(self, doc: str) -> str:
        """Like `inspect.cleandoc`, which leaves a line without blanks around it as it is."""
        clean = doc.isprintable() and doc == doc.strip()
        return doc if clean else str(self.load().cleandoc(doc))

    def load(self) -> ModuleType:
        """The module itself, whose names are then this one's, too."""
        if sys.modules.get("inspect") is self:
            del sys.modules["inspect"]
        import inspect

        vars(self).update(vars(inspect))
        return inspect
