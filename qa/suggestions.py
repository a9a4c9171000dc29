"""Questions worth asking of documents, made from their own sentences by rule and kept only if the bot can answer them.

English only, and shy: a pattern makes a question only of a sentence whose grammar it is sure of, so that of many
sentences, and of whole documents, nothing is made.
"""

import random
import re
import threading
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice, zip_longest
from typing import Protocol

from qa.documents.sentences import Sentence, segment
from qa.question_patterns import INSIDE, PATTERNS, RANK, Told
from qa.text.english import STOP_WORDS
from qa.text.words import terms
from qa.types import Answer, Document, Span

MOST_ASKED = 12
"""How many questions are put to the bot, at most; each takes it some 0.2 seconds."""
MOST_READ = 6
"""How many documents are looked into, at most."""
WINDOW, WINDOWS = 8_000, 4
"""Characters of a piece that is looked into, and how many pieces of a longer document are."""
SURE = 0.7
"""The confidence from which on an answer is good enough to lead a person to."""
ALIKE = 0.5
"""The share of the shorter question's terms in another one from which on the two are alike."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A question, and the name of the document that answers it."""

    question: str
    document: str


class Asks(Protocol):
    """What answers: `Bot`."""

    def ask(
        self, question: str, *, documents: Collection[str] | None = None, built_in: bool = False
    ) -> Answer: ...


def suggest(
    bot: Asks,
    documents: Sequence[Document],
    count: int = 4,
    seed: int = 0,
    stop: threading.Event | None = None,
) -> tuple[Suggestion, ...]:
    """At most `count` questions, of as many documents as may be; none alike. The same for the same arguments.

    The examples that documents bring come first, of them those that the bot does not refuse. Of the others, the bot's
    own sentences answer each, first of all with the one that it was made of. `stop`, once set, ends it with what has
    been found.
    """
    brought = _in_turn([Suggestion(example, d.name) for example in d.examples] for d in documents)
    examples = list({one.question: one for one in brought}.values())[:MOST_ASKED]
    chosen = list(
        islice(
            (one for one in examples if not (stop and stop.is_set()) and _answers(bot, one)), count
        )
    )
    if len(chosen) < count:
        rng = random.Random(seed)
        bare = [document for document in documents if not document.examples] or list(documents)
        read = rng.sample(bare, min(MOST_READ, len(bare)))
        made = [
            [one for one in _made(d, rng) if len(documents) == 1 or _has_name(one.question)]
            for d in read
        ]
        for document, one in islice(_turns(read, made, chosen), MOST_ASKED):
            if len(chosen) == count or (stop and stop.is_set()):
                break
            if _answered(bot, one, document):
                chosen.append(Suggestion(one.question, document.name))
    return tuple(chosen)


def _turns(
    documents: Sequence[Document], made: Sequence[list["Made"]], chosen: Sequence[Suggestion]
) -> Iterator[tuple[Document, "Made"]]:
    """A question of each document in turn, of the kind least asked so far, none like those chosen meanwhile."""
    kinds: Counter[str] = Counter()
    while any(made):
        for document, waiting in zip(documents, made, strict=True):
            waiting[:] = [one for one in waiting if not _alike(one.question, chosen)]
            if waiting:
                best = min(waiting, key=lambda one: (kinds[one.kind], RANK[one.kind]))
                waiting.remove(best)
                kinds[best.kind] += 1
                yield document, best


def _has_name(question: str) -> bool:
    """Whether a question has a name, by which it can be understood among several documents."""
    return any(word[0].isupper() for word in question.split()[1:])


def _in_turn(rows: Iterable[Sequence[Suggestion]]) -> Iterator[Suggestion]:
    """The first of each row, the second of each, and so on."""
    return (one for column in zip_longest(*rows) for one in column if one)


def _alike(question: str, others: Iterable[Suggestion]) -> bool:
    own = set(terms(question))
    for other in others:
        its = set(terms(other.question))
        if own == its or len(own & its) > ALIKE * min(len(own), len(its)):
            return True
    return False


def _answers(bot: Asks, example: Suggestion) -> bool:
    return not bot.ask(example.question, documents=[example.document], built_in=True).abstained


def _answered(bot: Asks, made: "Made", document: Document) -> bool:
    """Whether the bot is sure of an answer that begins with the sentence the question was made of."""
    answer = bot.ask(made.question, documents=[document.name], built_in=True)
    if answer.abstained or answer.confidence < SURE:
        return False
    cited = answer.sentences[0].citations[-1]
    return cited.version == document.version and Span(cited.start, cited.end) == made.span


@dataclass(frozen=True, slots=True)
class Made:
    """A question, the kind of pattern that made it, and the sentence it was made of."""

    question: str
    kind: str
    span: Span


def _made(document: Document, rng: random.Random) -> list[Made]:
    """Every question that can be made of what is looked into, in an order that the seed decides."""
    made = [one for window in _windows(document, rng) for one in made_of(document, window)]
    rng.shuffle(made)
    return made


def _windows(document: Document, rng: random.Random) -> list[Span]:
    """The whole of a short text; of a long one its beginning and some pieces of it, from line to line."""
    size = len(document.text)
    if size <= WINDOW * WINDOWS:
        return [Span(0, size)]
    starts = [0, *sorted(rng.randrange(WINDOW, size) for _ in range(WINDOWS - 1))]
    windows: list[Span] = []
    for start in starts:
        begin = max(
            windows[-1].end if windows else 0, document.text.find("\n", start) + 1 if start else 0
        )
        end = document.text.rfind("\n", begin, begin + WINDOW)
        windows.append(Span(begin, end if end > begin else min(size, begin + WINDOW)))
    return windows


def made_of(document: Document, window: Span) -> Iterator[Made]:
    text = document.text[window.start : window.end]
    sentences = segment(replace(document, text=text))
    names = frozenset(word for match in INSIDE.finditer(text) for word in match[0].split())
    common = frozenset(re.findall(r"(?<![\w’'-])[a-z][\w’'-]*", text))
    for sentence in sentences:
        told = Told(_flat(text[sentence.span.start : sentence.span.end]), names, common)
        if _usable(sentence, told.text):
            span = Span(window.start + sentence.span.start, window.start + sentence.span.end)
            for kind, pattern in PATTERNS.items():
                made = (_tidy(question) for question in pattern(told))
                yield from (Made(question, kind, span) for question in made if _readable(question))


def _flat(text: str) -> str:
    """A sentence on one line, without what it has in parentheses."""
    return re.sub(r" \([^()]*\)", "", " ".join(text.split()))


def _usable(sentence: Sentence, text: str) -> bool:
    """Whether a sentence is whole, English, and of a length that its question can be understood by."""
    words = [word.casefold() for word in re.findall(r"[\w’']+", text)]
    english = sum(word in STOP_WORDS for word in words)
    whole = sentence.may_answer and sentence.kind in ("prose", "item") and bool(_WHOLE.search(text))
    return whole and 6 <= len(words) <= LONGEST_SENTENCE and english >= max(2, len(words) / 8)


def _tidy(question: str) -> str:
    return re.sub(r" +(?=[ ?])", "", question)


def _readable(question: str) -> bool:
    """Whether a question can be understood by itself: nothing in it points elsewhere, and it says what it is about."""
    words = question.split()
    return (
        3 <= len(words) <= LONGEST_QUESTION
        and not _POINTS.search(question)
        and not _MARKS.search(question[:-1])
        and len(set(terms(question))) >= FEWEST_TERMS
    )


LONGEST_SENTENCE, LONGEST_QUESTION, FEWEST_TERMS = 60, 18, 2
_WHOLE = re.compile(r"[.!][\"”’]?$|,[\"”’] ?[^\"“”]*\.$")
_MARKS = re.compile(r"[\"“”„«»()\[\]{}:;,?!…—|*_`<>/]|\s[-–]|\.{2}|^\W|\d\.$| [A-Z]$")
_POINTS = re.compile(
    r"\bus\b|\b(?i:he|she|it|they|him|them|his|her|hers|its|their|theirs|i|me|my|we|our|you|your|this|these|those|"
    r"yesterday|today|tomorrow|tonight|ago|now|here|also|such|other|others|another|both|same|latter|former|"
    r"himself|herself|itself|themselves|respectively|however|one|last|next|not|n[’']t|only|just|then|later|"
    r"earlier|again|still|soon|image|photo)\b"
)
"""Words that point out of a question, and those on which its grammar or sense may hang."""

# The words of the patterns. A subject opens its sentence; whatever cannot be cut with certainty makes no question.
