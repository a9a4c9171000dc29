"""Several configurations in one go, each a run of its own; one that was cut off goes on where it ended.

OUT/home…     the index, one for each embedding model
OUT/…         the run (see `eval.run`), or a folder for each configuration where there are several
"""

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from shlex import quote
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError

from eval.configurations import PLAIN, VARIED, Configuration, configurations, homes, opened
from eval.dataset import Question, read_questions
from eval.provenance import code, collect_provenance, commit, shown
from eval.results import QUESTIONS, RUN, SUMMARY, Group
from eval.run import Asked, begin, create_run_folder, finish, run
from qa.errors import RunError
from qa.types import Document

Tell = Callable[[str, int, int], None]
"""Is told a configuration's name, how many answers there are of it, and of how many."""


@dataclass(frozen=True, slots=True)
class Source:
    """A set of questions and the documents that they are asked of."""

    questions: Sequence[Question]
    documents: Sequence[Document]
    raw: bytes
    """The question file, in our format."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A run that ended."""

    name: str
    """The configuration's; empty for the only one."""
    folder: Path
    groups: Sequence[Group]
    summary: Mapping[str, Any]


def measure(
    found: Sequence[Configuration],
    source: Source,
    asked: Sequence[Question],
    out: Path,
    told: Mapping[str, Any],
    repeat: int = 1,
    tell: Tell = lambda *_: None,
) -> Iterator[Measured]:
    """Asks these questions of the set, with each configuration; gives each run as it ends.

    `told`: how the questions were chosen, for run.json. Raises FootnoteError if OUT holds anything.
    """
    create_run_folder(out)
    places = homes(found, out)
    begun = False
    for one, bot in opened(found, source.documents, places):
        library = bot.index.documents()
        if not begun:
            # All of them, before the first question: after a crash it is known what was to be measured.
            of_all = {**told, "sha256": sha256(source.raw).hexdigest(), "asked": len(asked)}
            for each in found:
                _begin(each, out, places, library, of_all, source.raw, asked, repeat)
            begun = True
        yield _measured(one.name, out / one.name, asked, bot, library, tell)


def go_on(
    out: Path, environ: Mapping[str, str] = os.environ, tell: Tell = lambda *_: None
) -> Iterator[Measured]:
    """Goes on with the runs of a folder that were cut off; gives each as it ends.

    Raises RunError where there is none, or where code, settings, questions or documents are no longer the same.
    """
    plans = _plans(out)
    first = next(iter(plans.values()))
    source, asked = _same_source(next(iter(plans)), first)
    found = [_same(folder.relative_to(out), plan, environ) for folder, plan in plans.items()]
    places = {
        one.settings.embedding: folder / plan["home"]
        for one, (folder, plan) in zip(found, plans.items(), strict=True)
    }
    for one, bot in opened(found, source.documents, places):
        yield _measured(one.name, out / one.name, asked, bot, bot.index.documents(), tell)


def _begin(
    one: Configuration,
    out: Path,
    places: Mapping[str, Path],
    library: Sequence[Document],
    questions: Mapping[str, Any],
    raw: bytes,
    asked: Sequence[Question],
    repeat: int,
) -> None:
    """Makes the folder of a run, with its plan and its questions."""
    folder = out / one.name
    folder.mkdir(exist_ok=True)
    made = collect_provenance(one.settings, library, questions)
    made["settings"]["llm"] = one.engine
    home = os.path.relpath(places[one.settings.embedding], folder)
    begin(
        folder,
        {**made, "home": home, "repeat": repeat, "ids": [question.id for question in asked]},
        raw,
    )


def _measured(
    name: str,
    folder: Path,
    asked: Sequence[Question],
    bot: Asked,
    library: Sequence[Document],
    tell: Tell,
) -> Measured:
    """Asks what is left to ask, and sums up."""
    told = json.loads((folder / RUN).read_text(encoding="utf-8"))
    total = len(asked) * told["repeat"]
    outcomes = run(
        asked, bot, library, folder, told["repeat"], lambda count: tell(name, count, total)
    )
    groups, summary = finish(outcomes, library, told, folder)
    return Measured(name, folder, groups, summary)


def _plans(out: Path) -> dict[Path, dict[str, Any]]:
    """By folder, what the runs that were cut off were to measure."""
    files = [out / RUN] if (out / RUN).is_file() else sorted(out.glob(f"*/{RUN}"))
    if not files:
        if parts := sorted({str(file.parents[1]) for file in out.glob(f"*/*/{RUN}")}):
            raise RunError(
                f"{out} holds runs in folders of its own. Go on with one of them: {', '.join(parts)}."
            )
        raise RunError(
            f"{out} holds no run that was begun. Begin one: python -m eval run --out DIR"
        )
    plans = {file.parent: _plan(file) for file in files if not (file.parent / SUMMARY).is_file()}
    if not plans:
        raise RunError(
            f"{out} holds a run that ended. Look at it: python -m eval report {quote(str(out))}"
        )
    return plans


def _plan(file: Path) -> dict[str, Any]:
    """Raises RunError for a plan that is damaged, with all that is wrong, or of other code."""
    try:
        plan = json.loads(file.read_text(encoding="utf-8"))
        _PLAN.validate_python(plan)
    except ValidationError as error:
        wrong = (f"  {'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        raise RunError("\n".join([f"{file} is damaged. Make a new run:", *wrong])) from error
    except (OSError, ValueError, RecursionError) as error:
        raise RunError(f"{file} is damaged: {error}. Make a new run.") from error
    if plan["code"] != code():
        was, now = plan["commit"], commit()
        raise RunError(
            f"{file.parent} was begun by other code (commit {was}, now {now}). Make a new run."
        )
    return dict(plan)


@dataclass(frozen=True, slots=True)
class _Source:
    sha256: str


@dataclass(frozen=True, slots=True)
class _Settings:
    llm: str
    top_k: int
    threshold: float
    embedding: str
    reader: str


@dataclass(frozen=True, slots=True)
class _Plan:
    """What of run.json is used to go on."""

    commit: str | None
    code: str
    questions: _Source
    documents: dict[str, str]
    settings: _Settings
    home: str
    repeat: Annotated[int, Field(ge=1, strict=True)]
    ids: Annotated[list[str], Field(min_length=1)]


_PLAN = TypeAdapter(_Plan)


def _same(name: Path, plan: Mapping[str, Any], environ: Mapping[str, str]) -> Configuration:
    """The configuration of a plan. Raises RunError where the environment makes it another one."""
    settings = plan["settings"]
    (one,) = configurations({key: [settings[key]] for key in VARIED}, environ)
    now = shown(one.settings) | {"llm": one.engine}
    if differing := sorted(
        key for key in settings.keys() | now.keys() if settings.get(key) != now.get(key)
    ):
        was = ", ".join(f"{key} {settings.get(key)}" for key in differing)
        raise RunError(
            f"The run was begun with {was}; now it is not. Set it again, or make a new run."
        )
    return Configuration("" if name == Path() else str(name), one.settings, one.engine == PLAIN)


def _same_source(folder: Path, plan: Mapping[str, Any]) -> tuple[Source, list[Question]]:
    """The questions and documents of a plan, from its folders; and which questions were to be asked."""
    from qa.library.index import Index

    index = (folder / plan["home"] / "index").absolute()
    if lacking := [str(path) for path in (folder / QUESTIONS, index) if not path.exists()]:
        raise RunError(
            f"{folder} is damaged: there is no {' and no '.join(lacking)}. Make a new run."
        )
    raw = (folder / QUESTIONS).read_bytes()
    documents = Index(index).documents()
    if sha256(raw).hexdigest() != plan["questions"]["sha256"]:
        raise RunError(
            f"{folder / QUESTIONS} is not the file that the run was begun with. Make a new run."
        )
    if {document.name: document.version for document in documents} != plan["documents"]:
        raise RunError(
            f"{folder / plan['home']} does not hold the documents of the run. Make a new run."
        )
    questions = {question.id: question for question in read_questions(folder / QUESTIONS)}
    if unknown := [str(key) for key in plan["ids"] if key not in questions]:
        raise RunError(
            f"{folder / RUN} is damaged: there is no question {', '.join(unknown)}. Make a new run."
        )
    return Source(list(questions.values()), documents, raw), [questions[key] for key in plan["ids"]]
