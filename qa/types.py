"""The values that pass between the stages: frozen, with few fields."""

import hashlib
from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Annotated, Any, Literal, get_args

from pydantic import Field

Support = Literal["verbatim", "supported", "weak", "unsupported"]
Reason = Literal["no_documents", "not_in_documents", "model_declined", "conversation"]
"""Why an answer has no sentences. "conversation": it replies to a greeting or the like."""
Stage = Literal["understand", "retrieve", "read", "answer", "words", "verify"]
TIMED_AS: Mapping[Stage, Stage] = MappingProxyType({"understand": "answer", "words": "answer"})
"""Rewriting the question and streaming words count as time of the answer."""
TIMED_STAGES: tuple[Stage, ...] = tuple(stage for stage in get_args(Stage) if stage not in TIMED_AS)
"""The stages with a time of their own in `Answer.timings`, in order."""
MAX_QUESTION = 2_000
"""Characters of a question that are read."""
NO_DOCUMENTS = (
    "There are no documents yet. Add some on the Library page, or with footnote add PATH."
)
EMBEDDED_TITLE = 200
"""Characters of a title that the embedder sees; more would push the passage out of its limit."""


def was_rewritten(question: str, standalone_question: str) -> bool:
    """Returns whether a question was understood in other words, and not only cut."""
    return not question.startswith(standalone_question)


def digest(*parts: str) -> str:
    """Returns the first 32 hexadecimal digits of the SHA-256 of the parts."""
    # The lengths keep ("ab", "c") and ("a", "bc") apart.
    joined = "".join(f"{len(part)}:{part}" for part in parts)
    return hashlib.sha256(joined.encode("utf-8", "surrogatepass")).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Document:
    """A text that a person added. All offsets count the characters of `text`."""

    name: str
    """The file's path below the folder that was added. Unique in a library."""
    source: str
    """The file's absolute path, or `uploads/` and the name of the uploaded file."""
    title: str
    text: str
    """Unicode as found, line ends `\\n`. Citations quote it, so it never changes."""
    publisher: str | None = None
    markdown: bool = False
    examples: tuple[str, ...] = ()
    """Questions to ask of it, shown while a chat is empty."""
    pages: tuple[int, ...] = ()
    """The offsets at which its pages begin, the first at 0; empty: it has no pages."""
    date: str | None = None
    """"2024-03-11", "2024-03" or "2024", where it is stated; None: no date is known."""
    furniture: tuple["Span", ...] = ()
    """Lines that the pages of its site repeat, in order. They are shown, and not searched."""
    language: str = ""
    """The language of its text (ISO 639-1, for example "de"); empty: it is not known."""
    # Computed once: the id of every passage needs it, and hashing a long text takes time.
    _version: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_version", digest(self.text))

    @classmethod
    def of_text(cls, text: str, markdown: bool = False) -> "Document":
        """Returns a text that is in no library, to cut it into sentences or passages."""
        return cls(name="", source="", title="", text=text, markdown=markdown)

    @property
    def id(self) -> str:
        return digest(self.source)

    @property
    def version(self) -> str:
        return self._version

    def text_of(self, span: "Span") -> str:
        """Returns the document's words in a span."""
        return self.text[span.start : span.end]

    def page_at(self, offset: int) -> int | None:
        """Returns the page of a character, counted from 1; None in a document without pages."""
        return bisect_right(self.pages, offset) or None


@dataclass(frozen=True, slots=True)
class Span:
    """Half-open character offsets.

    They count in a document's text unless the field's docstring says otherwise.
    """

    start: int
    end: int

    def __len__(self) -> int:
        return self.end - self.start

    def overlap(self, span: "Span") -> int:
        """Returns how many characters two spans share."""
        return max(0, min(self.end, span.end) - max(self.start, span.start))


@dataclass(frozen=True, slots=True)
class Passage:
    """A part of a document. The passages of a document tile its text: no gap, no overlap."""

    document: Document
    span: Span

    @property
    def id(self) -> str:
        document, span = self.document, self.span
        return digest(document.id, document.version, str(span.start), str(span.end))

    @property
    def text(self) -> str:
        return self.document.text_of(self.span)


@dataclass(frozen=True, slots=True)
class Why:
    """Where a passage's rank comes from. Ranks count from 1; None: it is not in that ranking."""

    dense_rank: int | None
    lexical_rank: int | None
    fused: float
    reader: float | None = None

    def as_json(self) -> dict[str, Any]:
        return {
            "dense_rank": self.dense_rank,
            "lexical_rank": self.lexical_rank,
            "fused": self.fused,
            "reader": self.reader,
        }


@dataclass(frozen=True, slots=True)
class RankedPassage:
    """A passage with its score (higher is better) and where the score comes from."""

    passage: Passage
    score: float
    why: Why

    @classmethod
    def unranked(cls, passage: Passage) -> "RankedPassage":
        """Returns a passage that no search ranked, with the score 0."""
        return cls(passage, 0.0, Why(None, None, 0.0))

    def as_json(self) -> dict[str, Any]:
        passage = self.passage
        return {
            "document": passage.document.name,
            "start": passage.span.start,
            "end": passage.span.end,
            "text": passage.text,
            "score": self.score,
            "why": self.why.as_json(),
        }


@dataclass(frozen=True, slots=True)
class Citation:
    """The exact words behind a sentence: `text[start:end] == quote` in this document version."""

    document: str
    title: str
    version: str
    start: int
    end: int
    quote: str
    page: int | None = None
    """The page on which it begins, counted from 1, if the document has pages."""
    date: str | None = None
    """The date of the document, if it is known: "2024-03-11", "2024-03" or "2024"."""

    def as_json(self) -> dict[str, Any]:
        fields: dict[str, Any] = {
            "document": self.document,
            "title": self.title,
            "version": self.version,
            "start": self.start,
            "end": self.end,
            "quote": self.quote,
        }
        if self.page is not None:
            fields["page"] = self.page
        if self.date is not None:
            fields["date"] = self.date
        return fields


PartRole = Literal["name", "value", "lead-in", "item", "step", "code"]
"""Of a row: the name of a column, and a value below it. Of a list: the line that introduces it, an
item, or a numbered step. Code may have a lead-in too."""


@dataclass(frozen=True, slots=True)
class AnswerPart:
    """A part of an answer's sentence that is not prose; the offsets count in its `text`."""

    role: PartRole
    start: int
    end: int

    def as_json(self) -> dict[str, str | int]:
        return {"role": self.role, "start": self.start, "end": self.end}


@dataclass(frozen=True, slots=True)
class AnswerSentence:
    """One sentence of an answer with its citations."""

    text: str
    support: Support
    citations: tuple[Citation, ...]
    # The aliases are the names of these fields in stored runs and conversations.
    answer_words: Annotated[Citation | None, Field(alias="span")] = None
    """The words that answer, inside one of the citations; None: no words stand out."""
    bold_span: Annotated[Span | None, Field(alias="bold")] = None
    """The offsets of these words in `text`."""
    parts: tuple[AnswerPart, ...] = ()
    """The cells of a row, the items of a list or the code that it shows, in order; empty: prose."""

    def as_json(self) -> dict[str, Any]:
        fields: dict[str, Any] = {
            "text": self.text,
            "support": self.support,
            "citations": [citation.as_json() for citation in self.citations],
            "span": self.answer_words.as_json() if self.answer_words else None,
        }
        if self.parts:
            fields["parts"] = [part.as_json() for part in self.parts]
        return fields


@dataclass(frozen=True, slots=True)
class Turn:
    """An earlier question of the conversation, with its answer."""

    question: str
    answer: str
    documents: tuple[str, ...] = ()
    """The names of the documents that the answer cites, if they are known."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What a language model read and wrote for one answer, in estimated tokens."""

    prompt_tokens: int
    answer_tokens: int

    def as_json(self) -> dict[str, int]:
        return {"prompt_tokens": self.prompt_tokens, "answer_tokens": self.answer_tokens}


@dataclass(frozen=True, slots=True)
class Signals:
    """What the confidence of an answer with a language model is made of."""

    reader: float
    """The reader's confidence, 0 to 1."""
    answered: bool
    """Whether the model gave an answer that the documents support, at least in part."""
    support: float = 0.0
    """The check's probability, 0 to 1, for the best supported sentence of the model."""
    agrees: bool = False
    """Whether the model's sentences rest on the sentence that the reader found best."""

    def as_json(self) -> dict[str, float | bool]:
        return {
            "reader": self.reader,
            "answered": self.answered,
            "support": self.support,
            "agrees": self.agrees,
        }


@dataclass(frozen=True, slots=True)
class Answer:
    """The result of `Bot.ask`. A refusal or reply is an answer too: a reason and no sentence."""

    question: str
    standalone_question: str
    text: str
    """The sentences joined by spaces; for a refusal or reply, the words shown to the person."""
    reason: Reason | None
    confidence: float
    """0 to 1, higher: surer that the documents answer; refusals have it too."""
    sentences: tuple[AnswerSentence, ...]
    passages: tuple[RankedPassage, ...]
    """The passages that were read, best first."""
    engine: str
    timings: dict[str, float] = field(default_factory=dict)
    """Seconds: retrieve, read, answer, verify, total; with a language model also `first_words`."""
    notices: tuple[str, ...] = ()
    """What the person should know of how the answer came about, for example what was left out."""
    usage: Usage | None = None
    """None: no language model was called."""
    signals: Signals | None = None
    """None: no language model was asked for an answer."""
    nearest: AnswerSentence | None = None
    """Of a refusal that was close to an answer, the sentence of the documents that came nearest.

    It is not an answer: `sentences` stays empty, and the evaluation counts a refusal.
    """

    @property
    def abstained(self) -> bool:
        return self.reason is not None

    def as_json(self) -> dict[str, Any]:
        """The contract of `footnote ask --json` and of `results.jsonl`."""
        fields = {
            "question": self.question,
            "standalone_question": self.standalone_question,
            "answer": self.text,
            "abstained": self.abstained,
            "reason": self.reason,
            "confidence": self.confidence,
            "sentences": [sentence.as_json() for sentence in self.sentences],
            "passages": [passage.as_json() for passage in self.passages],
            "engine": self.engine,
            "timings": dict(self.timings),
            "notices": list(self.notices),
        }
        if self.usage:
            fields["usage"] = self.usage.as_json()
        if self.signals:
            fields["signals"] = self.signals.as_json()
        if self.nearest:
            fields["nearest"] = self.nearest.as_json()
        return fields


@dataclass(frozen=True, slots=True)
class Event:
    """What `Bot.ask` reports while it works."""

    stage: Stage
    words: str = ""
    """For the stage "words": what a language model wrote since the last event, without markers."""


OnEvent = Callable[[Event], None]
