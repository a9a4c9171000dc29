"""Footnote: ask your documents. Every sentence of the answer carries a citation to check.

The public API. Its names are imported at their first use: torch takes seconds, and the process
that reads a file must not load it.

    from qa import Bot, Settings

    bot = Bot.open(Settings.from_environment())
    print(bot.ask("What did the bridge cost?").text)
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qa.bot import Bot
    from qa.config import Settings
    from qa.errors import (
        BrokenError,
        DiskFullError,
        DocumentError,
        FootnoteError,
        IndexDamagedError,
        IndexMismatchError,
        LanguageModelError,
        ModelError,
        NotWritableError,
        QuestionFileError,
        RunError,
        StoppedError,
    )
    from qa.types import Answer, Citation, Document

__all__ = [
    "Answer",
    "Bot",
    "BrokenError",
    "Citation",
    "DiskFullError",
    "Document",
    "DocumentError",
    "FootnoteError",
    "IndexDamagedError",
    "IndexMismatchError",
    "LanguageModelError",
    "ModelError",
    "NotWritableError",
    "QuestionFileError",
    "RunError",
    "Settings",
    "StoppedError",
]

_MODULES = {
    "Answer": "qa.types",
    "Bot": "qa.bot",
    "Citation": "qa.types",
    "Document": "qa.types",
    "Settings": "qa.config",
}
"""The modules of the names that are not errors; the errors are in `qa.errors`."""


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module 'qa' has no attribute {name!r}")
    return getattr(import_module(_MODULES.get(name, "qa.errors")), name)
