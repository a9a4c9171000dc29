"""Questions and documents in a language that the built-in models do not know.

The packaged embedding model and reader know English. Of another language, the word search still
finds passages, and a sentence that has the words of the question may answer it. A notice says so
once, with what helps.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from qa.config import BUILT_IN, PACKAGED_EMBEDDING, PACKAGED_READER, Settings
from qa.reader.reader import Candidate, Reading
from qa.text.language import ENGLISH, detect_language, language_name
from qa.text.words import terms
from qa.types import Document, Turn

BY_WORDS = "This sentence was found by the words of the question alone."
SMOOTHING = 0.5
"""Added to the number of the question's terms: a match of the only term shows less than a match of
all of several terms."""
_EMBEDDING_HELPS = "a multilingual embedding model (QA_EMBEDDING)"
_MODEL_HELPS = "a language model that knows it (QA_LLM)"


@dataclass(frozen=True, slots=True)
class ForeignLanguage:
    """A language that the built-in models do not know, and what is in it."""

    code: str
    document: Document | None
    """The document that is in it; None: the question is."""
    asked_in_english: bool
    """An English question shares only names with such a document."""


def foreign_language(question: str, reading: Reading) -> ForeignLanguage | None:
    """Returns the language of the question, else that of the best passage's document.

    None: that language is English, or is not known.
    """
    language = detect_language(question)
    if language not in ("", ENGLISH):
        return ForeignLanguage(language, document=None, asked_in_english=False)
    for ranked in reading.passages[:1]:
        document = ranked.passage.document
        if document.language not in ("", ENGLISH):
            return ForeignLanguage(document.language, document, language == ENGLISH)
    return None


def read_by_words(question: str, reading: Reading) -> Reading:
    """Returns the reading with its candidates by how many of the question's terms they have.

    The confidence is the share of those terms that the best candidate has, below 1. Candidates with
    the same share stay in the reader's order.
    """
    question_terms = set(_content_terms(question))
    if not question_terms or not reading.candidates:
        return reading

    def share(candidate: Candidate) -> float:
        shared = question_terms & set(terms(candidate.text))
        return len(shared) / (len(question_terms) + SMOOTHING)

    candidates = sorted(reading.candidates, key=lambda candidate: -share(candidate))
    return replace(reading, candidates=tuple(candidates), confidence=share(candidates[0]))


def language_notices(
    foreign: ForeignLanguage, settings: Settings, history: Sequence[Turn]
) -> tuple[str, ...]:
    """Returns what to tell the person about a language; nothing if it has been told before."""
    document = foreign.document
    for turn in history:
        if document is None and detect_language(turn.question) == foreign.code:
            return ()
        if document is not None and document.name in turn.documents:
            return ()

    subject = "Your question" if document is None else document.title
    return language_notice(f"{subject} is in {language_name(foreign.code)}.", settings)


def language_notice(subject: str, settings: Settings) -> tuple[str, ...]:
    """Returns a sentence about a language, followed by what the models do with it and what helps.

    Nothing is returned where neither of the two models is the packaged one.
    """
    helps = []
    if settings.embedding == PACKAGED_EMBEDDING:
        helps.append(_EMBEDDING_HELPS)
    if settings.llm == BUILT_IN and settings.reader == PACKAGED_READER:
        helps.append(_MODEL_HELPS)
    if not helps:
        return ()
    return (
        f"{subject} The built-in models know English only, so most answers here rest on the words "
        f"that question and document share. What helps: {' and '.join(helps)}.",
    )


def _content_terms(question: str) -> list[str]:
    """Returns the terms of a question without the stop words of its language."""
    stop_words = _stop_words(detect_language(question))
    return [term for term in terms(question) if term not in stop_words]


def _stop_words(language: str) -> frozenset[str]:
    """Returns the stop words of a language, stemmed as `terms` stems; none where none are known."""
    # Imported here: only questions in other languages need them.
    from bm25s import stopwords

    words: Sequence[str] = getattr(stopwords, _STOP_WORD_LISTS.get(language, ""), ())
    stemmed: set[str] = set()
    for word in words:
        stemmed.update(terms(word))
    return frozenset(stemmed)


_STOP_WORD_LISTS = {
    "da": "STOPWORDS_DANISH",
    "de": "STOPWORDS_GERMAN",
    "es": "STOPWORDS_SPANISH",
    "fr": "STOPWORDS_FRENCH",
    "it": "STOPWORDS_ITALIAN",
    "ko": "STOPWORDS_KOREAN",
    "nl": "STOPWORDS_DUTCH",
    "no": "STOPWORDS_NORWEGIAN",
    "pt": "STOPWORDS_PORTUGUESE",
    "ru": "STOPWORDS_RUSSIAN",
    "sv": "STOPWORDS_SWEDISH",
    "tr": "STOPWORDS_TURKISH",
    "zh": "STOPWORDS_CHINESE",
}
"""The lists of bm25s by language."""
