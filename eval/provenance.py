"""Where estimates come from: the documents, code, settings and versions that they depend on."""

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
    "bm25s",
    "chromadb",
    "llama-index-core",
    "numpy",
    "scikit-learn",
    "sentence-transformers",
    "torch",
    "transformers",
)
"""Packages whose versions are recorded."""
_LOCATION_SETTINGS = ("home", "index", "chroma_url")
_CODE = (Path(qa.__file__).parent, Path(__file__).parent)


def collect_provenance(
    settings: Settings, documents: Sequence[Document], questions: Mapping[str, Any]
) -> dict[str, Any]:
    """Returns what estimates depend on, as run.json has it (`eval.run_schema.Provenance`).

    `questions`: the question file, and how questions were chosen from it.
    """
    versions: dict[str, str | None] = {
        "python": sys.version.split()[0],
        "prompt": PROMPT_VERSION,
    }
    for package in PACKAGES:
        versions[package] = _version(package)
    return {
        "commit": commit(),
        "code": code_hash(),
        "questions": dict(questions),
        "documents": {document.name: document.version for document in documents},
        "settings": recorded_settings(settings),
        "versions": versions,
        "intervals": {"level": 0.95, "seed": SEED, "resamples": RESAMPLES},
    }


def recorded_settings(settings: Settings) -> dict[str, Any]:
    """Returns the settings that an answer may depend on: no secret, and not where the index is."""
    return {
        setting.name: getattr(settings, setting.name)
        for setting in fields(settings)
        if setting.repr and setting.name not in _LOCATION_SETTINGS
    }


@cache
def code_hash(packages: Sequence[Path] = _CODE) -> str:
    """Returns a SHA-256 of what answers and measures: sources of `qa` and `eval`, and models.

    It tells two uncommitted states apart; a commit that changes neither does not change it.
    """
    digest = sha256()
    for package in packages:
        for path in sorted((*package.rglob("*.py"), *package.glob("models/*/*"))):
            digest.update(f"{package.name}/{path.relative_to(package).as_posix()}\n".encode())
            digest.update(sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def commit() -> str | None:
    """Returns the commit of this code, with "-dirty" for changed files; None outside git."""
    command = "git --no-optional-locks describe --always --dirty --abbrev=40 --exclude=*"
    # Without locks: another git command may be at work in the repository.
    try:
        done = subprocess.run(  # noqa: S603  # a constant command
            command.split(),
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
