"""What the estimates of runs depend on: questions, documents, settings, versions and code.

Estimates mean nothing without them. Here each becomes a fact in words, so that a reader sees which
facts differ between runs.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any

from eval.report.details import RunDetails, failed_count
from eval.results import differences
from eval.run_schema import Run

Facts = Mapping[str, str]
"""Everything that the estimates of a run depend on, in words, by name."""
_LOCATION_SETTINGS = frozenset({"home", "index", "chroma_url", "llm_url"})
"""Settings that say where things are stored: they differ between machines and change no answer."""
_HASH = re.compile(r"^([0-9a-f]{12})[0-9a-f]{20,52}(-dirty)?$")
"""A commit, a version or the hash of a file."""
_WORDS = {None: "none", True: "on", False: "off"}
_MAX_DIFFERING = 8
"""Differing facts that are shown with a run."""


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run in the table of runs."""

    name: str
    run: Run
    configuration: str
    """The engine, and the facts in which the runs differ."""
    failed: int


@dataclass(frozen=True, slots=True)
class ProvenanceView:
    """What several runs were measured on, for a template."""

    rows: Sequence[RunRow]
    engines: Sequence[str]
    document_names: Sequence[str]
    same: Facts
    """The facts that are the same in all runs."""
    documents: Mapping[str, str]
    """Versions of the documents by name, where all runs have the same."""


def view_provenance(runs: Mapping[str, Run]) -> ProvenanceView:
    """Returns what the runs, by name, were measured on. There must be a run."""
    facts = [facts_of(run) for run in runs.values()]
    differing = differing_facts(facts)
    rows = []
    engines = []
    documents: dict[str, str] = {}
    for (name, run), of_run in zip(runs.items(), facts, strict=True):
        row = RunRow(
            name=name,
            run=run,
            configuration=configuration(of_run, differing),
            failed=failed_count(run),
        )
        rows.append(row)
        engine = of_run["engine"]
        if engine not in engines:
            engines.append(engine)
        documents |= run.provenance.documents

    # What is the same in all runs is what the first has, without what differs.
    same = dict(facts[0])
    for fact in differing:
        same.pop(fact, None)
    document_names = list(documents)
    # A document may have a version in each run, so that there is none to show.
    if "documents" in differing:
        documents = {}
    return ProvenanceView(
        rows=rows,
        engines=engines,
        document_names=document_names,
        same=same,
        documents=documents,
    )


def facts_of(run: Run) -> Facts:
    """Returns what the estimates of the run depend on. The documents are one fact."""
    provenance = run.provenance
    settings = dict(provenance.settings)
    values: dict[str, Any] = {
        # The first fact that a reader looks for, whatever the order of the settings.
        "engine": settings.pop("llm", "unknown"),
    }
    for name, value in settings.items():
        if name not in _LOCATION_SETTINGS:
            values[name] = value

    values["commit"] = provenance.commit
    values["code"] = provenance.code
    values["documents"] = _digest(provenance.documents)
    for name, value in asdict(provenance.questions).items():
        # A run has only some of these facts, for example no split if it asked all questions.
        if value is not None:
            values[f"questions {name}"] = value
    values["versions"] = provenance.versions
    values["intervals"] = provenance.intervals

    facts: dict[str, str] = {}
    for name, value in values.items():
        _add_facts(facts, name, value)
    return facts


def differing_facts(facts: Sequence[Facts]) -> list[str]:
    """Returns the names of the facts that are not the same in all runs, as first met."""
    # A dictionary rather than a set: the order in which the facts are met stays.
    names: dict[str, None] = {}
    for of_run in facts:
        names |= dict.fromkeys(of_run)

    differing = []
    for name in names:
        # A fact that a run does not have differs too.
        values = {of_run.get(name) for of_run in facts}
        if len(values) > 1:
            differing.append(name)
    return differing


def configuration(facts: Facts, differing: Sequence[str]) -> str:
    """Returns the engine and the first differing facts of a run, as a line."""
    # The engine is named also where all runs have the same.
    names = ["engine"]
    for name in differing:
        if name != "engine":
            names.append(name)

    parts = []
    for name in names[:_MAX_DIFFERING]:
        value = facts.get(name, "not known")
        parts.append(f"{name} {value}")
    left_out = len(names) - len(parts)
    if left_out:
        parts.append(f"and {left_out} more")
    return " · ".join(parts)


def remarks(runs: Mapping[str, RunDetails]) -> list[str]:
    """Returns what a reader should know of each run: what is missing, repeats, comparability."""
    names = list(runs)
    first = runs[names[0]]
    texts = []
    for name, details in runs.items():
        sentences = list(details.missing)
        repeats = details.run.repeats
        if repeats.count > 1:
            sentences += [
                f"Each question was asked {repeats.count} times;",
                f"{repeats.changed} were not answered in the same words each time.",
                "Scores are means; a question failed if one of its repeats did.",
            ]
        reasons = differences(first.run, details.run)
        if reasons:
            sentences.append(f"It cannot be compared with {names[0]} question by question.")
            sentences.append(reasons[0])
        if sentences:
            if len(runs) > 1:
                sentences.insert(0, f"{name}:")
            texts.append(" ".join(sentences))
    return texts


def _add_facts(facts: dict[str, str], name: str, value: Any) -> None:
    """Adds a value in words; of an object each of its values, after its name."""
    if not isinstance(value, Mapping):
        facts[name] = _in_words(value)
        return
    for key, inner in value.items():
        inner_name = f"{name} {key}"
        _add_facts(facts, inner_name, inner)


def _in_words(value: Any) -> str:
    if isinstance(value, list | tuple):
        items = map(_in_words, value)
        return ", ".join(items)
    if value is None or isinstance(value, bool):
        return _WORDS[value]
    # The first digits are enough to distinguish two hashes.
    text = str(value)
    return _HASH.sub(r"\1…\2", text)


def _digest(documents: Mapping[str, str]) -> str:
    """Returns the number of documents, and a hash of their names and versions."""
    digest = sha256()
    # Sorted, since the order of the documents changes no answer.
    for name, version in sorted(documents.items()):
        # Separated, so that other names and versions do not give the same bytes.
        entry = f"{name}\0{version}\0"
        digest.update(entry.encode("utf-8", "replace"))
    short = digest.hexdigest()[:12]
    return f"{len(documents)} ({short})"
