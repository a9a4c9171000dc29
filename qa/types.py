"""The values that pass between the stages: frozen, with few fields; what can be derived is a property."""

import hashlib
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

Support = Literal["verbatim", "supported", "weak", "unsupported"]
Reason = Literal["no_documents", "not_in_documents", "model_declined"]

EMBEDDED_TITLE = 200
"""Characters of a title that the embedder sees; more would push the passage out of its limit."""


def digest(*parts: str) -> str:
    """The first 32 hexadecimal digits of the SHA-256 of the parts, each preceded by its length."""
    joined = "".join(f"{len(part)}:{part}" for part in parts)
    return hashlib.sha256(joined.encode("utf-8", "surrogatepass")).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Document:
    """A text a person brought. `text` is canonical: Unicode as found, line ends `\\n`; every offset counts in it."""

    name: str
    """What people call it: the file's path below the folder that was added. Unique in a library."""
    source: str
    """Where it came from: the file's absolute path, or `uploads/` and the name of what was uploaded."""
    title: str
    text: str
    publisher: str | None = None
    markdown: bool = False
    examples: tuple[str, ...] = ()
    """Questions worth asking of it, shown while a chat is empty."""
    pages: tuple[int, ...] = ()
    """The offsets at which its pages begin, the first at 0; none: it has no pages."""
    _version: str = field(init=False, repr=False, compare=False)
    """Kept: every passage's id needs it, and a long text takes its time."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "_version", digest(self.text))

    @property
    def id(self) -> str:
        return digest(self.source)

    @property
    def version(self) -> str:
        return self._version

    def page_at(self, offset: int) -> int | None:
        """The page that holds a character, counted from 1; None in a document without pages."""
        return bisect_right(self.pages, offset) or None


@dataclass(frozen=True, slots=True)
class Span:
    """Half-open character offsets in a document's text."""

    start: int
    end: int

    def __len__(self) -> int:
        return self.end - self.start

    def overlap(self, other: "Span") -> int:
        """How many characters the two share."""
        return max(0, min(self.end, other.end) - max(self.start, other.start))


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of a document. The passages of a document, in order, make up its text: no gap, no overlap."""

    document: Document
    span: Span

    @property
    def id(self) -> str:
        return digest(
            self.document.id, self.document.version, str(self.span.start), str(self.span.end)
        )

    @property
    def text(self) -> str:
        return self.document.text[self.span.start : self.span.end]

    @property
    def embedded_text(self) -> str:
        """The title and the text: the title gives the context that the passage leaves out."""
        return f"{self.document.title[:EMBEDDED_TITLE]}\n{self.text}"


@dataclass(frozen=True, slots=True)
class Why:
    """Where a passage's rank comes from. Ranks count from 1; None: that ranking did not bring the passage."""

    dense_rank: int | None
    lexical_rank: int | None
    fused: float
    reader: float | None = None


@dataclass(frozen=True, slots=True)
class RankedPassage:
    """A passage with its score (higher is better) and the reasons for it."""

    passage: Passage
    score: float
    why: Why

    def as_json(self) -> dict[str, Any]:
        passage = self.passage
        return {
            "document": passage.document.name,
            "start": passage.span.start,
            "end": passage.span.end,
            "text": passage.text,
            "score": self.score,
            "why": {
                "dense_rank": self.why.dense_rank,
                "lexical_rank": self.why.lexical_rank,
                "fused": self.why.fused,
                "reader": self.why.reader,
            },
        }


@dataclass(frozen=True, slots=True)
class Citation:
    """The exact words a sentence rests on: `text[start:end] == quote` in that version of that document."""

    document: str
    title: str
    version: str
    start: int
    end: int
    quote: str
    page: int | None = None
    """The page on which it begins, counted from 1, where the document has pages."""

    def as_json(self) -> dict[str, Any]:
        page = {} if self.page is None else {"page": self.page}
        return {
            "document": self.document,
            "title": self.title,
            "version": self.version,
            "start": self.start,
            "end": self.end,
            "quote": self.quote,
            **page,
        }


@dataclass(frozen=True, slots=True)
class AnswerSentence:
    """One sentence of an answer with what it rests on."""

    text: str
    support: Support
    citations: tuple[Citation, ...]
    span: Citation | None = None
    """The very words that answer, inside one of the citations; None: none stand out."""
    bold: Span | None = None
    """Where those words stand in `text`."""

    def as_json(self) -> dict[str, Any]:
        return {
            "text": self.text,
            "support": self.support,
            "citations": [citation.as_json() for citation in self.citations],
            "span": self.span.as_json() if self.span else None,
        }


@dataclass(frozen=True, slots=True)
class Turn:
    """An earlier question of the conversation, with its answer."""

    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class Usage:
    """What a language model was given and gave for one answer, in tokens as `LanguageModel.count` has them."""

    prompt_tokens: int
    answer_tokens: int

    def as_json(self) -> dict[str, int]:
        return {"prompt_tokens": self.prompt_tokens, "answer_tokens": self.answer_tokens}


@dataclass(frozen=True, slots=True)
class Answer:
    """What `Bot.ask` gives. A refusal is one too: `abstained`, with a reason and no sentence."""

    question: str
    standalone_question: str
    text: str
    """The sentences joined by spaces; for a refusal, the words shown to the person."""
    reason: Reason | None
    confidence: float
    """0 to 1, higher: surer that the documents answer; given for refusals too."""
    sentences: tuple[AnswerSentence, ...]
    passages: tuple[RankedPassage, ...]
    """What was read, best first."""
    engine: str
    timings: dict[str, float] = field(default_factory=dict)
    """Seconds: retrieve, read, answer, verify, total; where a model answered, `first_words`: until its first."""
    notices: tuple[str, ...] = ()
    """What the person should know of how it came about: what was left out, and why."""
    usage: Usage | None = None
    """None: no language model was asked."""

    @property
    def abstained(self) -> bool:
        return self.reason is not None

    def as_json(self) -> dict[str, Any]:
        """The contract of `python -m qa ask --json` and of `results.jsonl`."""
        return {
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
            **({"usage": self.usage.as_json()} if self.usage else {}),
        }


@dataclass(frozen=True, slots=True)
class Event:
    """Something `Bot.ask` tells while it works."""

    stage: Literal["understand", "retrieve", "read", "answer", "words", "verify"]
    words: str = ""
    """Of the stage "words": what a language model wrote since the last one, without its marks."""


OnEvent = Callable[[Event], None]
