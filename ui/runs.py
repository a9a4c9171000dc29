"""Evaluation runs on disk, as `python -m eval run` writes them. Nothing in them is trusted.

A run's folder holds results.jsonl, a line a question as it is asked, and summary.json, which is written last: without
it the run was cut off.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, TypeVar

from eval.results import LARGEST
from ui.figures import Damaged, Figure, Group, Run, sound

T = TypeVar("T")
SUMMARY, RESULTS = "summary.json", "results.jsonl"
_PLACES: Final = ("home", "index", "chroma_url", "llm_url")
"""Settings that say where things are kept: they differ between any two runs and change no answer."""
_BY: Final = {"split": "by_split", "kind": "by_kind"}


def find(folders: Iterable[Path]) -> list[Path]:
    """The run folders below these, or among these; each once. A folder that is not there holds none."""
    found = {run.resolve(): run for folder in folders if folder.is_dir() for run in _below(folder)}
    return list(found.values())


def stamp(folder: Path) -> tuple[tuple[int, int], ...]:
    """Modification time and size of a run's files: as long as it is the same, so is the run."""
    return tuple(_stamp(folder / name) for name in (SUMMARY, RESULTS))


def read(folder: Path) -> Run | Damaged:
    """A run, or why there is none to show."""
    try:
        return _run(folder, _parsed((folder / SUMMARY).read_bytes()))
    except FileNotFoundError:
        reason = _cut_off(folder)
    except OSError as error:
        reason = f"{SUMMARY} cannot be read: {error.strerror}."
    except (ValueError, RecursionError) as error:
        reason = f"{SUMMARY} is damaged: {error}."
    return Damaged(folder, _changed(folder), reason)


def newest_first(found: Iterable[Run | Damaged]) -> tuple[list[Run], list[Damaged]]:
    """The runs and, apart, the folders without figures."""
    both = list(found)
    runs = [one for one in both if isinstance(one, Run)]
    damaged = [one for one in both if isinstance(one, Damaged)]
    return (
        sorted(runs, key=lambda run: (run.finished, str(run.folder)), reverse=True),
        sorted(damaged, key=lambda one: (one.changed, str(one.folder)), reverse=True),
    )


def names(folders: Sequence[Path]) -> dict[Path, str]:
    """What to call each folder: its own name, or its path where another has that name too."""
    often = Counter(folder.name for folder in folders)
    return {
        folder: sound(folder.name if often[folder.name] == 1 else str(folder)) for folder in folders
    }


def differing(runs: Sequence[Run]) -> list[str]:
    """The settings that are not the same in all runs, in the order first met."""
    every = dict.fromkeys(name for run in runs for name in run.settings)
    return [name for name in every if len({run.settings.get(name) for run in runs}) > 1]


def configuration(run: Run, settings: Iterable[str]) -> str:
    """These settings of a run, in a line."""
    return " · ".join(f"{name} {run.settings.get(name, 'not told')}" for name in settings)


def _below(folder: Path) -> list[Path]:
    """The run that a folder is, or those in it; several that were made in one go lie in a folder of their own."""
    if _is_run(folder):
        return [folder]
    return [
        run for one in _folders(folder) for run in ([one] if _is_run(one) else _runs(one) or [one])
    ]


def _is_run(folder: Path) -> bool:
    return (folder / SUMMARY).exists() or (folder / RESULTS).exists()


def _runs(folder: Path) -> list[Path]:
    return [one for one in _folders(folder) if one != folder and _is_run(one)]


def _folders(folder: Path) -> list[Path]:
    """Those in it; itself where it cannot be looked into: reading it says why."""
    try:
        return sorted(
            one for one in folder.iterdir() if one.is_dir() and not one.name.startswith(".")
        )
    except OSError:
        return [folder]


def _stamp(file: Path) -> tuple[int, int]:
    try:
        told = file.stat()
    except OSError:
        return (0, 0)
    return told.st_mtime_ns, told.st_size


def _changed(folder: Path) -> datetime:
    newest = max(_stamp(folder / RESULTS)[0], _stamp(folder)[0])
    return datetime.fromtimestamp(newest / 1e9, UTC)


def _cut_off(folder: Path) -> str:
    """Why there is no summary."""
    try:
        lines = (folder / RESULTS).read_bytes().count(b"\n")
    except FileNotFoundError:
        return f"It holds no {RESULTS}: it was cut off before the first question, or is no run."
    except OSError as error:
        return f"{RESULTS} cannot be read: {error.strerror}."
    asked = "1 question" if lines == 1 else f"{lines} questions"
    return f"It was cut off after {asked}, or is still going on: there is no {SUMMARY}."


def _parsed(raw: bytes) -> dict[str, Any]:
    return _object(json.loads(raw.decode("utf-8"), parse_constant=_refuse), "it")


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not a number")


def _run(folder: Path, summary: dict[str, Any]) -> Run:
    """Raises ValueError that names what is not as it should be."""
    asked = _object(summary.get("questions"), "questions")
    documents = _texts(summary.get("documents"), "documents")
    return Run(
        folder=folder,
        finished=_time(summary.get("finished")),
        settings=_settings(summary, asked, documents),
        file=_text(asked.get("file"), "questions.file"),
        sha256=_text(asked.get("sha256"), "questions.sha256"),
        documents=documents,
        groups=(_group("overall", "overall", summary.get("overall"), "overall"), *_groups(summary)),
        errors=_texts(summary.get("errors"), "errors"),
        clusters=_texts(summary.get("clusters", {}), "clusters"),
        scores={
            key: _scores(one, key) for key, one in _object(summary.get("scores"), "scores").items()
        },
    )


def _settings(
    summary: dict[str, Any], asked: dict[str, Any], documents: Mapping[str, str]
) -> dict[str, str]:
    settings = _object(summary.get("settings"), "settings")
    versions = _object(summary.get("versions"), "versions")
    told = {"engine": settings.get("llm")}
    told |= {name: value for name, value in settings.items() if name not in (*_PLACES, "llm")}
    # Of two states of the code that are not committed, only its hash tells them apart.
    told |= {"prompt": versions.get("prompt")} | {
        name: _short(summary.get(name)) for name in ("commit", "code")
    }
    told |= {name: asked.get(name) for name in ("split", "kinds", "limit")}
    together = "".join(f"{name}\0{version}\0" for name, version in sorted(documents.items()))
    told["questions"] = _text(asked.get("sha256"), "questions.sha256")[:8]
    told["documents"] = (
        f"{len(documents)} ({sha256(together.encode('utf-8', 'replace')).hexdigest()[:8]})"
    )
    return {sound(name): _words(value) for name, value in told.items()}


def _short(told: Any) -> Any:
    """The first digits of a commit or a hash; "-dirty" stays."""
    return told[:7] + "-dirty" * told.endswith("-dirty") if isinstance(told, str) else told


def _words(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_words, value))
    if value is None or isinstance(value, bool):
        return {None: "none", True: "on", False: "off"}[value]
    return f"{value:g}" if isinstance(value, float) else sound(str(value))


def _groups(summary: dict[str, Any]) -> Iterable[Group]:
    for by, key in _BY.items():
        for name, group in _object(summary.get(key), key).items():
            yield _group(by, sound(name), group, f"{key}.{name}")


def _group(by: str, name: str, value: Any, where: str) -> Group:
    row = _object(value, where)
    figures = _object(row.get("figures"), f"{where}.figures")
    return Group(
        by,
        name,
        _count(row.get("questions"), f"{where}.questions"),
        _count(row.get("errors"), f"{where}.errors"),
        {sound(key): _figure(figure, f"{where}.{key}") for key, figure in figures.items()},
    )


def _figure(value: Any, where: str) -> Figure:
    row = _object(value, where)
    counts = [_count(row.get(name), f"{where}.{name}") for name in ("n", "unscored")]
    numbers = [_number(row.get(name), f"{where}.{name}") for name in ("value", "low", "high")]
    if len({number is None for number in numbers}) > 1:
        raise ValueError(f"{sound(where)} has a value without an interval, or the reverse")
    return Figure(*counts, *numbers)


def _scores(value: Any, where: str) -> dict[str, float | None]:
    return {
        name: _number(one, f"scores.{where}.{name}")
        for name, one in _object(value, f"scores.{where}").items()
    }


def _object(value: Any, where: str) -> dict[str, Any]:
    return _of(dict, value, where, "an object")


def _text(value: Any, where: str) -> str:
    return _of(str, value, where, "a text")


def _texts(value: Any, where: str) -> dict[str, str]:
    return {key: _text(one, f"{where}.{key}") for key, one in _object(value, where).items()}


def _time(value: Any) -> datetime:
    """Raises ValueError."""
    time = datetime.fromisoformat(_text(value, "finished"))
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _count(value: Any, where: str) -> int:
    count = _of(int, value, where, "a count")
    if isinstance(value, bool) or count < 0:
        raise ValueError(f"{sound(where)} is not a count")
    return count


def _number(value: Any, where: str) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= LARGEST:
        raise ValueError(f"{sound(where)} is not a number")
    return float(value)


def _of(kind: type[T], value: Any, where: str, words: str) -> T:
    if not isinstance(value, kind):
        raise ValueError(
            f"{sound(where)} is missing" if value is None else f"{sound(where)} is not {words}"
        )
    return value
