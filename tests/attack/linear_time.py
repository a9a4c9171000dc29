"""Measures whether hostile text takes more than linear time, for every stage that reads text.

    python -m tests.attack.linear_time [STAGE …]

Each stage gets a token of each class, repeated. It must read a megabyte in two seconds of
processor time, and twice the text in about twice the time.
"""

import atexit
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache, partial
from itertools import chain
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from threading import Event

from qa.answer.generate import MAX_ANSWER, Claim, draft_answer
from qa.answer.verify import Verifier
from qa.bot import Bot
from qa.chain import CHECKED_TOGETHER
from qa.config import PACKAGED_EMBEDDING, Settings
from qa.documents.duplicates import find_duplicates
from qa.documents.furniture import with_furniture
from qa.documents.load import load
from qa.documents.passages import MAX_PASSAGE, split
from qa.documents.sentences import MAX_SENTENCE, segment
from qa.errors import LanguageModelError
from qa.library.snapshot import Snapshot
from qa.library.stored_document import StoredDocument
from qa.models.embedding import EncodingCache, SentenceTransformerEmbedder
from qa.models.entailment import CrossEncoderEntailment
from qa.reader.reader import Reading
from qa.text import facts
from qa.text.numbers import in_digits, numbers_in
from qa.types import Document, Passage, RankedPassage, Span, Turn, Why
from tests.attack.repeated_tokens import REPEATED

SIZES = (2_048, 16_384, 131_072, 262_144)
"""Characters. The last is twice the one before it."""
LARGEST = 1_048_576
"""Characters that the slowest classes of each stage get."""
CHECKED_SIZES = (2_048, 16_384, 32_768)
"""Characters for the check of an answer, which reads no longer passages."""
SLOWEST = 3
MAX_SECONDS = 2.0
CHECK_SECONDS = 8.0
"""For the claims that are checked together: models read them, however short the text is."""
SECONDS_A_LINE = 50e-6
"""Added for each line: a text of short lines has a block for each, and blocks take time too."""
MAX_RATIO = 3.0
"""Of the time for twice the text; 2 is linear, and the machine has other work."""
SEEN = 8
"""Passages that a language model gets."""
AGAIN = 2
"""How often a text is read again that took too long."""
NOTICEABLE = 0.1
"""Seconds. A ratio of shorter times says nothing."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """How long a stage took for a text, and for the half of it."""

    name: str
    characters: int
    seconds: float
    limit: float
    ratio: float

    @property
    def failed(self) -> bool:
        return self.seconds > self.limit or self.ratio > MAX_RATIO


def main(wanted: list[str]) -> int:
    """Prints the worst classes of each stage, and returns 1 if a stage is not linear."""
    failures = 0
    print(
        f"{'stage':<10} {'class':<20} {'characters':>10} {'seconds':>8} {'limit':>6} {'ratio':>6}"
    )
    for stage, work in STAGES.items():
        if wanted and stage not in wanted:
            continue
        least = CHECK_SECONDS if work is _check else MAX_SECONDS / 4
        for row in _worst(work, least):
            failures += row.failed
            print(
                f"{stage:<10} {row.name:<20} {row.characters:>10,} {row.seconds:>8.2f} "
                f"{row.limit:>6.1f} {row.ratio:>6.1f}{' FAILED' if row.failed else ''}",
                flush=True,
            )
    print(f"{failures} failed")
    return 1 if failures else 0


def _worst(work: Callable[[str], object], least: float) -> list[Measurement]:
    """Returns the measurements that failed, and those of the slowest classes at full length."""
    sizes: Sequence[int] = CHECKED_SIZES if work is _check else SIZES
    rows = [_measure(name, work, sizes, least) for name in REPEATED]
    failed = [row for row in rows if row.failed]
    rows.sort(key=lambda row: row.seconds / row.limit, reverse=True)
    slowest = [row.name for row in rows if not row.failed][:SLOWEST]
    if work is not _check:
        sizes = (LARGEST // 2, LARGEST)
    return failed + [_measure(name, work, sizes, least) for name in slowest]


def _measure(
    name: str, work: Callable[[str], object], sizes: Sequence[int], least: float
) -> Measurement:
    """Lengthens the text until it is as long as it may be, or takes too long.

    `least`: the limit in seconds for a short text.
    """
    token = REPEATED[name]
    work(token * 100)
    measurement = Measurement(name, 0, 0.0, 0.0, 0.0)
    for size in sizes:
        text = (token * (1 + size // len(token)))[:size]
        seconds = _seconds(work, text)
        limit = max(least, MAX_SECONDS * size / LARGEST) + SECONDS_A_LINE * text.count("\n")
        previous = measurement.seconds
        ratio = seconds / previous if previous > NOTICEABLE and size == sizes[-1] else 0.0
        measurement = Measurement(name, size, seconds, limit, ratio)
        if measurement.failed:
            # Other work of the machine can only lengthen a time: the least of several counts.
            seconds = min(seconds, *(_seconds(work, text) for _ in range(AGAIN)))
            ratio = seconds / previous if ratio else 0.0
            measurement = Measurement(name, size, seconds, limit, ratio)
        if measurement.failed:
            break
    return measurement


def _seconds(work: Callable[[str], object], text: str) -> float:
    """Returns the processor time of this process, of all its threads."""
    start = time.process_time()
    work(text)
    return time.process_time() - start


def _document(text: str, markdown: bool) -> Document:
    return Document("a.md", "a.md", "A", text, markdown=markdown)


def _segment(text: str, markdown: bool) -> None:
    segment(_document(text, markdown))


def _split(text: str, markdown: bool) -> None:
    if not text.strip():
        return
    document = _document(text, markdown)
    split(document, segment(document), _embedder().count_tokens)


def _noise(text: str) -> None:
    """Reads lines and sentences of the lengths that the segmentation makes."""
    page = replace(_document(text, markdown=False), publisher="The Times")
    other_pages = [replace(page, text=f"{text}\n{number}") for number in range(3)]
    segment(with_furniture([page, *other_pages])[0])
    pieces = list(_pieces(text))
    find_duplicates(pieces, [True] * len(pieces))


def _facts(text: str) -> None:
    """Reads the facts of sentences and of whole passages, as the check of an answer does."""
    read = text[:MAX_ANSWER]
    for piece in chain(_pieces(read), _pieces(read, MAX_PASSAGE)):
        facts.missing_names(facts.names_in(piece), piece)
        facts.initials_in(piece)
        facts.quotations_in(piece)
        facts.months_and_weekdays(piece)
        facts.folded(piece)
        available = numbers_in(piece, include_ones=True)
        for number in numbers_in(piece):
            number.is_among(available)
        in_digits(piece)


def _ignore(event: object) -> None:
    pass


def _pieces(text: str, length: int = MAX_SENTENCE) -> Iterator[str]:
    for start in range(0, len(text), length):
        yield text[start : start + length]


def _question(text: str) -> None:
    if text.strip():
        _bot().ask(text, [Turn(text, text)])


def _answer(text: str) -> None:
    """Reads the answer of a language model that writes this, in pieces."""
    document = _document("The bridge was opened in May.", markdown=False)
    passage = Passage(document, Span(0, len(document.text)))
    with suppress(LanguageModelError):
        ranked = RankedPassage(passage, 1.0, Why(1, 1, 1.0))
        reading = Reading((), (ranked,), 0.5)
        draft_answer("When?", reading, _HostileModel(text), _ignore, Event())


def _check(text: str) -> None:
    """Checks as many claims as are checked together: somebody else may wait for them."""
    document = _document(text[: SEEN * MAX_PASSAGE], markdown=False)
    if not document.text.strip():
        return
    sentences = segment(document)
    passages = split(document, sentences, _embedder().count_tokens)[:SEEN]
    snapshot = Snapshot.of([StoredDocument(document, tuple(sentences), tuple(passages))])
    claims = [Claim(piece, tuple(passages)) for piece in _pieces(text[:MAX_ANSWER])]
    verifier = Verifier(EncodingCache(_embedder()), _entailment())
    verifier.check(claims[:CHECKED_TOGETHER], passages, snapshot)


class _HostileModel:
    """Writes a text in small pieces, whatever it is asked."""

    name = "hostile/model"

    def __init__(self, text: str) -> None:
        self._text = text

    def context_size(self, _stop: Event) -> int:
        return 8_192

    def count_tokens(self, text: str) -> int:
        return len(text) // 4

    def stream(self, _messages: object, _max_tokens: int, _stop: Event) -> Iterator[str]:
        for start in range(0, len(self._text), 5):
            yield self._text[start : start + 5]


@cache
def _embedder() -> SentenceTransformerEmbedder:
    return SentenceTransformerEmbedder(PACKAGED_EMBEDDING)


@cache
def _entailment() -> CrossEncoderEntailment:
    return CrossEncoderEntailment()


@cache
def _bot() -> Bot:
    folder = Path(mkdtemp())
    # At the end, because Chroma keeps its files open.
    atexit.register(rmtree, folder, ignore_errors=True)
    bot = Bot.open(Settings(home=folder))
    for document in load([Path("seeds")]).documents:
        bot.index.add(document)
    return bot


STAGES: dict[str, Callable[[str], object]] = {
    "text": partial(_segment, markdown=False),
    "markdown": partial(_segment, markdown=True),
    "noise": _noise,
    "facts": _facts,
    "split": partial(_split, markdown=False),
    "answer": _answer,
    "check": _check,
    "question": _question,
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
