"""Questions to begin with: a document's own examples, and templates over its sentences.

The templates are English and shy: of most sentences they make nothing. Whatever they make is put to
the bot, and is suggested only when the bot answers it surely, with the sentence it was made of.
"""

import random
import re
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice, pairwise, zip_longest
from typing import Protocol

from qa.documents.sentences import Sentence, segment
from qa.library.catalog import Entry
from qa.text.english import HEDGES, MONTHS, SCALES, STOP_WORDS, VERBS_OF_SAYING, WEEKDAYS
from qa.text.words import terms
from qa.types import Answer, Document, Span

SURE = 0.7
"""The confidence from which on an answer is good enough to lead a person to."""
MAX_QUESTIONS = 16
"""How many questions the bot is asked for one set of suggestions; each takes it some 0.2 s."""
MAX_DOCUMENTS, MAX_CHARACTERS = 6, 30_000
"""How many documents the templates read, and how much of each, from its beginning."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A question, and the name of the document that answers it."""

    question: str
    document: str


@dataclass(frozen=True, slots=True)
class TemplateQuestion:
    """A question that a template made, its kind, and the sentences that should answer it."""

    question: str
    kind: str
    span: Span


class Answerer(Protocol):
    """What answers a question: `qa.bot.Bot`."""

    def ask(
        self, question: str, *, documents: Collection[str] | None = None, built_in: bool = False
    ) -> Answer: ...


_WORD = r"[\w’'-]+"
# Inside a sentence every capital begins a name; at its beginning a second capital has to follow.
_NAME = (
    rf"(?P<name>(?:(?<=[a-z] )|(?<=[,”\"] ))[A-Z]{_WORD}(?: [A-Z]{_WORD}){{0,3}}"
    rf"|^[A-Z]{_WORD}(?: [A-Z]{_WORD}){{1,3}})(?<![’']s)"
)
_THING = (
    rf"^(?P<thing>(?:The|An?) (?:{_WORD} ){{0,5}}?{_WORD}"
    rf"|[A-Z]{_WORD}(?: [A-Z]{_WORD})+)"
)
_DONE = r"(?P<aux>is|are|was|were|will be) (?P<done>[a-z]+(?:ed|lt|ld|wn|nd|en))"
_DATE = rf"(?:on|in) (?:[\w.,]+ ){{0,3}}?(?:\d{{4}}|{'|'.join(MONTHS + WEEKDAYS)})\b"
_SAYS = rf"(?:also )?(?:{'|'.join(VERBS_OF_SAYING)})\b"
_ROLE = (
    r"(?:official|minister|president|secretary|spokes\w+|director|chief|head|chair\w*|leader"
    r"|founder|member|professor|scholar|analyst|consultant|officer|author|mayor|coach|manager)\b"
)
_COUNTED = (
    rf"(?:^|, |\b(?i:{'|'.join(HEDGES)}) )\d[\d,.]*(?: (?:{'|'.join(SCALES)}))? "
    r"(?P<counted>(?:[a-z-]+ )?(?:[a-z]{3,}s|people|men|women|children))"
)
_REST = rf"(?P<rest>(?:[a-z]+ed|are|were|have|had|will)(?: {_WORD}){{1,7}})(?=[.,;])"

_TEMPLATES = (
    ("person", rf"{_NAME}, (?:an?|the) [^,]*\b{_ROLE}", "Who is {name}?"),
    ("attribution", rf"{_NAME} {_SAYS}", "What did {name} say?"),
    ("attribution", rf"[,”\"] said {_NAME}", "What did {name} say?"),
    ("number", rf"{_COUNTED} {_REST}", "How many {counted} {rest}?"),
    ("number", rf"{_THING} costs ", "How much does {thing} cost?"),
    ("number", rf"{_THING} cost ", "How much did {thing} cost?"),
    ("fact", rf"{_THING} {_DONE}(?: [a-z ]+)?,? {_DATE}", "When {aux} {thing} {done}?"),
    ("fact", rf"{_THING} {_DONE} (?:in|at|near) (?:the )?[A-Z]", "Where {aux} {thing} {done}?"),
)
"""Kind, pattern of a sentence on one line, and question."""
_QUESTION = re.compile(r"(?:Q: )?(?P<question>[A-Z][\w’' ,%&()-]+\?)")
"""A question that stands in the document, as in a list of frequent questions."""
_HEADING = re.compile(rf"[^\W\d_]{_WORD}(?: {_WORD}){{0,3}}")
_UNCLEAR = re.compile(
    r"\b(?:he|she|it|they|him|her|his|its|them|their|we|us|our|this|that|these|those|here|there"
    r"|then|now|later|today|yesterday|tomorrow|last|next)\b",
    re.IGNORECASE,
)
"""Words that point out of a question, so that it cannot be understood by itself."""


def suggest(
    bot: Answerer,
    entries: Sequence[Entry],
    read: Callable[[str], Document | None],
    count: int = 4,
    seed: int = 0,
    stop: threading.Event | None = None,
) -> tuple[Suggestion, ...]:
    """Returns up to `count` questions that the bot answers surely, none similar to another.

    `entries` are the documents to ask about, and `read` returns a document by its name. The
    documents' own examples come first, then the templates'; documents take turns. The same
    arguments give the same suggestions. `stop`, once set, ends the search with what there is.
    """
    chosen: list[Suggestion] = []
    for proposed in islice(_proposed(entries, read, seed), MAX_QUESTIONS):
        is_stopped = stop is not None and stop.is_set()
        if is_stopped or len(chosen) == count:
            break
        if _is_similar(proposed.question, chosen):
            continue
        if _is_sure(bot, proposed):
            suggestion = Suggestion(proposed.question, proposed.document)
            chosen.append(suggestion)
    return tuple(chosen)


def template_questions(document: Document) -> tuple[TemplateQuestion, ...]:
    """Returns what the templates make of a document, in its order, each question once."""
    sentences = segment(document)
    lines = []
    for sentence in sentences:
        words = document.text_of(sentence.span).split()
        lines.append(" ".join(words))

    questions: dict[str, TemplateQuestion] = {}
    for filled in chain(_of_prose(sentences, lines), _of_headings(sentences, lines)):
        question = filled.question
        # A question with one term says too little about what it asks for.
        is_specific = len(set(terms(question))) > 1
        if is_specific and not _UNCLEAR.search(question):
            questions.setdefault(question, filled)
    return tuple(questions.values())


def _of_prose(sentences: Sequence[Sentence], lines: Sequence[str]) -> Iterator[TemplateQuestion]:
    """Yields the question of each template that fits a sentence."""
    for sentence, line in zip(sentences, lines, strict=True):
        if not sentence.may_answer or sentence.kind not in ("prose", "item"):
            continue
        for kind, pattern, template in _TEMPLATES:
            match = re.search(pattern, line)
            if not match:
                continue

            words = match.groupdict()
            # At a sentence's beginning a capital may be that of "In" or "As".
            name = words.get("name", "")
            first_word = name.partition(" ")[0]
            if first_word.casefold() in STOP_WORDS:
                continue

            words["thing"] = _without_capital(words.get("thing", ""))
            question = template.format(**words)
            yield TemplateQuestion(question, kind, sentence.span)


def _without_capital(thing: str) -> str:
    """Returns a thing as it stands inside a sentence."""
    if thing.startswith(("The ", "A ", "An ")):
        return thing[0].lower() + thing[1:]
    return thing


def _of_headings(sentences: Sequence[Sentence], lines: Sequence[str]) -> Iterator[TemplateQuestion]:
    """Yields the questions of headings, and questions that stand in the text, with their paragraph.

    A paragraph that may answer has to follow.
    """
    for index, (sentence, following) in enumerate(pairwise(sentences)):
        if not following.may_answer:
            continue

        paragraph = _paragraph(sentences, index + 1)
        line = lines[index]
        match = _QUESTION.fullmatch(line)
        # The first heading is the document's title, which is not a question's subject.
        is_subject = index > 0 and sentence.kind == "heading"
        if match:
            yield TemplateQuestion(match["question"], "fact", paragraph)
        elif is_subject and _HEADING.fullmatch(line):
            yield TemplateQuestion(f"What about {line}?", "fact", paragraph)


def _paragraph(sentences: Sequence[Sentence], first_index: int) -> Span:
    """Returns the span of the paragraph that begins with the sentence at this index."""
    first = sentences[first_index]
    last = first
    # By index: a slice to the end of the document would be copied for every paragraph.
    for index in range(first_index + 1, len(sentences)):
        sentence = sentences[index]
        if sentence.paragraph != first.paragraph:
            break
        last = sentence
    return Span(first.span.start, last.span.end)


@dataclass(frozen=True, slots=True)
class _Proposed:
    """A question to put to the bot."""

    document: str
    """The name of the document."""
    question: str
    span: Span | None = None
    """What should answer a template's question; of a document's own example it is not known."""
    version: str = ""
    """The version of the text that the span counts in."""


def _proposed(
    entries: Sequence[Entry], read: Callable[[str], Document | None], seed: int
) -> Iterator[_Proposed]:
    """Yields the documents' examples, and then what the templates make of some of them."""
    examples = []
    for entry in entries:
        row = [_Proposed(entry.name, example) for example in entry.examples]
        examples.append(row)
    yield from _in_turn(examples)

    rng = random.Random(seed)
    without_examples = [entry for entry in entries if not entry.examples]
    pool = without_examples or list(entries)
    size = min(MAX_DOCUMENTS, len(pool))
    is_only_document = len(entries) == 1
    rows = []
    for entry in rng.sample(pool, size):
        document = read(entry.name)
        if document is None:
            # It was removed meanwhile.
            continue
        row = []
        beginning = _beginning(document)
        for filled in template_questions(beginning):
            # Among several documents only a name shows which of them the question means.
            has_name = re.search(" [A-Z]", filled.question)
            if is_only_document or has_name:
                row.append(_proposal(document, filled))
        rng.shuffle(row)
        rows.append(row)
    yield from _in_turn(rows)


def _proposal(document: Document, filled: TemplateQuestion) -> _Proposed:
    return _Proposed(document.name, filled.question, filled.span, document.version)


def _in_turn(rows: Sequence[Sequence[_Proposed]]) -> Iterator[_Proposed]:
    """Yields the first item of each row, then the second of each, and so on."""
    for column in zip_longest(*rows):
        for proposed in column:
            if proposed is not None:
                yield proposed


def _beginning(document: Document) -> Document:
    """Returns the document, a long one cut at the end of a line."""
    if len(document.text) <= MAX_CHARACTERS:
        return document
    line_end = document.text.rfind("\n", 0, MAX_CHARACTERS)
    # Without a line end nothing is left: half a sentence makes half a question.
    end = max(0, line_end)
    return replace(document, text=document.text[:end])


def _is_similar(question: str, chosen: Sequence[Suggestion]) -> bool:
    """Returns whether more than half of the shorter question's terms are in the other question."""
    new_terms = set(terms(question))
    for suggestion in chosen:
        chosen_terms = set(terms(suggestion.question))
        shared = len(new_terms & chosen_terms)
        shorter = min(len(new_terms), len(chosen_terms))
        if new_terms == chosen_terms or 2 * shared > shorter:
            return True
    return False


def _is_sure(bot: Answerer, proposed: _Proposed) -> bool:
    """Returns whether the bot is sure of an answer that begins inside the span, if any."""
    span = proposed.span
    answer = bot.ask(proposed.question, documents=[proposed.document], built_in=True)
    if answer.abstained or answer.confidence < SURE:
        return False
    if span is None:
        return True

    first_sentence = answer.sentences[0]
    citation = first_sentence.citations[-1]
    is_inside = span.start <= citation.start and citation.end <= span.end
    # The span counts characters of this version of the text only.
    return is_inside and citation.version == proposed.version
