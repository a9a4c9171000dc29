"""Checks of a question file before it is used: what is wrong, and what may weaken the set.

Three levels. Wrong: no run accepts the file, or its estimates would count something twice.
Warning: it may be intended, such as an accepted paraphrase. Note: it limits what the set can show.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations, product
from pathlib import Path
from typing import Any, Literal

from rapidfuzz import fuzz, process, utils

from eval.dataset import (
    Gold,
    Problem,
    Question,
    find_evidence,
    repeated_quotes_note,
    scan_questions,
)
from eval.metrics.answers import contains_answer
from eval.metrics.example import Example
from qa.errors import DocumentError, QuestionFileError
from qa.text.numbers import without_thousands_marks
from qa.types import Answer, Document

Level = Literal["wrong", "warning", "note"]
LEVELS: tuple[Level, ...] = ("wrong", "warning", "note")
SAME_FACT = 60.0
"""Similarity, 0 to 100, from which questions with a common quote and answer ask the same."""
SAME_WORDS = 90.0
"""Similarity from which any two questions ask the same. Near misses are often above 80."""
SMALL_SPLIT = 0.2
"""A split with a smaller share of the questions is small."""
UNLIKE_SPLITS = 0.2
"""Shares of answerable questions that differ by more make two splits unlike."""
Questions = Sequence[Question]
QuestionsByName = dict[str, list[Question]]
"""By the name of a kind or a split."""
GoldByQuestion = Mapping[str, Sequence[Gold]]
"""The gold quotes, by question id."""
_DECISIVE = re.compile(r"\d+|\b(?:who\w*|what|when|where|which|why|how|not?|never|\w+n t)\b")
"""Words that change what a question asks, however similar it is to another."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about a line of a question file, or about the whole file (line 0)."""

    level: Level
    line: int
    words: str


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The questions of the good lines, and the findings, the worst first and by line."""

    questions: tuple[Question, ...]
    findings: tuple[Finding, ...]

    def at(self, level: Level) -> list[Finding]:
        return [finding for finding in self.findings if finding.level == level]

    def passes(self, strict: bool = False) -> bool:
        """Returns whether nothing is wrong; `strict`: and there is no warning."""
        return not (self.at("wrong") or (strict and self.at("warning")))

    def as_json(self) -> dict[str, Any]:
        answerable = 0
        splits: Counter[str] = Counter()
        kinds: Counter[str] = Counter()
        for question in self.questions:
            answerable += question.answerable
            splits[question.split] += 1
            kinds[question.kind] += 1

        return {
            "questions": len(self.questions),
            "answerable": answerable,
            "splits": dict(splits),
            "kinds": dict(kinds),
            "findings": [asdict(finding) for finding in self.findings],
        }


def check(
    path: Path, documents: Sequence[Document], failures: Iterable[DocumentError] = ()
) -> CheckResult:
    """Checks a question file over these documents. Bad lines do not hide findings of other lines.

    `failures`: documents that could not be read. Every pair of a development and a test question
    is compared: seconds for a thousand questions in each split, minutes for ten thousand.
    """
    findings = [Finding("wrong", 0, str(failure)) for failure in failures]
    unread = bool(findings)
    try:
        questions, problems = scan_questions(path)
    except QuestionFileError as error:
        findings.append(Finding("wrong", 0, str(error)))
        return CheckResult((), tuple(findings))

    findings += _wrong_lines(problems)
    gold, evidence_findings = _check_evidence(questions, documents, unread)
    findings += evidence_findings

    for question in questions:
        findings += _check_question(question, gold[question.id])
    findings += _repeated_questions(questions)
    findings += _leaks(questions, gold)
    findings += _imbalances(questions)

    findings.sort(key=_by_level_and_line)
    return CheckResult(tuple(questions), tuple(findings))


def normalized(text: str) -> str:
    """Returns a text without case, punctuation, repeated spaces and marks between thousands."""
    processed = utils.default_process(without_thousands_marks(text))
    return " ".join(processed.split())


def has_answer(text: str, answer: str) -> bool:
    """Returns whether an accepted answer is in a text, as the metric `contains_answer` has it."""
    question = Question(
        id="",
        question="?",
        answerable=True,
        answers=(answer,),
        evidence=(),
        kind="",
    )
    # The metric reads only the text of the answer; the rest is filled in.
    text_as_answer = Answer(
        question="?",
        standalone_question="?",
        text=text,
        reason=None,
        confidence=1.0,
        sentences=(),
        passages=(),
        engine="",
    )
    example = Example(question, (), text_as_answer, {})
    return contains_answer(example) == 1.0


def _by_level_and_line(finding: Finding) -> tuple[int, int]:
    return LEVELS.index(finding.level), finding.line


def _wrong_lines(problems: Iterable[Problem]) -> Iterator[Finding]:
    for line, words in problems:
        yield Finding("wrong", line, words)


def _check_evidence(
    questions: Questions, documents: Sequence[Document], unread: bool
) -> tuple[GoldByQuestion, list[Finding]]:
    """Returns the spans of the quotes by question, and findings about the others.

    A finding is a quote that is in no document: its question has no quotes. `unread`: some document
    could not be read.
    """
    gold, problems = find_evidence(questions, documents)
    if not documents:
        # Every quote would be reported, and none of the reports would say what is wrong.
        nowhere: GoldByQuestion = dict.fromkeys(gold, ())
        return nowhere, [_note("Evidence was not looked for: there is no document.")]

    findings = list(_wrong_lines(problems))
    bad_lines = {line for line, _ in problems}
    for question in questions:
        if question.line in bad_lines:
            gold[question.id] = []

    if findings and unread:
        findings.append(_note("Missing evidence may be in a document that could not be read."))
    note = repeated_quotes_note(gold)
    if note:
        findings.append(_note(note))
    return gold, findings


def _check_question(question: Question, gold: Sequence[Gold]) -> Iterator[Finding]:
    """Yields findings about one question."""
    evidence = " ".join(question.evidence)
    for answer in question.answers:
        # A warning, not wrong: the answer may be an accepted paraphrase.
        if evidence and not has_answer(evidence, answer):
            yield _warning(question, f"the answer {answer!r} is not in the evidence")
        if has_answer(question.question, answer):
            yield _warning(question, f"the question contains its answer {answer!r}")

    for first, second in combinations(gold, 2):
        shared = _overlap(first, second)
        if shared:
            yield _warning(question, f"two quotes of the evidence share {shared} characters")


def _repeated_questions(questions: Questions) -> Iterator[Finding]:
    """Yields questions that an earlier line asks too; wrong if their evidence is the same too."""
    first_lines: dict[str, Question] = {}
    for question in questions:
        # Two articles may each have a question in the same words.
        key = f"{question.group}\n{_words(question)}"
        first = first_lines.setdefault(key, question)
        if first is question:
            continue

        words = f"{question.id}: the same question as line {first.line}"
        if first.split != question.split:
            words += f", which is of the split {first.split}"
        same_evidence = set(first.evidence) == set(question.evidence)
        if first.answerable == question.answerable and same_evidence:
            yield Finding("wrong", question.line, words)
        else:
            yield Finding("warning", question.line, f"{words}, with other evidence")


def _leaks(questions: Questions, gold: GoldByQuestion) -> Iterator[Finding]:
    """Yields test questions that a development question asks in other words.

    What is tuned on the development split then knows the answer.
    """
    development = [question for question in questions if question.split == "dev"]
    if not development:
        return
    texts = list(map(_words, development))

    for question in questions:
        if question.split != "test":
            continue
        # A row of the matrix at a time: all of it may not fit into memory.
        (similarities,) = process.cdist(
            [_words(question)],
            texts,
            scorer=fuzz.token_set_ratio,
            score_cutoff=SAME_FACT,
        )
        # Below the cutoff a similarity is 0.
        (similar_indexes,) = similarities.nonzero()
        for index in similar_indexes:
            similar = development[index]
            if _is_leak(question, similar, gold):
                where = f"line {similar.line}: {similar.question!r}"
                yield _warning(question, f"like {similar.id} ({where}), of the other split")


def _is_leak(first: Question, second: Question, gold: GoldByQuestion) -> bool:
    """Returns whether two questions with common words ask for the same fact.

    Without evidence they must have nearly the same words.
    """
    # A near miss differs by one word and is not answerable: it leaks nothing.
    if first.answerable != second.answerable:
        return False
    first_words = _words(first)
    second_words = _words(second)
    # The same words are a repeated question, which has a finding of its own.
    if first_words == second_words:
        return False
    if gold[first.id] and gold[second.id]:
        return _same_fact(first, second, gold)

    first_decisive = _DECISIVE.findall(first_words)
    second_decisive = _DECISIVE.findall(second_words)
    if sorted(first_decisive) != sorted(second_decisive):
        return False
    return fuzz.token_sort_ratio(first_words, second_words) >= SAME_WORDS


def _same_fact(first: Question, second: Question, gold: GoldByQuestion) -> bool:
    """Returns whether two questions share a gold quote, or a part of one, and an answer."""
    first_answers = set(map(normalized, first.answers))
    second_answers = set(map(normalized, second.answers))
    if first_answers.isdisjoint(second_answers):
        return False
    for first_quote, second_quote in product(gold[first.id], gold[second.id]):
        if _overlap(first_quote, second_quote):
            return True
    return False


def _overlap(first: Gold, second: Gold) -> int:
    """Returns the most characters that a span of one quote shares with a span of the other."""
    most = 0
    for (document, span), (other_document, other_span) in product(first, second):
        if document == other_document:
            most = max(most, span.overlap(other_span))
    return most


def _imbalances(questions: Questions) -> Iterator[Finding]:
    """Yields what the whole set cannot show, or shows with few questions."""
    if questions and all(question.answerable for question in questions):
        yield _note(
            "Every question is answerable: whether the bot refuses what it should is not measured."
        )

    kinds: QuestionsByName = defaultdict(list)
    splits: QuestionsByName = defaultdict(list)
    for question in questions:
        kinds[question.kind].append(question)
        splits[question.split].append(question)

    for kind, members in kinds.items():
        splits_of_kind = {question.split for question in members}
        if len(members) == 1:
            yield _note(f"The kind {kind!r} has a single question.")
        # There are two splits, so a kind that misses one is in the other.
        elif len(splits_of_kind) < len(splits):
            (only_split,) = splits_of_kind
            yield _note(f"The kind {kind!r} is only in the split {only_split}.")
    if len(splits) > 1:
        yield from _unlike_splits(splits, len(questions))


def _unlike_splits(splits: QuestionsByName, total: int) -> Iterator[Finding]:
    shares = []
    descriptions = []
    for name, members in splits.items():
        count = len(members)
        if count < SMALL_SPLIT * total:
            yield _note(f"The split {name} has {count} of {total} questions.")

        answerable = 0
        for question in members:
            answerable += question.answerable
        share = answerable / count
        shares.append(share)
        descriptions.append(f"{share:.2f} of {name}")

    if max(shares) - min(shares) > UNLIKE_SPLITS:
        words = ", ".join(descriptions)
        yield _note(f"The splits differ in how many questions are answerable: {words}.")


def _words(question: Question) -> str:
    """Returns the question after the earlier questions of its conversation."""
    questions = [turn.question for turn in question.history]
    questions.append(question.question)
    return normalized(" ".join(questions))


def _warning(question: Question, words: str) -> Finding:
    return Finding("warning", question.line, f"{question.id}: {words}")


def _note(words: str) -> Finding:
    return Finding("note", 0, words)
