"""Overviews, step 1 of 3: recognises summaries, comparisons and "list all …" among the questions.

One fact does not answer them. Step 2 selects sentences to quote (`selection.py`). With a language
model, step 3 lets the model write the overview (`gather.py`).

The rules take whole questions, and are narrow: "What is the treaty about the river?" is an ordinary
question. Which document "this document" means comes from the conversation and from the library.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from qa.library.catalog import Entry
from qa.text.words import terms
from qa.types import Turn

Quoted = Callable[[str], str | None]
"""Returns the name of the document that an answer quotes; None: it quotes none."""
OverviewKind = Literal["summary", "comparison", "topic"]

MAX_REQUEST = 300
"""Characters. A longer question says more than a rule understands."""
MAX_TOPIC_WORDS = 6
"""Of each side of a comparison that names no documents."""

_LEAD = re.compile(
    r"(?:(?:please|can you|could you|would you|will you|kindly|i want you to|hi|hello|ok|now)\b"
    r"[\s,]*)+",
    re.IGNORECASE,
)
_TAIL = re.compile(
    r"(?:[\s,]+(?:please|for me|briefly|shortly|quickly"
    r"|in (?:a few|a couple of|\w+) (?:short )?(?:sentences?|words|lines|points|bullets?)))+$",
    re.IGNORECASE,
)

_NOUN = r"(?:documents?|docs?|files?|texts?|articles?|pdfs?|pages?|papers?|sources?)"
_THIS = re.compile(
    rf"(?:it|this|that|(?:this|that|the|my)(?: (?:whole|entire|uploaded|attached|last|same))? "
    rf"(?:{_NOUN}|report|contract|letter|book|thing))",
    re.IGNORECASE,
)
_ALL = re.compile(
    rf"(?:everything|(?:all |both )?(?:of )?(?:the |my |your |our |these |those )?"
    rf"(?:{_NOUN}|library|collection))",
    re.IGNORECASE,
)
_POINTING = re.compile(r"(?:it|this|that|these|those|them|they|him|her|he|she|one)", re.IGNORECASE)
"""What a topic must not be: its question is incomplete without the turns before."""

_DOCUMENT_TERMS = frozenset(terms("document file text article pdf"))

_SUMMARY = (
    r"(?:summari[sz]e|sum up|recap|outline)(?: (?P<of>.+))?",
    r"(?:(?:give|write|make|show)(?: me)? )?(?:an? |the )?(?:brief |short |quick |concise )?"
    r"(?:summary|overview|synopsis|tl;?dr)(?: (?:of|about|on|over) (?P<of>.+))?",
)
"""If the subject is not a document, the request is about a topic."""
_ABOUT_DOCUMENT = (
    r"what(?: is|'s|’s|s| are) (?P<of>.+) (?:all )?about",
    r"what (?:does|do) (?P<of>.+) (?:say|contain|cover|discuss)",
    r"what(?: is|'s|’s|s) in (?P<of>.+)",
    r"what(?: are| is) the (?:main|key|most important) (?:points?|ideas?|messages?|topics?|facts)"
    r"(?: (?:of|in|from) (?P<of>.+))?",
)
"""Questions about a document only if they name one."""
_TOPIC = (
    r"what (?:do|does|can) (?P<where>.+) (?:say|tell (?:me|us)|mention) (?:about|on) (?P<topic>.+)",
    r"what is (?:said|written|known) (?:about|on) (?P<topic>.+?) in (?P<where>.+)",
    r"(?:list|show me|give me|name|enumerate) (?:all|every|each)(?: of)?(?: the)? (?P<topic>.+)",
    r"(?:tell me|show me|list|what is) everything (?:about|on) (?P<topic>.+)",
    rf"(?:which|what) {_NOUN} (?:mention|discuss|are about|talk about|deal with) (?P<topic>.+)",
)
_COMPARISON = (
    r"compare (?P<first>.+?) (?:and|with|to|against|versus|vs\.?) (?P<second>.+)",
    r"what(?: is|'s|’s| are) the differences? between (?P<first>.+?) and (?P<second>.+)",
    r"how (?:do|does) (?P<first>.+?) (?:and|differ from) (?P<second>.+?)(?: differ)?",
)
_COMPARE_THEM = re.compile(
    rf"compare (?:them|both|the two|(?:these|both|the)(?: two)? {_NOUN})", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class OverviewRequest:
    """What an overview is asked of."""

    kind: OverviewKind
    documents: Sequence[Entry]
    """Those that it is about, or in which the topics are looked for; at least one."""
    topics: tuple[str, ...] = ()
    """Of the kind "topic" one; of a comparison two, or none: then it compares documents."""
    is_unclear: bool = False
    """Whether "this document" could not be resolved, so that all documents are meant."""


def overview_request(
    question: str, history: Sequence[Turn], documents: Sequence[Entry], quoted: Quoted
) -> OverviewRequest | None:
    """Returns what a question asks to summarise, compare or gather; None: an ordinary question.

    history: the earlier turns, oldest first. documents: those that are searched.
    """
    if not documents or len(question) > MAX_REQUEST:
        return None
    text = " ".join(question.split()).rstrip(" .?!…:;")
    text = _TAIL.sub("", _LEAD.sub("", text, count=1) if _LEAD.match(text) else text)
    library = _Conversation(documents, history, quoted)
    return _comparison(text, library) or _topic(text, library) or _summary(text, library)


def _comparison(text: str, library: "_Conversation") -> OverviewRequest | None:
    if _COMPARE_THEM.fullmatch(text) and len(library.documents) == 2:
        return OverviewRequest("comparison", tuple(library.documents))

    match = _match(_COMPARISON, text)
    if not match:
        return None
    first = library.titled(match["first"])
    second = library.titled(match["second"])
    if len(first) == len(second) == 1 and first != second:
        return OverviewRequest("comparison", (*first, *second))

    topics = (match["first"], match["second"])
    is_short = all(len(topic.split()) <= MAX_TOPIC_WORDS for topic in topics)
    has_terms = all(terms(topic) for topic in topics)
    # A difference between two things is a fact that a sentence may state.
    if match.re.pattern.startswith("compare") and is_short and has_terms:
        return OverviewRequest("comparison", library.documents, topics)
    return None


def _topic(text: str, library: "_Conversation") -> OverviewRequest | None:
    match = _match(_TOPIC, text)
    if not match:
        return None
    topic = match["topic"]
    if _POINTING.fullmatch(topic) or not terms(topic):
        return None
    where = match.groupdict().get("where")
    documents = library.documents
    if where and not _ALL.fullmatch(where):
        documents = library.meant(where, strict=True)
        if not documents:
            return None
    return OverviewRequest("topic", documents, (topic,))


def _summary(text: str, library: "_Conversation") -> OverviewRequest | None:
    match = _match(_SUMMARY, text) or _match(_ABOUT_DOCUMENT, text)
    if not match:
        return None
    subject = match["of"] or "this document"
    is_named = match["of"] is not None
    is_request = match.re.pattern in _SUMMARY
    # "What does the mayor say?" is not about a document with a mayor in its title.
    documents = library.meant(subject, strict=not is_request)
    if documents:
        return OverviewRequest("summary", documents)
    if _ALL.fullmatch(subject):
        return OverviewRequest("summary", library.documents)
    if _THIS.fullmatch(subject):
        # "What is it about?" may ask about anything that was said before.
        is_bare = subject.casefold() in ("it", "this", "that")
        if library.history and is_named and is_bare:
            return None
        return OverviewRequest("summary", library.documents, is_unclear=True)
    if is_request and terms(subject):
        return OverviewRequest("topic", library.documents, (subject,))
    return None


@dataclass(frozen=True, slots=True)
class _Conversation:
    """The documents that are searched, and the conversation about them."""

    documents: Sequence[Entry]
    history: Sequence[Turn]
    quoted: Quoted

    def meant(self, subject: str, strict: bool) -> tuple[Entry, ...]:
        """Returns the documents that a subject names, or the one that "this document" means.

        strict: as for `titled`.
        """
        titled = self.titled(subject, strict)
        if titled:
            return titled
        if not _THIS.fullmatch(subject):
            return ()
        cited = self._last_cited()
        if cited:
            return (cited,)
        return tuple(self.documents) if len(self.documents) == 1 else ()

    def titled(self, subject: str, strict: bool = False) -> tuple[Entry, ...]:
        """Returns the documents whose title or file name has every term of a subject.

        Of several, those with the fewest further terms. strict: the subject must have two
        terms, or half of the terms of the title or of the name.
        """
        subject_terms = set(terms(subject)) - _DOCUMENT_TERMS
        matches: dict[int, list[Entry]] = {}
        for document in self.documents:
            title_terms = set(terms(document.title))
            stem = document.name.rpartition(".")[0]
            name_terms = set(terms(re.sub(r"[-_./]", " ", stem)))
            for known_terms in (title_terms, name_terms):
                further = len(known_terms - subject_terms)
                is_near = not strict or further <= len(subject_terms) or len(subject_terms) > 1
                if subject_terms and subject_terms <= known_terms and is_near:
                    matches.setdefault(further, []).append(document)
        if not matches:
            return ()
        best = matches[min(matches)]
        return tuple(dict.fromkeys(best))

    def _last_cited(self) -> Entry | None:
        """Returns the document of the last answer that cites or quotes a document."""
        for turn in reversed(self.history):
            names = turn.documents or (self.quoted(turn.answer),)
            for document in self.documents:
                if document.name in names:
                    return document
        return None


def _match(patterns: Sequence[str], text: str) -> re.Match[str] | None:
    for pattern in patterns:
        match = re.fullmatch(pattern, text, re.IGNORECASE)
        if match:
            return match
    return None
