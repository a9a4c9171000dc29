"""`footnote eval judge RUN --engine provider/model`: a language model judges a run's answers."""

import argparse
import json
import os
import re
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eval.commands.shared import Commands, positive_integer
from qa.config import BUILT_IN, Settings
from qa.errors import BrokenError, FootnoteError, NotWritableError
from qa.terminal import visible_json

if TYPE_CHECKING:
    from eval.dataset import Question
    from eval.judge import JudgedAnswer
    from eval.run_schema import Run
    from qa.llm.model import LanguageModel

_NO_VERDICT = {
    "unsettled": "unsettled between repeats",
    "unparseable": "unreadable",
    "failed": "failed",
}
"""Why an answer has no verdict: the key in the file, and the words for it."""


def add(commands: "Commands[argparse.ArgumentParser]", common: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "judge", parents=[common], help="have a language model judge the answers of a run"
    )
    parser.add_argument("run_folder", metavar="RUN", type=Path)
    parser.add_argument(
        "--engine",
        dest="llm",
        required=True,
        help="the judging model: provider/model; QA_LLM is not used",
    )
    parser.add_argument("--llm-url", metavar="URL", help="the model's server (QA_LLM_URL)")
    parser.add_argument(
        "--repeat",
        metavar="N",
        type=positive_integer,
        default=1,
        help="judge each answer N times; default: 1",
    )
    parser.add_argument(
        "--limit", metavar="N", type=positive_integer, help="judge the first N answers"
    )
    parser.add_argument("--name", help="write RUN/judge-NAME.json; default: the model's name")
    parser.add_argument("--json", action="store_true", help="print the file instead of a summary")
    parser.set_defaults(command=_judge)


def _judge(options: argparse.Namespace) -> int:
    """Judges, writes RUN/judge-NAME.json and prints it.

    Everything that can be wrong is checked before anything is sent.
    """
    from eval.judge import answers_to_judge
    from eval.results import read_results, read_run, read_run_questions
    from qa.llm.client import LlmSettings, language_model, model_server

    llm_settings = LlmSettings.from_settings(_settings(options))
    model = language_model(llm_settings)
    folder: Path = options.run_folder
    run = read_run(folder)
    questions = read_run_questions(folder)
    answers, left_out = answers_to_judge(questions, read_results(folder))
    name = _file_name(options.name or model.name)
    out = folder / f"judge-{name}.json"
    # A judgement may have cost money, and is never overwritten.
    if os.path.lexists(out):
        raise FootnoteError(
            f"{out} exists. Remove it, or give the judgement another name: --name NAME"
        )
    answers = answers[: options.limit]
    if not answers:
        reasons = _counts(left_out) or "no question was asked"
        raise FootnoteError(f"{folder} has no answer to judge: {reasons}.")

    # Printed before anything is sent, so that a person can still stop it.
    host = model_server(llm_settings).host
    print(f"{len(answers)} answers and their evidence go to {host}.", file=sys.stderr)
    judgements = _judge_answers(answers, model, options.repeat)
    report = {
        **_provenance(options, model.name, run),
        "not_judged": dict(left_out),
        **_results(judgements, run),
    }
    text = json.dumps(report, ensure_ascii=False, indent=1, allow_nan=False) + "\n"
    _write(out, text)
    if options.json:
        sys.stdout.write(visible_json(text))
    else:
        _print(report)
    print(f"Written to {out}", file=sys.stderr)
    return BrokenError.exit_code if report["failed"] else 0


def _judge_answers(
    answers: "Sequence[tuple[Question, str]]",
    model: "LanguageModel",
    repeat: int,
) -> "list[JudgedAnswer]":
    """Returns the judgement of each answer. Raises BrokenError if the model judged none."""
    from eval.judge import judge

    # Nothing sets the event: Ctrl+C ends the command.
    never = threading.Event()
    judgements = list(judge(answers, model, repeat, never, _progress(len(answers))))
    if all(judgement.error for judgement in judgements):
        raise BrokenError(
            f"{model.name} judged nothing, and nothing was written: {judgements[0].error}"
        )
    return judgements


def _provenance(options: argparse.Namespace, model: str, run: "Run") -> dict[str, Any]:
    """Returns by which model, with which prompt and over which questions was judged."""
    from eval.judge import JUDGE_PROMPT_SHA256, JUDGE_PROMPT_VERSION

    return {
        "judge": model,
        "prompt": {"version": JUDGE_PROMPT_VERSION, "sha256": JUDGE_PROMPT_SHA256},
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "questions_sha256": run.provenance.questions.sha256,
        "repeat": options.repeat,
        "limit": options.limit,
    }


def _results(judgements: "Sequence[JudgedAnswer]", run: "Run") -> dict[str, Any]:
    """Returns the summary of the judgements, and each of them."""
    from eval.judge import summarise

    rows = []
    for judgement in judgements:
        row = {
            "id": judgement.id,
            "verdict": judgement.verdict,
            "verdicts": judgement.verdicts,
            "replies": judgement.replies,
        }
        if judgement.error:
            row["error"] = judgement.error
        rows.append(row)
    return {**summarise(judgements, run), "answers": rows}


def _settings(options: argparse.Namespace) -> Settings:
    """Returns the settings of the judging model. Raises FootnoteError for the built-in engine.

    The address and the key of the configured model are not used for another model.
    """
    if options.llm == BUILT_IN:
        raise FootnoteError(
            "The built-in engine cannot judge. Name a language model: --engine provider/model"
        )
    # A key must not be sent to the server of another provider.
    configured = Settings.from_environment(os.environ)
    settings = Settings.from_environment(os.environ, llm=options.llm, llm_url=options.llm_url)
    if configured.llm in (BUILT_IN, options.llm):
        return settings
    return replace(settings, llm_url=options.llm_url, llm_key=None, llm_context=None)


def _write(out: Path, text: str) -> None:
    try:
        # Another command may have written the file since it was looked for.
        with out.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise NotWritableError(
            f"{out} cannot be written: {error.strerror}. Give another name: --name NAME"
        ) from error


def _print(report: Mapping[str, Any]) -> None:
    prompt = report["prompt"]
    # The same order and words as the file, so that a reader finds a number there again.
    verdicts = ", ".join(f"{count} {verdict}" for verdict, count in report["verdicts"].items())
    without = {words: report[key] for key, words in _NO_VERDICT.items() if report[key]}
    unreadable = f"{report['unparseable_replies']} of {report['replies']}"
    print(
        f"Judged by {report['judge']} (prompt {prompt['version']}, {prompt['sha256'][:12]})",
        f"{report['scored']} of {report['judged']} answers scored: {verdicts}",
        f"correct             {_share(report['correct'])}",
        f"judged differently  {_share(report['judged_differently'])}",
        f"without a verdict   {_counts(without) or 'none'}",
        f"unreadable replies  {unreadable}",
        f"not judged          {_counts(report['not_judged']) or 'none'}",
        sep="\n",
    )
    agreement = report["agreement"]
    if agreement:
        kappa = "-" if agreement["kappa"] is None else f"{agreement['kappa']:.2f}"
        print(
            f"compared with the metric answered_right (n {agreement['n']}): "
            f"the same {agreement['same']:.2f}, Cohen's kappa {kappa}; "
            f"right by the judge only {agreement['only_judge']}, "
            f"by the metric only {agreement['only_ours']}"
        )


def _share(share: Mapping[str, Any] | None) -> str:
    if share is None:
        return "-"
    return f"{share['value']:.2f} [{share['low']:.2f}, {share['high']:.2f}], n {share['n']}"


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {reason}" for reason, count in counts.items())


def _file_name(name: str) -> str:
    return re.sub(r"[^\w.-]+", "-", name).strip(".-")


def _progress(total: int) -> Callable[[int], None]:
    """Returns a counter on standard error, where somebody may be watching."""
    if not sys.stderr.isatty():
        return lambda _: None

    def show(count: int) -> None:
        end = "\n" if count == total else ""
        print(f"\rjudged {count} of {total}", end=end, file=sys.stderr)

    return show
