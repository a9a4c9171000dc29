"""What the estimates of runs depend on: questions, documents, settings, versions and code.

Estimates mean nothing without them. Every value becomes words, and a value that is the same in all
runs is told apart from the ones that differ.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any

from eval.report.details import RunDetails, failed_count
from eval.results import Run, differences

_PLACES = frozenset({"home", "index", "chroma_url", "llm_url"})
"""Settings that say where things are stored: they differ between machines and change no answer."""
_HASH = re.compile(r"^([0-9a-f]{12})[0-9a-f]{20,52}(-dirty)?$")
"""A commit, a version or the hash of a file."""
_MOST_DIFFERING = 8
"""Differing settings that are shown with a run."""


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run in the table of runs."""

    name: str
    finished: str
    configuration: str
    """The engine, and the settings in which the runs differ."""
    questions: int
    failed: int
    errors: int


@dataclass(frozen=True, slots=True)
class ProvenanceView:
    """What several runs were measured on, for a template."""

    summary: str
    rows: Sequence[RunRow]
    same: Mapping[str, str]
    """Settings, versions and hashes that are the same in all runs."""
    documents: Mapping[str, str]
    """Versions of the documents by name, where all runs have the same."""


def view_provenance(runs: Mapping[str, Run]) -> ProvenanceView:
    """Returns what the runs, by name, were measured on. Raises ValueError for no runs."""
    settings = {name: settings_of(run) for name, run in runs.items()}
    differing = differing_settings(list(settings.values()))
    rows = [
        RunRow(
            name=name,
            finished=f"{run.finished:%-d %b %Y, %H:%M} UTC" if run.finished else "",
            configuration=configuration(settings[name], differing),
            questions=len(run.ids),
            failed=failed_count(run),
            errors=len(run.errors),
        )
        for name, run in runs.items()
    ]
    first_run, first_settings = next(zip(runs.values(), settings.values(), strict=True))
    return ProvenanceView(
        summary=_summary(list(runs.values())),
        rows=rows,
        same={key: value for key, value in first_settings.items() if key not in differing},
        documents={} if "documents" in differing else first_run.provenance.documents,
    )


def settings_of(run: Run) -> dict[str, str]:
    """Returns everything that an estimate of the run may depend on, in words.

    The documents are one entry: their number and a hash of their names and versions.
    """
    provenance = run.provenance
    settings = dict(provenance.settings)
    engine = settings.pop("llm", None)
    kept = {name: value for name, value in settings.items() if name not in _PLACES}
    values = {
        "engine": engine,
        **kept,
        "commit": provenance.commit,
        "code": provenance.code,
        "documents": _documents_in_words(provenance.documents),
        "questions": _known(asdict(provenance.questions)),
        "versions": provenance.versions,
        "intervals": provenance.intervals,
    }
    return dict(_in_words(values))


def differing_settings(settings: Sequence[Mapping[str, str]]) -> list[str]:
    """Returns the settings that are not the same in all runs, in the order first met."""
    names: dict[str, None] = {}
    for of_run in settings:
        names |= dict.fromkeys(of_run)
    return [name for name in names if len({of_run.get(name) for of_run in settings}) > 1]


def configuration(settings: Mapping[str, str], differing: Sequence[str]) -> str:
    """Returns the engine and the first differing settings of a run, as a line."""
    names = list(dict.fromkeys(["engine", *differing]))
    shown = [f"{name} {settings.get(name, 'not known')}" for name in names[:_MOST_DIFFERING]]
    left_out = len(names) - len(shown)
    if left_out:
        shown.append(f"and {left_out} more")
    return " · ".join(shown)


def remarks(runs: Mapping[str, RunDetails]) -> list[str]:
    """Returns what a reader should know of each run: what is missing, repeats, comparability."""
    first_name, first = next(iter(runs.items()))
    texts = []
    for name, details in runs.items():
        sentences = [*details.missing, *_repeats(details.run)]
        reasons = differences(first.run, details.run)
        if reasons:
            sentences.append(f"It cannot be compared with {first_name} question by question.")
            sentences.append(reasons[0])
        if sentences:
            prefix = f"{name}: " if len(runs) > 1 else ""
            texts.append(prefix + " ".join(sentences))
    return texts


def _summary(runs: Sequence[Run]) -> str:
    documents: dict[str, None] = {}
    engines: dict[str, None] = {}
    for run in runs:
        documents |= dict.fromkeys(run.provenance.documents)
        engines[str(run.provenance.settings.get("llm", "an unknown engine"))] = None
    over = next(iter(documents)) if len(documents) == 1 else f"{len(documents)} documents"
    return f"Questions over {over}, answered by {', '.join(engines)}."


def _known(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _documents_in_words(documents: Mapping[str, str]) -> str:
    lines = "".join(f"{name}\0{version}\0" for name, version in sorted(documents.items()))
    digest = sha256(lines.encode("utf-8", "replace")).hexdigest()
    return f"{len(documents)} ({digest[:12]})"


def _in_words(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            for inner, words in _in_words(value):
                yield f"{name} {inner}", words
        else:
            yield name, _words(value)


def _words(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(_words, value))
    if value is None or isinstance(value, bool):
        return {None: "none", True: "on", False: "off"}[value]
    # The first digits of a hash tell it from others.
    return _HASH.sub(lambda match: f"{match[1]}…{match[2] or ''}", str(value))


def _repeats(run: Run) -> Iterator[str]:
    if run.repeats.count > 1:
        yield (
            f"Each question was asked {run.repeats.count} times; {run.repeats.changed} were not "
            "answered in the same words each time. Scores are means; a question failed if one of "
            "its repeats did."
        )
