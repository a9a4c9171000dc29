"""One question of a run in full, for a terminal: question, gold, what was read, answer, scores."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TextIO

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from eval.dataset import Question
from eval.evidence import evidence_in, words_agree
from eval.metrics import metric_named
from eval.report.details import QuestionDetails
from eval.report.failures import SUPPORT
from eval.report.terminal import WIDTH
from eval.report.values import value_text
from eval.results import Result, ResultPassage
from qa.terminal import visible
from qa.types import AnswerSentence, Citation

_EXCERPT = 160
"""Characters of a passage that are shown."""


def print_question(details: QuestionDetails, file: TextIO) -> None:
    """Prints everything known of a question; with bold headings where the file is a terminal."""
    console = Console(file=file, width=None if file.isatty() else WIDTH, highlight=False)
    with console.capture() as captured:
        _print_details(console, details)
    # Rich pads each line to the width.
    lines = captured.get().removesuffix("\n").split("\n")
    file.writelines(f"{line.rstrip()}\n" for line in lines)


def as_json(details: QuestionDetails, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Returns the same for a program.

    `rows` are the lines of results.jsonl of this question, as they are. Each gets the numbers of
    the gold quotes that each of its passages holds.
    """
    question = details.question
    results = []
    for row, result in zip(rows, details.results, strict=True):
        gold = None
        if question is not None:
            gold = [evidence_in(passage, question) for passage in result.passages]
        results.append({**row, "gold_in_passages": gold})
    return {
        "id": details.id,
        "outcome": details.outcome,
        "question": question.as_json() if question else None,
        "results": results,
        "scores": dict(details.scores),
        "error": details.error,
    }


def _print_details(console: Console, details: QuestionDetails) -> None:
    question = details.question
    labels = [question.kind, question.split] if question else []
    console.print(_bold(" · ".join([details.id, *labels, details.outcome])))
    _print_part(console, "Question", [details.text])
    if question is not None:
        _print_expected(console, question)

    repeated = len(details.results) > 1
    for result in details.results:
        if repeated:
            console.print(_bold(f"\nRepeat {result.repeat}"))
        _print_result(console, result, question)
    if details.error is not None and not any(result.error for result in details.results):
        _print_part(console, "Error", [details.error])

    if details.scores:
        heading = "Scores (mean of the repeats)" if repeated else "Scores"
        console.print(_bold(f"\n{heading}"))
        console.print(_scores_table(details.scores))


def _print_expected(console: Console, question: Question) -> None:
    for turn in question.history:
        _print_part(console, "Earlier", [turn.question, turn.answer])
    if question.answerable:
        _print_part(console, "Accepted", question.answers)
    else:
        _print_part(console, "Right", ["a refusal: the documents do not answer it"])
    relevant = [f"{name} (grade {grade})" for name, grade in question.relevant.items()]
    _print_part(console, "Relevant", relevant)


def _print_result(console: Console, result: Result, question: Question | None) -> None:
    if result.error is not None:
        _print_part(console, "Error", [result.error])
        return
    if result.standalone_question != result.question:
        _print_part(console, "Understood as", [result.standalone_question])
    heading = "Refused" if result.abstained else "Answered"
    if result.reason:
        heading += f" ({result.reason})"
    _print_part(console, heading, [result.answer, _measurements(result)])
    _print_part(console, "Note", result.notices)

    quotes = question.evidence if question else ()
    for number, sentence in enumerate(result.sentences, start=1):
        heading = f"Sentence {number}: {SUPPORT[sentence.support]}"
        _print_part(console, heading, _sentence_lines(sentence, quotes))
    for number, quote in enumerate(quotes, start=1):
        ranks = _ranks_of_quote(number, question, result)
        _print_part(console, f"Gold {number}: {ranks}", [f"“{quote}”"])
    if result.passages:
        console.print(_bold(f"\nRead: {len(result.passages)} passages, best first"))
        console.print(_passage_table(result.passages, question))


def _measurements(result: Result) -> str:
    """Returns confidence, engine, seconds and tokens in a line."""
    parts = [f"confidence {result.confidence:.3f}", result.engine]
    if "total" in result.timings:
        parts.append(f"{result.timings['total']:.3f} seconds")
    if result.usage:
        parts.append(f"{result.usage.prompt_tokens} + {result.usage.answer_tokens} tokens")
    return ", ".join(parts)


def _sentence_lines(sentence: AnswerSentence, quotes: Sequence[str]) -> list[str]:
    """Returns the sentence, and each citation with the gold quotes that agree with it."""
    lines = [sentence.text]
    for citation in sentence.citations:
        gold = [
            str(number)
            for number, quote in enumerate(quotes, start=1)
            if words_agree(citation.quote, quote)
        ]
        note = f"; gold {', '.join(gold)}" if gold else ""
        lines.append(f"[{_place(citation)}{note}] “{citation.quote}”")
    return lines


def _place(citation: Citation) -> str:
    page = f"page {citation.page}, " if citation.page else ""
    return f"{citation.document}, {page}characters {citation.start}–{citation.end}"


def _ranks_of_quote(number: int, question: Question | None, result: Result) -> str:
    """Returns in words at which ranks a gold quote was read."""
    ranks = [
        str(rank)
        for rank, passage in enumerate(result.passages, start=1)
        if question is not None and number in evidence_in(passage, question)
    ]
    count = len(result.passages)
    if not ranks:
        return f"in none of the {count} passages read"
    return f"passage {', '.join(ranks)} of the {count} read"


def _passage_table(passages: Sequence[ResultPassage], question: Question | None) -> Table:
    table = Table(box=SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))
    for heading in ("rank", "dense", "lexical", "fused", "reader", "score", "gold"):
        table.add_column(heading, justify="right")
    table.add_column("passage", overflow="fold", ratio=1)

    quotes = question.evidence if question else ()
    for rank, passage in enumerate(passages, start=1):
        gold = evidence_in(passage, question) if question else []
        source = f"{passage.document} {passage.start}–{passage.end}"
        table.add_row(
            str(rank),
            _or_dash(passage.why.dense_rank, ""),
            _or_dash(passage.why.lexical_rank, ""),
            _or_dash(passage.why.fused, ".4f"),
            _or_dash(passage.why.reader, ".2f"),
            _or_dash(passage.score, ".3f"),
            ", ".join(map(str, gold)) or "-",
            Text(visible(f"{source}\n{_excerpt(passage.text, quotes)}")),
        )
    return table


def _excerpt(text: str, quotes: Sequence[str]) -> str:
    """Returns the start of a passage, or the part of it where the first gold quote starts."""
    starts = [text.find(quote) for quote in quotes]
    start = min((position for position in starts if position > 0), default=0)
    words = " ".join(text[start:].split())
    before = "…" if start else ""
    after = "…" if len(words) > _EXCERPT else ""
    return f"{before}{words[:_EXCERPT]}{after}"


def _scores_table(scores: Mapping[str, float | None]) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 2))
    for name, value in scores.items():
        words = "-" if value is None else value_text(value, name)
        table.add_row(Text(visible(metric_named(name).marked())), words)
    return table


def _or_dash(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


def _print_part(console: Console, heading: str, texts: Iterable[str]) -> None:
    """Prints a heading and its texts, each on its own lines; nothing if there is no text."""
    lines = list(texts)
    if lines:
        console.print(_bold(heading))
    for line in lines:
        console.print(Padding(Text(visible(line)), (0, 0, 0, 2)))


def _bold(words: str) -> Text:
    return Text(visible(words), style="bold")
