"""The part of a report that says what was measured, on what and with what: figures mean nothing without it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from eval.report.cases import Seen
from eval.report.markup import part, small, table, text
from eval.results import differences

_PLACES = (("settings", "home"), ("settings", "index"), ("settings", "chroma_url"))
"""Where things are kept: it differs between any two runs, changes no answer and concerns nobody."""


_HASH = re.compile(r"^([0-9a-f]{12})[0-9a-f]{20,52}(-dirty)?$")
"""A commit, a version or the hash of a file: its first digits tell it from others."""
_DIFFERING = 8
"""Settings that are shown of those that differ."""


def measured(runs: Sequence[Seen], names: Sequence[str]) -> str:
    """The runs as a table, with what their figures depend on, and what should be known of them."""
    told = [_told(seen) for seen in runs]
    every = dict.fromkeys(key for one in told for key in one)
    differing = [key for key in every if len({one.get(key) for one in told}) > 1]
    rows = [
        (
            text(name) + small(_finished(seen)) + small(_configuration(one, differing)),
            str(len(seen.cases)),
            str(sum(case.failed for case in seen.cases)),
            str(len(seen.run.errors)),
        )
        for seen, name, one in zip(runs, names, told, strict=True)
    ]
    heads = ("Run", "Questions", "Failed", "Errors")
    caption = (
        "With the settings that differ"
        if differing
        else "Questions asked, and how many failed or broke"
    )
    same = "".join(part(key, [told[0][key]]) for key in every if key not in differing)
    fold = "Settings, documents and versions" + (
        " that are the same in all" if len(runs) > 1 else ""
    )
    return (
        f"<h2>What was measured</h2><p>{text(_asked_of(runs))}</p>{table(caption, heads, rows, 'runs')}"
        f"<details><summary>{fold}</summary><dl>{same}</dl></details>"
        f"{''.join(_remarks(runs, names))}"
    )


def _asked_of(runs: Sequence[Seen]) -> str:
    documents = {name for seen in runs for name in seen.run.provenance.documents}
    engines = dict.fromkeys(
        str(seen.run.provenance.settings.get("llm", "an engine not told of")) for seen in runs
    )
    of = next(iter(documents)) if len(documents) == 1 else f"{len(documents)} documents"
    return f"Questions over {of}, answered by {', '.join(engines)}."


def _told(seen: Seen) -> dict[str, str]:
    """Whatever figures depend on, in words."""
    leaves = _leaves(asdict(seen.run.provenance))
    return {_called(path): _words(value) for path, value in leaves if path not in _PLACES}


def _called(path: Sequence[str]) -> str:
    if path == ("settings", "llm"):
        return "engine"
    return " ".join(path[1:] if path[0] == "settings" else path)


def _leaves(
    value: Mapping[str, Any], path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Any]]:
    for key, inner in value.items():
        if isinstance(inner, Mapping):
            yield from _leaves(inner, (*path, key))
        else:
            yield (*path, key), inner


def _words(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(_words, value))
    if value is None:
        return "none"
    return _HASH.sub(lambda match: f"{match.group(1)}…{match.group(2) or ''}", str(value))


def _finished(seen: Seen) -> str:
    finished = seen.run.finished
    return f"{finished:%-d %b %Y, %H:%M} UTC" if finished else ""


def _configuration(told: Mapping[str, str], differing: Sequence[str]) -> str:
    shown = [f"{key} {told.get(key, 'not told')}" for key in differing[:_DIFFERING]]
    return " · ".join(
        shown + [f"and {len(differing) - _DIFFERING} more"] * (len(differing) > _DIFFERING)
    )


def _remarks(runs: Sequence[Seen], names: Sequence[str]) -> Iterator[str]:
    """What a run's folder lacks, what came of asking again, and what keeps the others from a comparison."""
    for seen, name in zip(runs, names, strict=True):
        found = [*seen.lacking, *_repeated(seen)]
        if unlike := differences(runs[0].run, seen.run):
            found += [f"It cannot be compared with {names[0]} question by question.", unlike[0]]
        if found:
            of = f"{name}: " if len(runs) > 1 else ""
            yield f'<p class="remark">{text(of + " ".join(found))}</p>'


def _repeated(seen: Seen) -> Iterator[str]:
    repeats = seen.run.repeats
    if repeats.count > 1:
        yield (
            f"Each question was asked {repeats.count} times; {repeats.changed} were not answered in the same "
            "words each time. Scores are means; a question failed if it did once."
        )
