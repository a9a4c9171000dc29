"""Question files, looked over before they are used: everything that is wrong, and what is worth a second look.

Three levels. Wrong: no run takes the file, or its figures would count something twice. A warning: it may be meant, an
accepted paraphrase for one. A note: it weakens what the set can show.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, combinations
from pathlib import Path
from typing import Any, Literal

from rapidfuzz import fuzz, process, utils

from eval.dataset import Gold, Question, find_evidence, scan_questions
from eval.metrics.answers import contains_answer
from eval.metrics.example import Example
from qa.errors import DocumentError, QuestionFileError
from qa.types import Answer, Document

Level = Literal["wrong", "warning", "note"]
LEVELS: tuple[Level, ...] = ("wrong", "warning", "note")
SAME_FACT = 60.0
"""Likeness, 0 to 100, from which on two questions with a gold quote and an answer in common are one in other words."""
SAME_WORDS = 90.0
"""Likeness from which on any two are; a near miss, which changes one word, is often above 80."""
FEW = 0.2
"""The share of the questions under which a split is small."""
APART = 0.2
"""How far the shares of answerable questions of two splits may be apart."""
_TELLING = re.compile(r"\d+|\b(?:who\w*|what|when|where|which|why|how|not?|never|\w+n t)\b")
"""Words that change what a question asks, however like it is to another one."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about a line of a question file, or about all of it (line 0)."""

    level: Level
    line: int
    words: str


@dataclass(frozen=True, slots=True)
class Checked:
    """The questions of the good lines, and what was found, the worst first and by line."""

    questions: tuple[Question, ...]
    findings: tuple[Finding, ...]

    def at(self, level: Level) -> list[Finding]:
        return [finding for finding in self.findings if finding.level == level]

    def passes(self, strict: bool = False) -> bool:
        """Whether nothing is wrong; `strict`: nor anything worth a warning."""
        return not (self.at("wrong") or (strict and self.at("warning")))

    def as_json(self) -> dict[str, Any]:
        return {
            "questions": len(self.questions),
            "answerable": sum(question.answerable for question in self.questions),
            "splits": dict(Counter(question.split for question in self.questions)),
            "kinds": dict(Counter(question.kind for question in self.questions)),
            "findings": [
                {"level": one.level, "line": one.line, "words": one.words} for one in self.findings
            ],
        }


def check(
    path: Path, documents: Sequence[Document], failures: Iterable[DocumentError] = ()
) -> Checked:
    """All that can be told of a question file over these documents; `failures`: those that could not be read.

    Bad lines keep nothing from being told of the others. Likeness across the splits takes every pair: seconds for a
    thousand questions in each, minutes for ten thousand.
    """
    questions, bad = _read(path)
    unread = [Finding("wrong", 0, str(failure)) for failure in failures]
    gold, lost = _placed(questions, documents, bool(unread))
    found = chain(
        chain.from_iterable(_alone(question, gold[question.id]) for question in questions),
        _repeated(questions),
        _across_splits(questions, gold),
        _balance(questions),
    )
    findings = [*unread, *bad, *lost, *found]
    return Checked(
        tuple(questions),
        tuple(sorted(findings, key=lambda one: (LEVELS.index(one.level), one.line))),
    )


def normalized(text: str) -> str:
    """A question without case, punctuation and runs of white space: what two of them are the same by."""
    return " ".join(utils.default_process(text).split())


def has_answer(text: str, answer: str) -> bool:
    """Whether an accepted answer is in a text, as the measure `contains_answer` has it."""
    asked = Question("", "?", True, (answer,), (), "")
    example = Example(asked, (), Answer("?", "?", text, None, 1.0, (), (), ""), {})
    return contains_answer(example) == 1.0


def _read(path: Path) -> tuple[list[Question], list[Finding]]:
    """The questions of the good lines, each with its line, and what is wrong with the others."""
    try:
        questions, problems = scan_questions(path)
    except QuestionFileError as error:
        return [], [Finding("wrong", 0, str(error))]
    return questions, [Finding("wrong", line, words) for line, words in problems]


def _placed(
    questions: Sequence[Question], documents: Sequence[Document], unread: bool
) -> tuple[dict[str, list[Gold]], list[Finding]]:
    """Where the gold quotes stand, by question, none for those with one that stands nowhere or in several places."""
    if not documents:
        nothing: dict[str, list[Gold]] = {question.id: [] for question in questions}
        return nothing, [
            Finding("note", 0, "Evidence was not looked for: there is no document to look in.")
        ]
    gold, problems = find_evidence(questions, documents)
    lost = [Finding("wrong", line, words) for line, words in problems]
    bad = {line for line, _ in problems}
    gold |= {question.id: [] for question in questions if question.line in bad}
    if lost and unread:
        lost.append(
            Finding("note", 0, "What is in no document may be in one that could not be read.")
        )
    return gold, lost


def _alone(question: Question, gold: Sequence[Gold]) -> Iterator[Finding]:
    """What can be told of a question by itself."""
    evidence = " ".join(question.evidence)
    for answer in question.answers:
        if evidence and not has_answer(evidence, answer):
            yield _warning(question, f"the answer {answer!r} is not in the evidence")
        if has_answer(question.question, answer):
            yield _warning(question, f"the question has its answer {answer!r} in it")
    for (one, first), (other, second) in combinations(gold, 2):
        if one == other and first.overlap(second):
            shared = min(len(first), len(second), first.overlap(second))
            yield _warning(question, f"two pieces of evidence share {shared} characters")


def _warning(question: Question, words: str) -> Finding:
    return Finding("warning", question.line, f"{question.id}: {words}")


def _asked(question: Question) -> str:
    """The question after what was asked before it."""
    return normalized(" ".join([*(turn.question for turn in question.history), question.question]))


def _repeated(questions: Sequence[Question]) -> Iterator[Finding]:
    """Questions that an earlier line asks too; wrong where all else is the same as well."""
    seen: dict[tuple[str, str], Question] = {}
    for question in questions:
        first = seen.setdefault((_asked(question), question.group), question)
        if first is question:
            continue
        same = (first.answerable, set(first.evidence)) == (
            question.answerable,
            set(question.evidence),
        )
        words = f"{question.id}: the same question as line {first.line}"
        other = f", which is of the split {first.split}" if first.split != question.split else ""
        level: Level = "wrong" if same else "warning"
        yield Finding(
            level, question.line, f"{words}{other}{'' if same else ', with other evidence'}"
        )


def _across_splits(
    questions: Sequence[Question], gold: Mapping[str, Sequence[Gold]]
) -> Iterator[Finding]:
    """Test questions that a development question asks in other words: what is tuned on one knows the other."""
    dev = [question for question in questions if question.split == "dev"]
    asked = [_asked(question) for question in dev]
    for question in (one for one in questions if one.split == "test" and dev):
        words = _asked(question)
        scores = process.cdist([words], asked, scorer=fuzz.token_set_ratio, score_cutoff=SAME_FACT)[
            0
        ]
        for other in (dev[at] for at in scores.nonzero()[0]):
            if _leaks(question, other, gold):
                told = f"much like {other.id} (line {other.line}: {other.question!r}), of the other split"
                yield _warning(question, told)


def _leaks(one: Question, other: Question, gold: Mapping[str, Sequence[Gold]]) -> bool:
    """Whether two questions with words in common are one: after the same fact, or, without a place, in the same words.

    Not where one is answerable and the other its near miss.
    """
    if one.answerable != other.answerable or _asked(one) == _asked(other):
        return False
    if gold[one.id] and gold[other.id]:
        return _same_fact(one, other, gold)
    first, second = _asked(one), _asked(other)
    telling = [sorted(_TELLING.findall(text)) for text in (first, second)]
    return telling[0] == telling[1] and fuzz.token_sort_ratio(first, second) >= SAME_WORDS


def _same_fact(one: Question, other: Question, gold: Mapping[str, Sequence[Gold]]) -> bool:
    """Whether two questions have a gold quote, or a part of one, and an answer in common."""
    if not any(a[0] == b[0] and a[1].overlap(b[1]) for a in gold[one.id] for b in gold[other.id]):
        return False
    return bool(
        {normalized(answer) for answer in one.answers}
        & {normalized(answer) for answer in other.answers}
    )


def _balance(questions: Sequence[Question]) -> Iterator[Finding]:
    """What the set as a whole cannot show, or shows of a few questions only."""
    if questions and all(question.answerable for question in questions):
        yield _note(
            "Every question is answerable: whether the bot refuses what it should is not measured."
        )
    kinds: dict[str, list[Question]] = defaultdict(list)
    splits: dict[str, list[Question]] = defaultdict(list)
    for question in questions:
        kinds[question.kind].append(question)
        splits[question.split].append(question)
    for kind, members in kinds.items():
        held = {question.split for question in members}
        if len(members) == 1:
            yield _note(f"The kind {kind!r} has a single question.")
        elif len(splits) > len(held):
            yield _note(f"The kind {kind!r} is in the split {held.pop()} only.")
    if len(splits) > 1:
        yield from _split_notes(splits, len(questions))


def _split_notes(splits: Mapping[str, Sequence[Question]], total: int) -> Iterator[Finding]:
    for name, members in splits.items():
        if len(members) < FEW * total:
            yield _note(f"The split {name} has {len(members)} of {total} questions.")
    shares = {
        name: sum(one.answerable for one in members) / len(members)
        for name, members in splits.items()
    }
    if max(shares.values()) - min(shares.values()) > APART:
        told = ", ".join(f"{share:.2f} of {name}" for name, share in shares.items())
        yield _note(f"The splits differ in how many questions are answerable: {told}.")


def _note(words: str) -> Finding:
    return Finding("note", 0, words)
