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
from eval.evidence import evidence_in, words_agree
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
        file.write(line.rstrip())
        file.write("\n")


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


@dataclass(frozen=True, slots=True)
class _Printer:
    """Prints parts of a question. No text steers the terminal, and none is markup to rich."""

    console: Console

    def print_details(self, details: QuestionDetails) -> None:
        question = details.question
        labels = [details.id]
        if question is not None:
            labels += [question.kind, question.split]
        labels.append(details.outcome)
        self._print_heading(" · ".join(labels))
        self._print_part("Question", [details.text])
        if question is not None:
            self._print_expected(question)

        repeated = len(details.results) > 1
        for result in details.results:
            if repeated:
                self._print_heading(f"\nRepeat {result.repeat}")
            self._print_result(result, question)
        # The error of a result has been printed with it.
        if details.error is not None and not details.results:
            self._print_part("Error", [details.error])

        if details.scores:
            note = " (mean of the repeats)" if repeated else ""
            self._print_heading(f"\nScores{note}")
            self.console.print(_scores_table(details.scores))

    def _print_expected(self, question: Question) -> None:
        for turn in question.history:
            self._print_part("Earlier", [turn.question, turn.answer])
        if question.answerable:
            self._print_part("Accepted", question.answers)
        else:
            self._print_part("Right", ["a refusal: the documents do not answer it"])
        for name, grade in question.relevant.items():
            self._print_part("Relevant", [f"{name} (grade {grade})"])

    def _print_result(self, result: Result, question: Question | None) -> None:
        if result.error is not None:
            self._print_part("Error", [result.error])
            return
        if result.standalone_question != result.question:
            self._print_part("Understood as", [result.standalone_question])
        verb = "Refused" if result.abstained else "Answered"
        reason = f" ({result.reason})" if result.reason else ""
        self._print_part(verb + reason, [result.answer, _measurements(result)])
        self._print_part("Note", result.notices)

        quotes = question.evidence if question else ()
        for number, sentence in enumerate(result.sentences, start=1):
            support = SUPPORT[sentence.support]
            lines = _sentence_lines(sentence, quotes)
            self._print_part(f"Sentence {number}: {support}", lines)
        for number, quote in enumerate(quotes, start=1):
            ranks = _ranks_in_words(number, question, result)
            self._print_part(f"Gold {number}: {ranks}", [f"“{quote}”"])
        if result.passages:
            count = len(result.passages)
            self._print_heading(f"\nRead: {count} passages, best first")
            self.console.print(_passage_table(result.passages, question))

    def _print_part(self, heading: str, texts: Sequence[str]) -> None:
        """Prints a heading and its texts, each on its own lines; nothing if there is no text."""
        if texts:
            self._print_heading(heading)
        for text in texts:
            indented = Padding(Text(visible(text)), (0, 0, 0, 2))
            self.console.print(indented)

    def _print_heading(self, text: str) -> None:
        self.console.print(Text(visible(text), style="bold"))


def _measurements(result: Result) -> str:
    """Returns confidence, engine, seconds and tokens in a line."""
    parts = [f"confidence {result.confidence:.3f}", result.engine]
    seconds = result.timings.get("total")
    if seconds is not None:
        parts.append(f"{seconds:.3f} seconds")
    usage = result.usage
    if usage:
        parts.append(f"{usage.prompt_tokens} + {usage.answer_tokens} tokens")
    return ", ".join(parts)


def _sentence_lines(sentence: AnswerSentence, quotes: Sequence[str]) -> list[str]:
    """Returns the sentence, and each citation with the gold quotes that agree with it."""
    lines = [sentence.text]
    for citation in sentence.citations:
        gold = []
        for number, quote in enumerate(quotes, start=1):
            if words_agree(citation.quote, quote):
                gold.append(str(number))
        note = ""
        if gold:
            note = f"; gold {', '.join(gold)}"
        lines.append(f"[{_place(citation)}{note}] “{citation.quote}”")
    return lines


def _place(citation: Citation) -> str:
    page = ""
    if citation.page:
        page = f"page {citation.page}, "
    span = f"characters {citation.start}–{citation.end}"
    return f"{citation.document}, {page}{span}"


def _ranks_in_words(number: int, question: Question | None, result: Result) -> str:
    """Returns at which ranks a gold quote was read."""
    ranks = []
    for rank, passage in enumerate(result.passages, start=1):
        if number in _gold_in(passage, question):
            ranks.append(str(rank))
    count = len(result.passages)
    if not ranks:
        return f"in none of the {count} passages read"
    return f"passage {', '.join(ranks)} of the {count} read"


def _passage_table(passages: Sequence[ResultPassage], question: Question | None) -> Table:
    table = Table(box=SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))
    for heading in _PASSAGE_COLUMNS:
        table.add_column(heading, justify="right")
    table.add_column("passage", overflow="fold", ratio=1)

    quotes = question.evidence if question else ()
    for rank, passage in enumerate(passages, start=1):
        why = passage.why
        gold = _gold_in(passage, question)
        source = f"{passage.document} {passage.start}–{passage.end}"
        excerpt = _excerpt(passage.text, quotes)
        table.add_row(
            str(rank),
            _or_dash(why.dense_rank, ""),
            _or_dash(why.lexical_rank, ""),
            _or_dash(why.fused, ".4f"),
            _or_dash(why.reader, ".2f"),
            _or_dash(passage.score, ".3f"),
            ", ".join(map(str, gold)) or "-",
            Text(visible(f"{source}\n{excerpt}")),
        )
    return table


def _gold_in(passage: ResultPassage, question: Question | None) -> list[int]:
    return evidence_in(passage, question) if question else []


def _excerpt(text: str, quotes: Sequence[str]) -> str:
    """Returns the start of a passage, or the part of it where the first gold quote starts."""
    positions = [text.find(quote) for quote in quotes if quote in text]
    start = min(positions, default=0)
    words = " ".join(text[start:].split())
    before = "…" if start else ""
    after = "…" if len(words) > _EXCERPT else ""
    return before + words[:_EXCERPT] + after


def _scores_table(scores: Scores) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 2))
    for name, value in scores.items():
        label = metric_named(name).marked()
        words = "-"
        if value is not None:
            words = value_text(value, name)
        table.add_row(Text(visible(label)), words)
    return table


def _or_dash(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)
