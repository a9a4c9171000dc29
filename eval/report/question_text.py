"""One question of a run in full, for a terminal: question, gold, what was read, answer, scores."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TextIO

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from eval.dataset import Question
from eval.evidence import evidence_in, quotes_in
from eval.metrics import metric_named
from eval.report.details import QuestionDetails
from eval.report.failures import SUPPORT
from eval.report.terminal import WIDTH
from eval.report.values import value_text
from eval.run_schema import Result, ResultPassage, Scores
from qa.terminal import visible
from qa.types import AnswerSentence, Citation

_EXCERPT = 160
"""Characters of a passage that are shown."""
_INDENT = (0, 0, 0, 2)
"""Columns on each side of a text below its heading: top, right, bottom, left."""
_PASSAGE_COLUMNS = ("rank", "dense", "lexical", "fused", "reader", "score", "gold")


def print_question(details: QuestionDetails, file: TextIO) -> None:
    """Prints everything known of a question; with bold headings where the file is a terminal."""
    width = None if file.isatty() else WIDTH
    console = Console(file=file, width=width, highlight=False)
    with console.capture() as captured:
        _Printer(console).print_details(details)
    # Rich pads each line to the width.
    text = captured.get().removesuffix("\n")
    for line in text.split("\n"):
        shortened = line.rstrip()
        file.write(f"{shortened}\n")


def as_json(details: QuestionDetails, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Returns the same for a program.

    `rows` are the lines of results.jsonl of this question, as they are. Each gets the numbers of
    the gold quotes that each of its passages holds.
    """
    question = details.question
    results = []
    for row, result in zip(rows, details.results, strict=True):
        # None where the question is not known; a list of empty lists where nothing was found.
        gold = None
        if question is not None:
            gold = [evidence_in(passage, question) for passage in result.passages]
        result_row = dict(row)
        result_row["gold_in_passages"] = gold
        results.append(result_row)
    return {
        "id": details.id,
        "outcome": details.outcome,
        "question": question.as_json() if question else None,
        "results": results,
        "scores": dict(details.scores),
        "error": details.error,
    }


@dataclass(frozen=True, slots=True)
class _Printer:
    """Prints parts of a question. No text steers the terminal, and none is markup to rich."""

    console: Console

    def print_details(self, details: QuestionDetails) -> None:
        question = details.question
        results = details.results
        is_repeated = len(results) > 1
        self._print_title(details)
        self._print_part("Question", [details.text])
        if question is not None:
            self._print_expected(question)

        for result in results:
            if is_repeated:
                self._print_heading(f"\nRepeat {result.repeat}")
            self._print_result(result, question)
        # The error of a result has been printed with it.
        if details.error is not None and not results:
            self._print_part("Error", [details.error])

        if details.scores:
            note = " (mean of the repeats)" if is_repeated else ""
            self._print_heading(f"\nScores{note}")
            table = _scores_table(details.scores)
            self.console.print(table)

    def _print_title(self, details: QuestionDetails) -> None:
        labels = [details.id]
        if details.question is not None:
            labels += [details.kind, details.split]
        labels.append(details.outcome)
        self._print_heading(" · ".join(labels))

    def _print_expected(self, question: Question) -> None:
        for turn in question.history:
            self._print_part("Earlier", [turn.question, turn.answer])
        if question.answerable:
            self._print_part("Accepted", question.answers)
        else:
            words = "a refusal: the documents do not answer it"
            self._print_part("Right", [words])
        # Other formats grade documents and have no quotes.
        for name, grade in question.relevant.items():
            words = f"{name} (grade {grade})"
            self._print_part("Relevant", [words])

    def _print_result(self, result: Result, question: Question | None) -> None:
        if result.error is not None:
            self._print_part("Error", [result.error])
            return
        # A follow-up is read as a question that is understood by itself.
        standalone = result.standalone_question
        if standalone != result.question:
            self._print_part("Understood as", [standalone])
        heading = "Answered"
        if result.abstained:
            heading = f"Refused ({result.reason})" if result.reason else "Refused"
        measurements = _measurements(result)
        self._print_part(heading, [result.answer, measurements])
        self._print_part("Note", result.notices)

        quotes = question.evidence if question else ()
        for number, sentence in enumerate(result.sentences, start=1):
            support = SUPPORT[sentence.support]
            heading = f"Sentence {number}: {support}"
            lines = _sentence_lines(sentence, question)
            self._print_part(heading, lines)
        if result.nearest:
            lines = _sentence_lines(result.nearest, question)
            self._print_part("Nearest, not an answer", lines)
        for number, quote in enumerate(quotes, start=1):
            ranks = _ranks_in_words(number, question, result)
            heading = f"Gold {number}: {ranks}"
            self._print_part(heading, [f"“{quote}”"])
        self._print_passages(result.passages, question)

    def _print_passages(
        self,
        passages: Sequence[ResultPassage],
        question: Question | None,
    ) -> None:
        if not passages:
            return
        count = len(passages)
        table = _passage_table(passages, question)
        self._print_heading(f"\nRead: {count} passages, best first")
        self.console.print(table)

    def _print_part(self, heading: str, texts: Sequence[str]) -> None:
        """Prints a heading and its texts, each on its own lines; nothing if there is no text."""
        if texts:
            self._print_heading(heading)
        for text in texts:
            content = Text(visible(text))
            indented = Padding(content, _INDENT)
            self.console.print(indented)

    def _print_heading(self, text: str) -> None:
        heading = Text(visible(text), style="bold")
        self.console.print(heading)


def _measurements(result: Result) -> str:
    """Returns confidence, engine, seconds and tokens in a line."""
    parts = [f"confidence {result.confidence:.3f}", result.engine]
    seconds = result.timings.get("total")
    if seconds is not None:
        parts.append(f"{seconds:.3f} seconds")
    usage = result.usage
    # The built-in engine uses no tokens.
    if usage:
        tokens = f"{usage.prompt_tokens} + {usage.answer_tokens}"
        parts.append(f"{tokens} tokens")
    return ", ".join(parts)


def _sentence_lines(sentence: AnswerSentence, question: Question | None) -> list[str]:
    """Returns the sentence, and each citation with the gold quotes that agree with it."""
    lines = [sentence.text]
    for citation in sentence.citations:
        gold: list[int] = []
        if question is not None:
            gold = quotes_in(citation.quote, citation.document, question)
        source = _source(citation)
        if gold:
            numbers = ", ".join(map(str, gold))
            source = f"{source}; gold {numbers}"
        lines.append(f"[{source}] “{citation.quote}”")
    return lines


def _source(citation: Citation) -> str:
    """Returns where a quote stands, in words."""
    parts = [citation.document]
    if citation.page:
        parts.append(f"page {citation.page}")
    parts.append(f"characters {citation.start}–{citation.end}")
    return ", ".join(parts)


def _ranks_in_words(number: int, question: Question | None, result: Result) -> str:
    """Returns at which ranks a gold quote was read."""
    ranks = []
    for rank, passage in enumerate(result.passages, start=1):
        gold = _gold_in(passage, question)
        if number in gold:
            ranks.append(str(rank))
    count = len(result.passages)
    if not ranks:
        return f"in none of the {count} passages read"
    ranks_text = ", ".join(ranks)
    return f"passage {ranks_text} of the {count} read"


def _passage_table(passages: Sequence[ResultPassage], question: Question | None) -> Table:
    table = Table(box=SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))
    for heading in _PASSAGE_COLUMNS:
        table.add_column(heading, justify="right")
    table.add_column("passage", overflow="fold", ratio=1)

    quotes = question.evidence if question else ()
    for rank, passage in enumerate(passages, start=1):
        why = passage.why
        gold = map(str, _gold_in(passage, question))
        source = f"{passage.document} {passage.start}–{passage.end}"
        excerpt = _excerpt(passage.text, quotes)
        content = visible(f"{source}\n{excerpt}")
        table.add_row(
            str(rank),
            _or_dash(why.dense_rank),
            _or_dash(why.lexical_rank),
            _or_dash(why.fused, ".4f"),
            _or_dash(why.reader, ".2f"),
            _or_dash(passage.score, ".3f"),
            ", ".join(gold) or "-",
            Text(content),
        )
    return table


def _gold_in(passage: ResultPassage, question: Question | None) -> list[int]:
    """Returns the numbers of the gold quotes in a passage; none where the question is unknown."""
    if question is None:
        return []
    return evidence_in(passage, question)


def _excerpt(text: str, quotes: Sequence[str]) -> str:
    """Returns the start of a passage, or the part of it where the first gold quote starts."""
    positions = []
    for quote in quotes:
        position = text.find(quote)
        # A quote that begins in another passage is not found whole in this one.
        if position >= 0:
            positions.append(position)
    start = min(positions, default=0)

    words = " ".join(text[start:].split())
    excerpt = words[:_EXCERPT]
    if start:
        excerpt = f"…{excerpt}"
    if len(words) > _EXCERPT:
        excerpt = f"{excerpt}…"
    return excerpt


def _scores_table(scores: Scores) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 2))
    for name, value in scores.items():
        metric = metric_named(name)
        label = visible(metric.marked())
        words = "-"
        if value is not None:
            words = value_text(value, name)
        table.add_row(Text(label), words)
    return table


def _or_dash(value: float | None, form: str = "") -> str:
    if value is None:
        return "-"
    return format(value, form)
