"""Several configurations in one command, each a run of its own. Interrupted runs can be resumed.

OUT/home…     the index, one for each embedding model
OUT/…         the run (`eval.run`), or a folder for each configuration if there are several
"""

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from shlex import quote
from types import MappingProxyType
from typing import Any

from eval.configurations import (
    PLAIN,
    VARIED,
    Configuration,
    configurations,
    index_homes,
    open_bots,
)
from eval.dataset import Question, read_question_file
from eval.files import first_link, read_file
from eval.provenance import code_hash, collect_provenance, commit, recorded_settings
from eval.results import MAX_BYTES, QUESTIONS, RUN, SUMMARY, damaged, read_plan, read_run_questions
from eval.run import EvaluatedBot, create_run_folder, finish, run, start
from eval.run_schema import Group, Plan
from qa.config import BUILT_IN, PACKAGED_EMBEDDING, PACKAGED_READER, Settings
from qa.errors import RunError
from qa.terminal import escaped_line
from qa.types import Document

_MODELS: Mapping[str, Sequence[str]] = {
    "llm": (BUILT_IN, PLAIN),
    "embedding": (PACKAGED_EMBEDDING,),
    "reader": (PACKAGED_READER,),
}
"""The settings that name a model, with the models that come with the project."""
OnProgress = Callable[[str, int, int], None]
"""Gets the name of a configuration, how many answers it has, and how many it will have."""


@dataclass(frozen=True, slots=True)
class QuestionSet:
    """Questions and the documents that they are asked of."""

    questions: Sequence[Question]
    documents: Sequence[Document]
    raw: bytes
    """The question file, in our format."""


@dataclass(frozen=True, slots=True)
class FinishedRun:
    """A run that ended."""

    name: str
    """The name of the configuration; empty for the only one."""
    engine: str
    server: str | None
    """The server of the language model: host and port. None: no model was asked."""
    folder: Path
    groups: Sequence[Group]
    summary: Mapping[str, Any]


def run_configurations(
    configurations: Sequence[Configuration],
    question_set: QuestionSet,
    chosen: Sequence[Question],
    out: Path,
    selection: Mapping[str, Any],
    repeat: int = 1,
    on_progress: OnProgress = lambda *_: None,
) -> Iterator[FinishedRun]:
    """Asks the chosen questions with each configuration. Yields each run when it ends.

    `selection`: how the questions were chosen, for run.json. Raises FootnoteError if OUT is not
    empty.
    """
    create_run_folder(out)
    homes = index_homes(configurations, out)
    ids = [question.id for question in chosen]
    source = {
        **selection,
        "sha256": sha256(question_set.raw).hexdigest(),
        "asked": len(ids),
    }
    for configuration, bot in open_bots(configurations, question_set.documents, homes):
        documents = bot.index.documents()
        if configuration is configurations[0]:
            # All plans before the first question: after a crash every run can be resumed.
            for planned in configurations:
                folder = out / planned.name
                home = homes[planned.settings.embedding]
                plan = collect_provenance(planned.settings, documents, source)
                plan["settings"]["llm"] = planned.engine
                # Relative, so that the folder of the run can be moved.
                plan["home"] = os.path.relpath(home, folder)
                plan["repeat"] = repeat
                plan["ids"] = ids
                folder.mkdir(exist_ok=True)
                start(folder, plan, question_set.raw)
        yield _run(configuration, out, chosen, bot, documents, on_progress)


def resume(
    out: Path,
    environ: Mapping[str, str] = os.environ,
    on_progress: OnProgress = lambda *_: None,
    confirmed: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> Iterator[FinishedRun]:
    """Resumes the interrupted runs of a folder. Yields each run when it ends.

    `confirmed`: models by setting that the runs may use besides those of the environment. Raises
    RunError if there is none, or if the code, the settings, the questions or the documents
    are no longer the same.
    """
    # A run is written where it is: a link in it could lead anywhere.
    link = first_link(out)
    if link is not None:
        raise RunError(f"{link} is a link. Put what it leads to in its place, then resume.")
    configured = []
    homes = {}
    for folder in _unfinished_folders(out):
        plan = _checked_plan(folder)
        _check_models(folder, plan, environ, confirmed)
        configuration = _configuration(out, folder, plan, environ)
        configured.append(configuration)
        home = folder / plan.home
        if not home.resolve().is_relative_to(out.resolve()):
            raise damaged(folder / RUN, [f"home: {plan.home} is not in {out}"])
        homes[configuration.settings.embedding] = home
    # All runs of one command ask the same questions of the same documents.
    documents = _documents(folder, plan)
    chosen = _chosen(folder, plan)
    for configuration, bot in open_bots(configured, documents, homes):
        yield _run(configuration, out, chosen, bot, bot.index.documents(), on_progress)


def _run(
    configuration: Configuration,
    out: Path,
    chosen: Sequence[Question],
    bot: EvaluatedBot,
    documents: Sequence[Document],
    on_progress: OnProgress,
) -> FinishedRun:
    """Asks the questions that are left, and writes the summary."""
    name = configuration.name
    folder = out / name
    plan = json.loads(read_file(folder / RUN, MAX_BYTES[RUN]))
    total = len(chosen) * plan["repeat"]

    def count(answers: int) -> None:
        on_progress(name, answers, total)

    outcomes = run(chosen, bot, documents, folder, plan["repeat"], count)
    groups, summary = finish(outcomes, documents, plan, folder)
    return FinishedRun(
        name=name,
        engine=configuration.engine,
        server=configuration.server,
        folder=folder,
        groups=groups,
        summary=summary,
    )


def _unfinished_folders(out: Path) -> list[Path]:
    """Returns the folders of the interrupted runs. Raises RunError if there is none."""
    files = [out / RUN]
    if not files[0].is_file():
        files = sorted(out.glob(f"*/{RUN}"))
    if not files:
        # A sweep has a folder for each split, with the runs in it.
        parts = {str(file.parents[1]) for file in out.glob(f"*/*/{RUN}")}
        if parts:
            named = ", ".join(sorted(parts))
            raise RunError(f"{out} has runs in several folders. Resume one: {named}.")
        raise RunError(f"{out} has no run to resume. Start one: footnote eval run --out DIR")

    folders = []
    for file in files:
        if not (file.parent / SUMMARY).is_file():
            folders.append(file.parent)
    if not folders:
        command = f"footnote eval report {quote(str(out))}"
        raise RunError(
            f"The run in {out} is complete: nothing is left to resume. Its report: {command}"
        )
    return folders


def _checked_plan(folder: Path) -> Plan:
    """Raises RunError for a damaged plan, and for a plan of other code."""
    plan = read_plan(folder)
    missing = sorted(set(VARIED) - plan.provenance.settings.keys())
    if missing:
        raise damaged(folder / RUN, [f"settings: there is no {', '.join(missing)}"])
    if plan.provenance.code != code_hash():
        before, now = plan.provenance.commit, commit()
        raise RunError(
            f"{folder} was started with other code (commit {before}, now {now}). Make a new run."
        )
    return plan


def _check_models(
    folder: Path,
    plan: Plan,
    environ: Mapping[str, str],
    confirmed: Mapping[str, Sequence[str]],
) -> None:
    """Raises RunError for a model that only the plan names.

    The folder may come from somebody else: a model would be downloaded, or paid for with a key.
    """
    settings = Settings.from_environment(environ)
    for name, packaged in _MODELS.items():
        model = plan.provenance.settings[name]
        usable = [*packaged, getattr(settings, name), *confirmed.get(name, ())]
        if model not in usable:
            shown = quote(escaped_line(str(model)))
            flag = "engine" if name == "llm" else name
            raise RunError(
                f"{folder} was started with the {flag} {shown}, which your settings do not name. "
                f"If you trust the run, add: --{flag} {shown}"
            )


def _configuration(
    out: Path, folder: Path, plan: Plan, environ: Mapping[str, str]
) -> Configuration:
    """Raises RunError if the environment makes it another configuration than that of the plan."""
    before = plan.provenance.settings
    values = {name: [before[name]] for name in VARIED}
    (configuration,) = configurations(values, environ)
    now = recorded_settings(configuration.settings)
    now["llm"] = configuration.engine
    changed = []
    for name in sorted(before.keys() | now.keys()):
        if before.get(name) != now.get(name):
            changed.append(f"{name} {before.get(name)}")
    if changed:
        raise RunError(
            f"The run was started with {', '.join(changed)}; now it differs. "
            "Set it again, or make a new run."
        )
    name = "" if folder == out else folder.name
    return Configuration(name, configuration.settings, configuration.engine == PLAIN)


def _documents(folder: Path, plan: Plan) -> Sequence[Document]:
    """Returns the documents in the index of a run. Raises RunError unless they are the same."""
    from qa.library.index import Index

    index = (folder / plan.home / "index").absolute()
    # Opening a missing index would create it.
    if not index.exists():
        raise damaged(folder, [f"there is no {index}"])
    documents = Index(index).documents()
    versions = {document.name: document.version for document in documents}
    if versions != plan.provenance.documents:
        raise RunError(f"{index} does not hold the documents of the run. Make a new run.")
    return documents


def _chosen(folder: Path, plan: Plan) -> list[Question]:
    """Returns the questions of a run. Raises RunError unless they are the same."""
    path = folder / QUESTIONS
    if not path.exists():
        raise damaged(folder, [f"there is no {QUESTIONS}"])
    digest = sha256(read_question_file(path)).hexdigest()
    if digest != plan.provenance.questions.sha256:
        raise RunError(f"{path} has changed since the run was started. Make a new run.")
    questions = read_run_questions(folder)
    chosen = []
    problems = []
    for key in plan.ids:
        if key in questions:
            chosen.append(questions[key])
        else:
            problems.append(f"there is no question {key!r}")
    if problems:
        raise damaged(folder / RUN, problems)
    return chosen
