"""The HTML of questions and answers. No Streamlit here, and every text is escaped."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final, Literal

from qa.config import BUILT_IN
from qa.types import AnswerSentence, Citation, PartRole, Span, Support
from ui.chat.transcript import Failure, StoredAnswer, StoredPassage
from ui.highlight import Highlight, Piece, excerpt
from ui.jinja import count, render

SUPPORT: Final[dict[Support, tuple[str, str]]] = {
    "verbatim": ("❝", "exact quote"),
    "supported": ("✓", "backed by the source"),
    "weak": ("◐", "only partly backed by the source"),
    "unsupported": ("✗", "not found in the documents"),
}
"""How well the citations support a sentence: a sign, and words."""
DOUBTFUL: Final = ("weak", "unsupported")
SLOW_START: Final = "slow start"
"""The stage of a language model that has been silent for long."""
STAGES: Final = {
    "waits": "Waiting…",
    "loading": "Loading the models…",
    "adding": "Adding the files to the library…",
    "understand": "Understanding the question…",
    "retrieve": "Searching the documents…",
    "read": "Reading the best matches…",
    "answer": "Writing the answer…",
    SLOW_START: "The model has not begun to answer. It may still be loading, or reading.",
    "words": "Writing the answer…",
    "verify": "Checking each sentence against the documents…",
}
TIMINGS: Final = {
    "retrieve": "searched",
    "read": "read",
    "answer": "answered",
    "verify": "checked",
    "first_words": "first words after",
    "total": "in total",
}
MIN_TIMING: Final = 0.005
"""Seconds that would be shown as 0.00 are left out."""
CONTEXT: Final = 220
"""Characters of the passage shown on either side of the cited words."""
Shape = Literal["prose", "row", "list", "steps", "code"]
SHAPES: Final[dict[PartRole, Shape]] = {
    "code": "code",
    "step": "steps",
    "item": "list",
    "value": "row",
}
"""How a sentence is shown that has a part of this role."""
CLOSEST: Final = 3
"""Passages shown below a refusal."""


@dataclass(frozen=True, slots=True)
class Footnote:
    """A footnote of an answer: its number, from 1 in order of appearance, and its citation."""

    number: int
    citation: Citation


Stretches = list[tuple[str, bool]]
"""Stretches of text, each with whether it is bold."""


@dataclass(frozen=True, slots=True)
class _DisplayedPart:
    """A cell, an item, a step, a lead-in or code, with the footnotes of its own words."""

    role: PartRole
    stretches: Stretches
    footnotes: list[Footnote]


@dataclass(frozen=True, slots=True)
class _DisplayedSentence:
    """A sentence as its template needs it: prose in `head` and `tail`, else `parts`."""

    head: Stretches
    tail: Stretches
    """The last word, which stays on one line with the footnotes."""
    parts: list[_DisplayedPart]
    footnotes: list[Footnote]
    """Those that no part has."""
    support: Support
    sign: str
    label: str

    @property
    def shape(self) -> Shape:
        """How it is shown, by the parts that it has."""
        roles = {part.role for part in self.parts}
        for role, shape in SHAPES.items():
            if role in roles:
                return shape
        return "prose"

    @property
    def lead_ins(self) -> list[_DisplayedPart]:
        return [part for part in self.parts if part.role == "lead-in"]

    @property
    def items(self) -> list[_DisplayedPart]:
        """The parts after the line that introduces them."""
        return [part for part in self.parts if part.role != "lead-in"]

    @property
    def cells(self) -> list[tuple[Stretches, Stretches]]:
        """The cells of a row: the name of the column, which may be empty, and the value."""
        cells: list[tuple[Stretches, Stretches]] = []
        name: Stretches = []
        for part in self.parts:
            if part.role == "name":
                name = part.stretches
            else:
                cells.append((name, part.stretches))
                name = []
        return cells


@dataclass(frozen=True, slots=True)
class _Card:
    """The passage around a footnote's words."""

    footnote: Footnote
    publisher: str | None
    pieces: list[Piece]


def footnotes(answer: StoredAnswer) -> tuple[Footnote, ...]:
    """Returns the footnotes of an answer; words that are cited twice keep their first number."""
    citations: dict[Citation, None] = {}
    for sentence in answer.shown_sentences:
        citations.update(dict.fromkeys(sentence.citations))
    return tuple(Footnote(number, citation) for number, citation in enumerate(citations, 1))


def answer_html(answer: StoredAnswer) -> str:
    """Returns an answer with its footnotes, or a refusal; below it the passages that were read.

    A reply, for example to a greeting, is shown as plain text.
    """
    if answer.is_reply:
        return render("reply.html", answer=answer)
    by_citation = {footnote.citation: footnote for footnote in footnotes(answer)}
    sentences = [_sentence_view(sentence, by_citation) for sentence in answer.shown_sentences]
    cards = [_card(footnote, answer.passages) for footnote in by_citation.values()]
    model = "" if answer.engine == BUILT_IN else answer.engine
    template = "refusal.html" if answer.abstained else "answer.html"
    return render(
        template,
        answer=answer,
        blocks=_blocks(sentences),
        cards=cards,
        model=model,
        closest=answer.passages[:CLOSEST],
        timings=_timings(answer),
    )


def question_html(question: str, standalone: str | None = None) -> str:
    """Returns a question as a heading; `standalone` is the question it was understood as."""
    return render("question.html", question=question, standalone=standalone)


def stage_html(stage: str) -> str:
    """Returns the line that says what is being done about a question."""
    return render(
        "paragraph.html", style="stage", role="status", text=STAGES.get(stage, "Working…")
    )


def words_html(words: str) -> str:
    """Returns what a language model has written so far, unchecked."""
    return render("words.html", lines=_lines(words))


def failure_html(failure: Failure) -> str:
    """Returns why there is no answer, and what a language model had written until then."""
    return render(
        "failure.html",
        message=failure.message,
        stopped=failure.stopped,
        lines=_lines(failure.streamed),
    )


def announcement(answer: StoredAnswer) -> str:
    """Returns what a screen reader says when an answer arrives: plain text, not HTML."""
    parts = list(answer.notices)
    if answer.abstained:
        parts.append(answer.text)
        if answer.nearest:
            parts.append(f"The nearest is: {answer.nearest.text}")
        return " ".join(parts)
    for sentence in answer.sentences:
        doubt = f" ({SUPPORT[sentence.support][1]})" if sentence.support in DOUBTFUL else ""
        parts.append(sentence.text + doubt)
    parts.append(count(len(footnotes(answer)), "footnote"))
    return f"{' '.join(parts)}."


def _lines(words: str) -> list[str]:
    return [line for line in words.splitlines() if line.strip()]


def _timings(answer: StoredAnswer) -> list[str]:
    timings = []
    for stage, seconds in answer.timings.items():
        if seconds >= MIN_TIMING:
            timings.append(f"{TIMINGS.get(stage, stage)} {seconds:.2f} s")
    return timings


def _blocks(
    sentences: Sequence[_DisplayedSentence],
) -> list[tuple[Shape, list[_DisplayedSentence]]]:
    """Returns the sentences in groups of one shape: those of prose make one paragraph."""
    groups = groupby(sentences, key=lambda sentence: sentence.shape)
    return [(shape, list(group)) for shape, group in groups]


def _sentence_view(
    sentence: AnswerSentence, by_citation: dict[Citation, Footnote]
) -> _DisplayedSentence:
    sign, label = SUPPORT[sentence.support]
    numbered = [by_citation[citation] for citation in dict.fromkeys(sentence.citations)]
    # A row has one citation for all names of columns and one for all values.
    each_has_one = len(numbered) == len(sentence.parts)
    parts = []
    for index, part in enumerate(sentence.parts):
        stretches = _bold_parts(sentence, part.start, part.end)
        part_footnotes = [numbered[index]] if each_has_one else []
        parts.append(_DisplayedPart(part.role, stretches, part_footnotes))

    # A line that begins with a footnote reads badly, so the last word stays with its footnotes.
    last_word = sentence.text.rstrip().rfind(" ") + 1
    return _DisplayedSentence(
        head=_bold_parts(sentence, 0, last_word),
        tail=_bold_parts(sentence, last_word, len(sentence.text)),
        parts=parts,
        footnotes=[] if each_has_one else numbered,
        support=sentence.support,
        sign=sign,
        label=label,
    )


def _bold_parts(sentence: AnswerSentence, start: int, end: int) -> Stretches:
    """Returns `text[start:end]` in parts; those that answer the question are bold."""
    bold = sentence.bold_span or Span(end, end)
    first = min(max(bold.start, start), end)
    last = max(min(bold.end, end), first)
    text = sentence.text
    parts = [(text[start:first], False), (text[first:last], True), (text[last:end], False)]
    return [part for part in parts if part[0]]


def _card(footnote: Footnote, passages: Sequence[StoredPassage]) -> _Card:
    """Returns the card of a footnote; without its passage, the quote alone."""
    citation = footnote.citation
    # A citation of an older version may have no passage: then its quote is all there is.
    text, start, publisher = citation.quote, citation.start, None
    for passage in passages:
        if passage.holds(citation):
            text, start, publisher = passage.text, passage.start, passage.publisher
            break
    highlight = Highlight(footnote.number, citation.start - start, citation.end - start)
    return _Card(footnote, publisher, excerpt(text, highlight, CONTEXT))
