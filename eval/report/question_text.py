"""One question of a run in full, for a terminal: what was asked, what is so, what was read and said, every score."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TextIO

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from eval.dataset import Question
from eval.evidence import evidence_in, words_agree
from eval.metrics import metric_named
from eval.report.cases import Case
from eval.report.failures import SUPPORT, place
from eval.report.terminal import WIDTH
from eval.results import Result, ResultPassage
from qa.terminal import visible
from qa.types import AnswerSentence

_SHOWN = 160
"""Characters of a passage that are shown."""


def show(case: Case, file: TextIO) -> None:
    """Prints it; in bold and as wide as the terminal where there is one."""
    console = Console(file=file, width=None if file.isatty() else WIDTH, highlight=False)
    with console.capture() as captured:
        _case(console, case)
    # Rich fills each line to the width.
    file.writelines(f"{line.rstrip()}\n" for line in captured.get().removesuffix("\n").split("\n"))


def as_json(case: Case, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The same for a program: the question as its file has it, the lines of the results, and which gold each held."""
    question = case.question
    held = [
        [evidence_in(one, question) for one in reply.passages] if question else None
        for reply in case.replies
    ]
    return {
        "id": case.id,
        "outcome": case.ending,
        "question": question.as_json() if question else None,
        "results": [
            {**row, "gold_in_passages": gold} for row, gold in zip(rows, held, strict=True)
        ],
        "scores": dict(case.scores),
        "error": case.error,
    }


def _case(console: Console, case: Case) -> None:
    question = case.question
    facts = [case.id, *((question.kind, question.split) if question else ()), case.ending]
    console.print(_bold(" · ".join(facts)))
    _print(console, "Question", [case.text])
    if question is not None:
        _expected(console, question)
    for reply in case.replies:
        if len(case.replies) > 1:
            console.print(_bold(f"\nRepeat {reply.repeat}"))
        _reply(console, reply, question)
    if case.error is not None and not any(reply.error for reply in case.replies):
        _print(console, "Error", [case.error])
    if case.scores:
        console.print(
            _bold("\nScores" + (" (mean of the repeats)" if len(case.replies) > 1 else ""))
        )
        console.print(_scores(case.scores))


def _expected(console: Console, question: Question) -> None:
    for turn in question.history:
        _print(console, "Earlier", [turn.question, turn.answer])
    if question.answerable:
        _print(console, "Accepted", question.answers)
    else:
        _print(console, "Right", ["a refusal: the documents do not answer it"])
    _print(
        console,
        "Relevant",
        [f"{name} (grade {grade})" for name, grade in question.relevant.items()],
    )


def _reply(console: Console, reply: Result, question: Question | None) -> None:
    if reply.error is not None:
        _print(console, "Error", [reply.error])
        return
    if reply.standalone_question != reply.question:
        _print(console, "Understood as", [reply.standalone_question])
    reason = f" ({reply.reason})" if reply.reason else ""
    seconds = f", {reply.timings['total']:.3f} seconds" if "total" in reply.timings else ""
    tokens = (
        f", {reply.usage.prompt_tokens} + {reply.usage.answer_tokens} tokens" if reply.usage else ""
    )
    told = f"{'Refused' if reply.abstained else 'Answered'}{reason}"
    sure = f"confidence {reply.confidence:.3f}, {reply.engine}{seconds}{tokens}"
    _print(console, told, [reply.answer, sure])
    _print(console, "Note", reply.notices)
    quotes = question.evidence if question else ()
    for number, sentence in enumerate(reply.sentences, start=1):
        _print(
            console, f"Sentence {number}: {SUPPORT[sentence.support]}", _sentence(sentence, quotes)
        )
    for number, quote in enumerate(quotes, start=1):
        _print(console, f"Gold {number}: {_standing(number, question, reply)}", [f"“{quote}”"])
    if reply.passages:
        console.print(_bold(f"\nRead: {len(reply.passages)} passages, best first"))
        console.print(_passages(reply.passages, question))


def _sentence(sentence: AnswerSentence, quotes: Sequence[str]) -> Iterator[str]:
    """Its words, and each citation, with the gold quotes that it shares words with."""
    yield sentence.text
    for citation in sentence.citations:
        gold = [
            str(number)
            for number, quote in enumerate(quotes, start=1)
            if words_agree(citation.quote, quote)
        ]
        of_gold = f"; gold {', '.join(gold)}" if gold else ""
        yield f"[{place(citation)}{of_gold}] “{citation.quote}”"


def _standing(number: int, question: Question | None, reply: Result) -> str:
    """Which of the passages hold a gold quote."""
    ranks = [
        str(rank)
        for rank, passage in enumerate(reply.passages, start=1)
        if question is not None and number in evidence_in(passage, question)
    ]
    read = len(reply.passages)
    return (
        f"passage {', '.join(ranks)} of the {read} read"
        if ranks
        else f"in none of the {read} passages read"
    )


def _passages(passages: Sequence[ResultPassage], question: Question | None) -> Table:
    table = Table(box=SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))
    for head in ("rank", "dense", "lexical", "fused", "reader", "score", "gold"):
        table.add_column(head, justify="right")
    table.add_column("passage", overflow="fold", ratio=1)
    for rank, passage in enumerate(passages, start=1):
        why = passage.why
        gold = evidence_in(passage, question) if question else []
        shown = _excerpt(passage.text, question.evidence if question else ())
        table.add_row(
            str(rank),
            _or_dash(why.dense_rank, ""),
            _or_dash(why.lexical_rank, ""),
            _or_dash(why.fused, ".4f"),
            _or_dash(why.reader, ".2f"),
            _or_dash(passage.score, ".3f"),
            ", ".join(map(str, gold)) or "-",
            Text(visible(f"{passage.document} {passage.start}–{passage.end}\n{shown}")),
        )
    return table


def _excerpt(text: str, quotes: Sequence[str]) -> str:
    """The begin of a passage, or where a gold quote begins in it."""
    start = min((at for quote in quotes if (at := text.find(quote)) > 0), default=0)
    words = " ".join(text[start:].split())
    return f"{'…' if start else ''}{words[:_SHOWN]}{'…' if len(words) > _SHOWN else ''}"


def _scores(scores: Mapping[str, float | None]) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 2))
    for name, value in scores.items():
        metric = metric_named(name)
        table.add_row(Text(visible(metric.marked())), _or_dash(value, f".{metric.decimals}f"))
    return table


def _or_dash(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


def _print(console: Console, name: str, texts: Iterator[str] | Sequence[str]) -> None:
    """A heading and its texts, each on lines of its own; nothing for no text."""
    told = list(texts)
    if told:
        console.print(_bold(name))
        for one in told:
            console.print(Padding(Text(visible(one)), (0, 0, 0, 2)))


def _bold(words: str) -> Text:
    return Text(visible(words), style="bold")
