"""The public API of `qa`: its names, and that importing it loads nothing heavy."""

import subprocess
import sys

import pytest

import qa
from qa import errors
from qa.bot import Bot
from qa.config import Settings
from qa.types import Answer, Citation, Document

HEAVY = ("torch", "chromadb", "llama_index", "numpy", "sentence_transformers", "bm25s")


def test_api_names_are_the_documented_ones() -> None:
    """`__all__` is the types that a program needs, and every error class."""
    error_names = {
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, errors.FootnoteError)
    }
    assert set(qa.__all__) == {"Answer", "Bot", "Citation", "Document", "Settings"} | error_names
    assert (qa.Answer, qa.Bot, qa.Citation) == (Answer, Bot, Citation)
    assert (qa.Document, qa.Settings) == (Document, Settings)
    assert [getattr(qa, name).__name__ for name in qa.__all__] == list(qa.__all__)


def test_api_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Engine'"):
        qa.Engine  # noqa: B018


def test_api_import_loads_nothing_heavy() -> None:
    """The process that reads a file imports `qa`, and `--help` must stay fast."""
    code = f"import sys, qa; print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
