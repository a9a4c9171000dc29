"""Writes public paragraphs and questions as people's documents have them.

A list of questions with answers (FAQ), notes, numbered clauses, what speakers say, dated lines, and
statements that a yes-or-no question asks about (Fool Me Twice, Eisenschlos et al. 2021).
"""

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Literal

from qa.training.changes import with_opposites
from qa.training.rewording import reworded, yes_no_question
from qa.training.sources import Part, QuestionsBySource, TrainingQuestion, part_of_index
from qa.training.written import TextWriter, WrittenDocument, WrittenQuestion
from qa.types import Span

PROSE_SOURCES = ("squad2_half", "squad_train_a", "squad_train_d", "onestop_news", "qed")
CLAIM_FILES = ("fm2/dev.jsonl", "fm2/test.jsonl")
"""Files below the data folder."""
CLAIMS_EVERY = 8
MAX_ENTRIES = 7
MIN_ENTRIES = 3
MAX_QUESTIONS = 3
"""Questions of one written document."""
MAX_OPPOSITE_SHARE = 0.25
_SPEAKERS = "Anna Ben Carla David Emeka Farah Greta Hugo Ines Jonas Keiko Liam Mara Nils".split()
_BULLETS = ("- ", "* ", "• ", "")
_BETWEEN_SPACES = r"(?<!\S){}(?!\S)"
"""A word without a hyphen or another mark, see `with_opposites`."""


def prose_documents(
    questions: QuestionsBySource, part: Part, seed: int
) -> Iterator[WrittenDocument]:
    """Yields every article of the prose sources once as an FAQ, and its paragraphs as notes."""
    rng = random.Random(seed)
    for name in PROSE_SOURCES:
        articles: dict[str, list[TrainingQuestion]] = {}
        for row in questions[name]:
            if row.part == part:
                articles.setdefault(row.group, []).append(row)
        for group, rows in sorted(articles.items()):
            yield from _faqs(group, rows, part, rng)
            yield from _notes(group, rows, part, rng)


def yes_no_documents(data: Path, part: Part, seed: int) -> Iterator[WrittenDocument]:
    """Yields the evidence of claims with the claims as yes-or-no questions.

    The sentence that decides is the answer, whether it says yes or no.
    """
    rng = random.Random(seed)
    number = 0
    for file in CLAIM_FILES:
        for line in (data / file).read_text(encoding="utf-8").splitlines():
            number += 1
            if part_of_index(number, CLAIMS_EVERY) != part:
                continue
            document = _yes_no(json.loads(line), part, rng)
            if document:
                yield document


def _faqs(
    group: str, rows: Sequence[TrainingQuestion], part: Part, rng: random.Random
) -> Iterator[WrittenDocument]:
    """Yields lists of questions with answers, each with questions of the article it lacks."""
    answered = [row for row in rows if row.answers and not row.region]
    rng.shuffle(answered)
    # A question that means the same as another one may stand in the list: one of each answer.
    by_answer: dict[str, TrainingQuestion] = {}
    for row in answered:
        by_answer.setdefault(row.answer_texts[0].casefold(), row)
    remaining = iter(by_answer.values())
    while entries := list(islice(remaining, rng.randint(MIN_ENTRIES, MAX_ENTRIES))):
        if len(entries) < MIN_ENTRIES:
            return
        absent = list(islice(remaining, 1))
        yield _faq(group, entries, absent, part, rng)


def _faq(
    group: str,
    entries: Sequence[TrainingQuestion],
    absent: Sequence[TrainingQuestion],
    part: Part,
    rng: random.Random,
) -> WrittenDocument:
    before, between = rng.choice([("## ", "\n"), ("**", "**\n"), ("Q: ", "\nA: "), ("", "\n")])
    is_short = rng.random() < 0.6
    writer = TextWriter()
    writer.add(f"# {_title(group)}: questions\n\n")
    questions = []
    for entry in entries:
        writer.add(f"{before}{entry.question.strip()}{between}")
        answer = entry.answers[0]
        spans = [answer] if is_short else _sentences_with(entry, answer)
        shown = Span(spans[0].start, spans[-1].end)
        copied = writer.add(entry.text_of(shown))
        if is_short:
            writer.add(".")
        writer.add("\n\n")
        start = copied.start + answer.start - shown.start
        written_answer = Span(start, start + len(answer))
        questions.append((entry, written_answer))

    text = writer.text
    rng.shuffle(questions)
    written = []
    for entry, written_answer in questions[:MAX_QUESTIONS]:
        # The list has the question as it was asked: a person asks it otherwise.
        as_typed = reworded(entry.question.strip(), rng)
        as_typed = reworded(as_typed, rng)
        written.append(WrittenQuestion(as_typed, (written_answer,)))
    for row in absent:
        if not _has_answer(text, row):
            as_typed = reworded(row.question, rng)
            written.append(WrittenQuestion(as_typed, ()))
    return WrittenDocument("faq", group, text, tuple(written), part)


def _notes(
    group: str, rows: Sequence[TrainingQuestion], part: Part, rng: random.Random
) -> Iterator[WrittenDocument]:
    """Yields paragraphs with a line for each sentence."""
    by_paragraph: dict[str, list[TrainingQuestion]] = {}
    for row in rows:
        by_paragraph.setdefault(row.context, []).append(row)
    for paragraph, of_paragraph in by_paragraph.items():
        if rng.random() < 0.5:
            yield _note(group, paragraph, of_paragraph, part, rng)


def _note(
    group: str,
    paragraph: str,
    rows: Sequence[TrainingQuestion],
    part: Part,
    rng: random.Random,
) -> WrittenDocument:
    start = rng.choice(_STARTS)
    bullet = rng.choice(_BULLETS)
    keeps_stop = rng.random() < 0.4
    writer = TextWriter()
    if rng.random() < 0.7:
        writer.add(f"# {_title(group)}\n\n")
    for number, sentence in enumerate(rows[0].sentences(), start=1):
        writer.add(_start_of_line(start, number, bullet, rng))
        span = sentence.span
        ends_with_stop = paragraph[span.end - 1] == "."
        if ends_with_stop and not keeps_stop:
            span = Span(span.start, span.end - 1)
        writer.copy(paragraph, span)
        writer.add("\n")

    sample_size = min(MAX_QUESTIONS, len(rows))
    chosen = rng.sample(list(rows), sample_size)
    questions = []
    for row in chosen:
        copies = map(writer.copy_of, row.answers)
        answers = [answer for answer in copies if answer]
        if answers or not row.answers:
            as_typed = reworded(row.question, rng)
            questions.append(WrittenQuestion(as_typed, tuple(answers), row.region))
    return WrittenDocument("notes", group, writer.text, tuple(questions), part)


_Start = Literal["bullet", "number", "speaker", "date"]
_STARTS: tuple[_Start, ...] = ("bullet", "bullet", "number", "speaker", "date")


def _start_of_line(start: _Start, number: int, bullet: str, rng: random.Random) -> str:
    if start == "number":
        return f"{number}. "
    if start == "speaker":
        return f"{rng.choice(_SPEAKERS)}: "
    if start == "date":
        month = 1 + number % 12
        day = rng.randint(1, 28)
        return f"{bullet}2024-{month:02}-{day:02}: "
    return bullet


def _yes_no(raw: Mapping[str, object], part: Part, rng: random.Random) -> WrittenDocument | None:
    claim = str(raw["text"])
    question = yes_no_question(claim)
    evidence = _texts(raw["gold_evidence"])
    if question is None or not evidence:
        return None
    distractors = [text for text in _texts(raw["retrieved_evidence"]) if text not in evidence]
    rng.shuffle(distractors)
    decisive = evidence[0]
    lines = [decisive, *distractors[:4]]
    rng.shuffle(lines)

    start = rng.choice(_STARTS)
    bullet = rng.choice(_BULLETS)
    is_prose = rng.random() < 0.4
    writer = TextWriter()
    gold = Span(0, 0)
    for number, line in enumerate(lines, start=1):
        if not is_prose:
            writer.add(_start_of_line(start, number, bullet, rng))
        line_span = writer.add(line)
        writer.add(" " if is_prose else "\n")
        if line == decisive:
            gold = line_span
    questions = [WrittenQuestion(reworded(question, rng), (gold,), region=True)]
    opposite = _opposite(question, rng)
    if opposite and rng.random() < MAX_OPPOSITE_SHARE:
        # The same sentence decides it.
        questions.append(WrittenQuestion(opposite, (gold,), region=True))
    group = f"claim {raw['id']}"
    return WrittenDocument("yes or no", group, writer.text, tuple(questions), part)


def _texts(evidence: object) -> list[str]:
    texts = []
    if isinstance(evidence, list):
        for row in evidence:
            texts.append(" ".join(row["text"].split()))
    return texts


def _opposite(question: str, rng: random.Random) -> str | None:
    """Returns the question with a word exchanged for its opposite; None without such a word.

    The first two words stay: the verb, and the first word of the subject.
    """
    words = question.rstrip("?").split()
    beginning = " ".join(words[:2])
    rest = " ".join(words[2:])
    opposed = with_opposites(rest, word_form=_BETWEEN_SPACES)
    return f"{beginning} {rng.choice(opposed)}?" if opposed else None


def _sentences_with(row: TrainingQuestion, answer: Span) -> list[Span]:
    spans = []
    for sentence in row.sentences():
        if sentence.span.overlap(answer):
            spans.append(sentence.span)
    return spans or [answer]


def _has_answer(text: str, row: TrainingQuestion) -> bool:
    folded_text = text.casefold()
    return any(answer.casefold() in folded_text for answer in row.answer_texts)


def _title(group: str) -> str:
    # Some sets name an article `prefix:Title_with_underscores`.
    _, _, last_part = group.rpartition(":")
    return last_part.replace("_", " ")
