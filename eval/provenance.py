"""What a figure means nothing without: of what, by which code, with which settings and versions it was made."""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import fields
from functools import cache
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import qa
from eval.stats.intervals import RESAMPLES, SEED
from qa.answer.prompts import PROMPT_VERSION
from qa.config import Settings
from qa.types import Document

PACKAGES = (
    "footnote-qa",
    *(
        "bm25s",
        "chromadb",
        "llama-index-core",
        "numpy",
        "scikit-learn",
        "sentence-transformers",
        "torch",
    ),
    "transformers",
)
"""Their versions go with the figures."""
_PLACES = ("home", "index", "chroma_url")
_CODE = (Path(qa.__file__).parent, Path(__file__).parent)


def collect_provenance(
    settings: Settings, documents: Sequence[Document], questions: Mapping[str, Any]
) -> dict[str, Any]:
    """What a figure means nothing without. `questions` tells of the file and of what was taken from it."""
    return {
        "commit": commit(),
        "code": code(),
        "questions": dict(questions),
        "documents": {document.name: document.version for document in documents},
        "settings": shown(settings),
        "versions": {
            "python": sys.version.split()[0],
            "prompt": PROMPT_VERSION,
            **{name: _version(name) for name in PACKAGES},
        },
        "intervals": {"level": 0.95, "seed": SEED, "resamples": RESAMPLES},
    }


def shown(settings: Settings) -> dict[str, Any]:
    """The settings that an answer may depend on: without what their repr hides, and where the index is."""
    return {
        field.name: getattr(settings, field.name)
        for field in fields(settings)
        if field.repr and field.name not in _PLACES
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


@cache
def code(packages: Sequence[Path] = _CODE) -> str:
    """A hash (SHA-256) of what answers and measures: the sources of `qa` and `eval`, and the packaged models.

    Two states of the code with changes that are not committed differ in it; a commit that changes nothing of this
    does not.
    """
    found = sha256()
    for package in packages:
        for path in sorted((*package.rglob("*.py"), *package.glob("models/*/*"))):
            found.update(f"{package.name}/{path.relative_to(package).as_posix()}\n".encode())
            found.update(sha256(path.read_bytes()).digest())
    return found.hexdigest()


def commit() -> str | None:
    """The commit of this code, with "-dirty" after it where files differ from it; None outside a repository."""
    command = [
        "git",
        "--no-optional-locks",
        "describe",
        "--always",
        "--dirty",
        "--abbrev=40",
        "--exclude=*",
    ]
    try:
        told = subprocess.run(  # noqa: S603  # our own words
            command,
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return told.stdout.strip() or None
