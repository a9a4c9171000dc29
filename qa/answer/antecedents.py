"""Finds the sentence that another sentence cannot be understood without.

"She thanked the workers." needs the sentence before it that names her.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from operator import attrgetter

from qa.documents.sentences import Sentence
from qa.library.snapshot import Snapshot
from qa.reader.reader import Candidate
from qa.text.english import VERBS_OF_SAYING
from qa.types import Document

MAX_LOOK_BACK = 6
"""How many sentences before a pronoun may the name be that it means."""

_OPENING_SIGNS = r"^[“\"‘'(\[]*"
_OPENS_WITH_PERSON = re.compile(rf"{_OPENING_SIGNS}(?:he|she|they|his|her|their)\b", re.IGNORECASE)
_OPENS_WITH_THING = re.compile(
    rf"{_OPENING_SIGNS}(?:it|its|this|that|these|those)\b(?!['’])", re.IGNORECASE
)
_SAID = rf"(?:{'|'.join(VERBS_OF_SAYING)})"
_PRONOUN_SAID = re.compile(
    rf"[,”\"’]\s*(?:he|she|they)\s+(?:also\s+|then\s+)?{_SAID}\b", re.IGNORECASE
)
"""“The cranes will lift forty tons,” he said."""
_NAME_SAID = re.compile(rf"\b{_SAID}\s+[A-Z]|[,”\"]\s*(?:[A-Z][\w’'-]+\s+)+{_SAID}\b")
"""“They were in the room,” said Petra Lind."""
_ALL_IN_QUOTES = re.compile(r"^[“\"][^“”\"]*[”\"]$")
_CAPITALISED = re.compile(r"\b[A-Z][\w’'-]+")
_CAPITALISED_INSIDE = re.compile(r"(?<=[\w,;] )[A-Z][\w’'-]+")
_SPEAKER_LABEL = re.compile(r"^\s*[A-Z][\w. ]{0,30}:\s")
"""The beginning of a turn of an interview: "Q: When did you come?"."""
_MAX_BULLET = 3
"""How many characters may stand before a question in its line: a bullet or a quotation mark."""


def find_antecedent(candidate: Candidate, snapshot: Snapshot) -> Sentence | None:
    """Returns the sentence that this sentence needs before it, None if it needs or has none.

    - the question, for the first sentence of an answer in an interview;
    - the sentence that says who spoke, for a sentence all in quotes;
    - the sentence that names whom or what the first word points to.
    """
    document = candidate.document
    sentence = candidate.sentence
    before = _sentences_before(sentence, snapshot.sentences_of(document))
    if before and _follows_question(document, before[0], sentence):
        return before[0]

    informative = []
    for earlier in before:
        # A row of a table does not introduce the person of the prose below it.
        if earlier.may_answer and earlier.kind == sentence.kind:
            informative.append(earlier)

    text = candidate.text
    if _ALL_IN_QUOTES.match(text):
        return _first_since(sentence.paragraph, informative)
    if _needs_name(text):
        return _first_with_name(document, informative)
    if _OPENS_WITH_THING.match(text):
        # What "this" means is rarely further back than the paragraph before.
        return _first_since(sentence.paragraph - 1, informative)
    return None


def points_back(text: str) -> bool:
    """Returns whether a sentence opens with a pronoun: "It is waterproof."."""
    return bool(_OPENS_WITH_PERSON.match(text) or _OPENS_WITH_THING.match(text))


def _needs_name(text: str) -> bool:
    """Returns whether a sentence speaks of a person whom it does not name."""
    if _PRONOUN_SAID.search(text):
        return True
    opens_with_person = _OPENS_WITH_PERSON.match(text) is not None
    # “They were in the room,” said Petra Lind: only the quotation opens with a pronoun.
    names_speaker = _NAME_SAID.search(text) is not None
    return opens_with_person and not names_speaker


def _sentences_before(sentence: Sentence, sentences: Sequence[Sentence]) -> list[Sentence]:
    """Returns the sentences before this one, back to the last heading, nearest first."""
    index = bisect_left(sentences, sentence.span.start, key=attrgetter("start"))
    first = max(0, index - MAX_LOOK_BACK)
    section: list[Sentence] = []
    for earlier in reversed(sentences[first:index]):
        if earlier.kind == "heading":
            break
        section.append(earlier)
    return section


def _follows_question(document: Document, previous: Sentence, sentence: Sentence) -> bool:
    """Returns whether a sentence follows a question that is a paragraph or a turn by itself."""
    if not previous.is_question or previous.paragraph != sentence.paragraph - 1:
        return False
    start, end = previous.span.start, previous.span.end
    line_start = document.text.rfind("\n", 0, start) + 1
    if start - line_start <= _MAX_BULLET:
        return True
    line = document.text[line_start:end]
    return _SPEAKER_LABEL.match(line) is not None


def _first_since(paragraph: int, sentences: Iterable[Sentence]) -> Sentence | None:
    """Returns the first of the sentences that is in this paragraph or a later one."""
    for sentence in sentences:
        if sentence.paragraph >= paragraph:
            return sentence
    return None


def _first_with_name(document: Document, sentences: Iterable[Sentence]) -> Sentence | None:
    """Returns the first of the sentences that names somebody and has no such pronoun itself."""
    for sentence in sentences:
        text = document.text_of(sentence.span)
        # A pronoun that means somebody named still earlier does not explain this one.
        points_back = _OPENS_WITH_PERSON.match(text) or _PRONOUN_SAID.search(text)
        if not points_back and _has_name(text, document.text):
            return sentence
    return None


def _has_name(text: str, document_text: str) -> bool:
    """Returns whether a sentence has a capitalised word, or a first word that is a name."""
    for match in _CAPITALISED.finditer(text):
        # Offset 1 follows an opening quotation mark.
        if match.start() > 1 or _is_capitalised_inside(match[0], document_text):
            return True
    return False


def _is_capitalised_inside(word: str, text: str) -> bool:
    """Returns whether a text has this word inside a sentence."""
    # A search for the word alone, because the text can be a whole library's longest document.
    space_offset = text.find(f" {word}")
    while space_offset >= 0:
        word_offset = space_offset + 1
        match = _CAPITALISED_INSIDE.match(text, word_offset)
        if match and match[0] == word:
            return True
        space_offset = text.find(f" {word}", word_offset)
    return False
