"""`python -m eval judge RUN --engine provider/model`: a language model's judgement of a run's answers."""

import argparse
import json
import os
import re
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eval.commands.shared import Commands, positive_integer
from qa.config import BUILT_IN, Settings
from qa.errors import BrokenError, FootnoteError, NotWritableError

if TYPE_CHECKING:
    from collections import Counter

    from eval.judge import Judged
    from eval.results import Run


def add(commands: "Commands[argparse.ArgumentParser]", common: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "judge", parents=[common], help="have a language model judge the answers of a run"
    )
    parser.add_argument("run_folder", metavar="RUN", type=Path)
    parser.add_argument(
        "--engine",
        dest="llm",
        required=True,
        help="who judges: provider/model; QA_LLM does not count",
    )
    parser.add_argument("--llm-url", metavar="URL", help="the model's server (QA_LLM_URL)")
    parser.add_argument(
        "--repeat",
        metavar="N",
        type=positive_integer,
        default=1,
        help="ask N times about each; default: 1",
    )
    parser.add_argument("--limit", metavar="N", type=positive_integer, help="the first N answers")
    parser.add_argument("--name", help="of the file, RUN/judge-NAME.json; default: the model's")
    parser.add_argument("--json", action="store_true", help="print the file instead of the figures")
    parser.set_defaults(command=_judge)


def _judge(options: argparse.Namespace) -> int:
    """Judges, writes RUN/judge-NAME.json and prints it. Nothing is sent before all that can be wrong is told."""
    from eval.judge import judge, to_judge
    from eval.results import read_results, read_run, read_run_questions
    from qa.llm.client import LlmSettings, language_model, model_host

    chosen = LlmSettings.from_settings(_settings(options))
    model = language_model(chosen)
    run = read_run(options.run_folder)
    answers, left = to_judge(
        read_run_questions(options.run_folder), read_results(options.run_folder)
    )
    out = options.run_folder / f"judge-{_safe(options.name or model.name)}.json"
    if out.exists():
        raise FootnoteError(
            f"{out} is there already. Remove it, or give the judgement another name: --name NAME"
        )
    answers = answers[: options.limit]
    if not answers:
        raise FootnoteError(
            f"{options.run_folder} has no answer to judge: {_counted(left) or 'no question was asked'}."
        )
    print(f"{len(answers)} answers go to {model_host(chosen)[0]}, with evidence.", file=sys.stderr)
    judged = list(judge(answers, model, options.repeat, threading.Event(), _progress(len(answers))))
    if all(one.error for one in judged):
        raise BrokenError(
            f"{model.name} judged nothing, and nothing was written: {judged[0].error}"
        )
    told = _about(options, model.name, run, left) | _found(judged, run)
    text = json.dumps(told, ensure_ascii=False, indent=1, allow_nan=False) + "\n"
    _write(out, text)
    if options.json:
        sys.stdout.write(text)
    else:
        _print(told)
    print(f"Written to {out}", file=sys.stderr)
    return BrokenError.exit_code if told["failed"] else 0


def _settings(options: argparse.Namespace) -> Settings:
    """Raises FootnoteError for the built-in engine. The address and the key of another model are told to no other."""
    if options.llm == BUILT_IN:
        raise FootnoteError(
            "The built-in engine judges nothing. Name a language model: --engine provider/model"
        )
    configured = Settings.from_environment(os.environ)
    settings = Settings.from_environment(os.environ, llm=options.llm, llm_url=options.llm_url)
    if configured.llm in (BUILT_IN, options.llm):
        return settings
    return replace(settings, llm_url=options.llm_url, llm_key=None, llm_context=None)


def _about(
    options: argparse.Namespace, model: str, run: "Run", left: "Counter[str]"
) -> dict[str, Any]:
    """What was judged, by whom and how."""
    from eval.judge import JUDGE_PROMPT_SHA256, JUDGE_PROMPT_VERSION

    return {
        "judge": model,
        "prompt": {"version": JUDGE_PROMPT_VERSION, "sha256": JUDGE_PROMPT_SHA256},
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "questions_sha256": run.provenance.questions.sha256,
        "repeat": options.repeat,
        "limit": options.limit,
        "not_judged": dict(left),
    }


def _found(judged: "list[Judged]", run: "Run") -> dict[str, Any]:
    from eval.judge import figures

    answers = [
        {"id": one.id, "verdict": one.verdict, "verdicts": one.verdicts, "replies": one.replies}
        | ({"error": one.error} if one.error else {})
        for one in judged
    ]
    return {**figures(judged, run), "answers": answers}


def _write(out: Path, text: str) -> None:
    try:
        with out.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise NotWritableError(
            f"{out} takes no writes: {error.strerror}. Give another name: --name NAME"
        ) from error


def _print(told: Mapping[str, Any]) -> None:
    verdicts = ", ".join(f"{count} {verdict}" for verdict, count in told["verdicts"].items())
    print(
        f"Judged by {told['judge']} (prompt {told['prompt']['version']}, {told['prompt']['sha256'][:12]})"
    )
    print(f"{told['scored']} of {told['judged']} answers scored: {verdicts}")
    print(f"correct             {_shown(told['correct'])}")
    print(f"judged differently  {_shown(told['judged_differently'])}")
    lost = ((told[key], words) for key, words in _LOST.items())
    print(
        f"without a verdict   {', '.join(f'{count} {words}' for count, words in lost if count) or 'none'}"
    )
    print(f"unreadable replies  {told['unparseable_replies']} of {told['replies']}")
    print(f"not judged          {_counted(told['not_judged']) or 'none'}")
    if found := told["agreement"]:
        kappa = "-" if found["kappa"] is None else f"{found['kappa']:.2f}"
        print(
            f"beside our own measure answered_right (n {found['n']}): the same {found['same']:.2f}, "
            f"Cohen's kappa {kappa}; right by the judge only {found['only_judge']}, by ours only {found['only_ours']}"
        )


_LOST = {"unsettled": "unsettled between repeats", "unparseable": "unreadable", "failed": "failed"}


def _shown(share: Mapping[str, Any] | None) -> str:
    return (
        "-"
        if share is None
        else f"{share['value']:.2f} [{share['low']:.2f}, {share['high']:.2f}], n {share['n']}"
    )


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {reason}" for reason, count in counts.items())


def _safe(name: str) -> str:
    return re.sub(r"[^\w.-]+", "-", name).strip(".-")


def _progress(total: int) -> Callable[[int], None]:
    """A line of standard error that counts, where somebody may be looking."""
    if not sys.stderr.isatty():
        return lambda _: None
    return lambda count: print(
        f"\rjudged {count} of {total}", end="\n" if count == total else "", file=sys.stderr
    )
