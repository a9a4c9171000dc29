"""Makes claims that a passage supports, and claims that it does not, from public questions.

A question and its answer become a statement by rule, rough but in a person's words; a sentence of
the passage is trimmed. One change makes each of them wrong: another name, number, month or day, a
denial, an opposite, or an added detail.
"""

import csv
import json
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from qa.documents.sentences import Sentence, segment
from qa.text.words import terms
from qa.training.changes import changed, other_answer
from qa.training.sources import Part, TrainingQuestion
from qa.types import Document


@dataclass(frozen=True, slots=True)
class TrainingClaim:
    """A claim, the sentences it is checked against, and whether they support it."""

    source: str
    claim: str
    evidence: tuple[str, ...]
    supported: bool
    part: Part = "train"


OTHER_ANSWER_SHARE = 0.6
"""How often a wrong claim is made with another answer, where the passage has one of its kind."""
SENTENCE_SHARE = 0.5
"""How often a claim is made of a sentence of the passage, too."""
MIN_SENTENCE_CHARACTERS = 40
"""A sentence that is not longer does not become a claim."""
MIN_TRIMMED_CHARACTERS = 30
_AUXILIARY = (
    r"(?:is|was|are|were|did|does|do|has|have|had|can|could|will|would|should|may|might|must)"
)
_SUBJECT = re.compile(
    rf"^(?:who|what|which(?: \w+)?)\s+(?!{_AUXILIARY}\b|year\b|day\b|date\b|time\b)", re.IGNORECASE
)
_IS = re.compile(r"^(?:who|what)\s+(is|was|are|were)\s+(.+)$", re.IGNORECASE)
_MANY = re.compile(r"^(how (?:many|much))\s+(.+)$", re.IGNORECASE)
_OTHER_QUESTION = re.compile(
    rf"^(?:when|where|why|how|who|what|which)\b(.*?)\b({_AUXILIARY})\s+(.+)$", re.IGNORECASE
)
_ASIDE = re.compile(
    r"\s*\([^()]*\)|,\s+(?:which|who|where|whose|including|such as|along with|as well as)\b"
    r"[^,;.]*(?=[,.])"
)
_OPENING = re.compile(
    r"^(?:In|On|At|After|Before|During|According to|While|Although|As|For|By|With)\b"
    r"[^,;.]{3,80},\s+(?=\w)"
)
_TAIL = re.compile(
    r",\s+(?:and|but|while|although|because|as|with|after|before)\b[^.]*(?=\.$)|"
    r"\s+(?:on|in|at|during|after|since)\s+(?:[A-Z\d][\w ]*)(?=\.$)"
)


def claims_of_questions(questions: Sequence[TrainingQuestion], seed: int) -> list[TrainingClaim]:
    """Returns claims made of the answerable questions, and of some of their passages' sentences.

    The same seed gives the same claims in the same order.
    """
    rng = random.Random(seed)
    claims: list[TrainingClaim] = []
    for question in questions:
        if question.answers and not question.region:
            claims += _of_question(question, rng)
            if rng.random() < SENTENCE_SHARE:
                claims += _of_sentence(question, rng)
    return claims


def claims_of_simplified_news(
    questions: Sequence[TrainingQuestion], seed: int
) -> list[TrainingClaim]:
    """Returns sentences of simplified news as claims, with the most similar original sentences.

    `questions` in the source's order, in which the simplified passages follow their original.
    """
    rng = random.Random(seed)
    claims: list[TrainingClaim] = []
    original: TrainingQuestion | None = None
    # One question for each passage, the last one, in the place of the first.
    by_passage = {question.context: question for question in questions}
    for question in by_passage.values():
        if not question.simplified:
            original = question
        elif original:
            claims += _of_simplified(question, original, rng)
    return claims


def joined_claims(claims: Sequence[TrainingClaim], seed: int) -> list[TrainingClaim]:
    """Returns claims joined in twos: two supported ones, or a supported and an unsupported one."""
    rng = random.Random(seed)
    supported = [claim for claim in claims if claim.supported]
    unsupported = [claim for claim in claims if not claim.supported]

    joined = []
    pairs = list(pairwise(supported))
    pairs += zip(supported, unsupported, strict=False)
    for first, second in pairs:
        if first.claim == second.claim or first.part != second.part:
            continue
        link = rng.choice([", and ", ", while ", "; "])
        beginning = first.claim.rstrip(".")
        joined.append(
            TrainingClaim(
                source=first.source,
                claim=beginning + link + second.claim,
                evidence=first.evidence + second.evidence,
                supported=second.supported,
                part=first.part,
            )
        )
    return joined


def read_fool_me_twice(path: Path) -> Iterator[TrainingClaim]:
    """Reads claims that people wrote to mislead, with their evidence (Eisenschlos et al. 2021)."""
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        evidence = tuple(sentence["text"] for sentence in row["gold_evidence"])
        yield TrainingClaim("fm2", row["text"], evidence, row["label"] == "SUPPORTS")


def read_begin(path: Path) -> Iterator[TrainingClaim]:
    """Reads replies of dialogue systems with the knowledge they rest on (Dziri et al. 2022).

    Generic replies are left out.
    """
    labels = {"Fully attributable": True, "Not fully attributable": False}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            supported = labels.get(row["begin_label"])
            reply = row["response"]
            if supported is not None and reply.strip():
                yield TrainingClaim("begin", reply, (row["knowledge"],), supported)


def statement(question: str, answer: str) -> str:
    """Returns a question and its answer as one statement, whose grammar may be wrong."""
    text = question.strip().rstrip("?.! ").strip()
    if _SUBJECT.match(text):
        return _as_sentence(_SUBJECT.sub(lambda _: f"{answer} ", text, count=1))
    if match := _IS.match(text):
        return _as_sentence(f"{match[2]} {match[1].lower()} {answer}")
    if match := _MANY.match(text):
        return _as_sentence(f"{answer} {match[2]}")
    if match := _OTHER_QUESTION.match(text):
        return _as_sentence(f"{match[3]} {match[2].lower()}{match[1]} {answer}")
    return _as_sentence(f"{text}: {answer}")


def _as_sentence(text: str) -> str:
    line = _one_line(text).rstrip(".")
    return f"{line[:1].upper()}{line[1:]}."


def _of_question(question: TrainingQuestion, rng: random.Random) -> Iterator[TrainingClaim]:
    sentences = _sentences(question.context)
    gold = question.answers[0]
    place = 0
    while place < len(sentences) and not sentences[place].span.overlap(gold):
        place += 1
    if place == len(sentences):
        return

    context = question.context
    answer = context[gold.start : gold.end]
    claim = statement(question.question, answer)
    evidence = _around(context, sentences, place, rng)
    yield _labelled(question, claim, evidence, True)

    other = other_answer(context, answer, rng)
    if other and rng.random() < OTHER_ANSWER_SHARE:
        other_claim = statement(question.question, other)
        yield _labelled(question, other_claim, evidence, False)
    wrong = changed(claim, context, rng)
    if wrong:
        yield _labelled(question, wrong, evidence, False)


def _of_sentence(question: TrainingQuestion, rng: random.Random) -> Iterator[TrainingClaim]:
    context = question.context
    sentences = []
    for sentence in _sentences(context):
        if len(sentence.span) > MIN_SENTENCE_CHARACTERS:
            sentences.append(sentence)
    if not sentences:
        return

    place = rng.randrange(len(sentences))
    claim = _trimmed(_text(context, sentences[place]), rng)
    evidence = _around(context, sentences, place, rng)
    yield _labelled(question, claim, evidence, True)
    wrong = changed(claim, context, rng)
    if wrong:
        yield _labelled(question, wrong, evidence, False)


def _of_simplified(
    simplified: TrainingQuestion, original: TrainingQuestion, rng: random.Random
) -> Iterator[TrainingClaim]:
    originals = [_text(original.context, s) for s in _sentences(original.context)]
    original_terms = [set(terms(text)) for text in originals]
    for sentence in _sentences(simplified.context):
        claim = _text(simplified.context, sentence)
        claim_terms = set(terms(claim))
        if len(claim_terms) < 3 or not originals:
            continue

        shared = [len(claim_terms & words) for words in original_terms]
        best = shared.index(max(shared))
        around = slice(max(0, best - 1), best + 2)
        evidence_terms = set().union(*original_terms[around])
        # With less than half of the claim's terms the original does not say it.
        if 2 * len(claim_terms & evidence_terms) < len(claim_terms):
            continue
        evidence = tuple(originals[around])
        yield _labelled(simplified, claim, evidence, True)
        wrong = changed(claim, original.context, rng)
        if wrong:
            yield _labelled(simplified, wrong, evidence, False)


def _labelled(
    question: TrainingQuestion, claim: str, evidence: tuple[str, ...], supported: bool
) -> TrainingClaim:
    """Returns a claim in the part of its question."""
    return TrainingClaim(
        source=question.source,
        claim=claim,
        evidence=evidence,
        supported=supported,
        part=question.part,
    )


def _sentences(context: str) -> tuple[Sentence, ...]:
    return segment(Document("", "", "", context))


def _text(context: str, sentence: Sentence) -> str:
    return _one_line(context[sentence.span.start : sentence.span.end])


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _around(
    context: str, sentences: Sequence[Sentence], place: int, rng: random.Random
) -> tuple[str, ...]:
    """Returns the sentence, sometimes with its neighbours."""
    first = place - (rng.random() < 0.4)
    last = place + (rng.random() < 0.25)
    evidence = []
    for sentence in sentences[max(0, first) : last + 1]:
        evidence.append(_text(context, sentence))
    return tuple(evidence)


def _trimmed(sentence: str, rng: random.Random) -> str:
    """Returns a sentence without parts that it is mostly true without."""
    for pattern, share in ((_ASIDE, 0.7), (_OPENING, 0.4), (_TAIL, 0.4)):
        if rng.random() < share:
            shorter = pattern.sub("", sentence, count=1)
            if len(shorter) > MIN_TRIMMED_CHARACTERS:
                sentence = shorter
    return sentence[:1].upper() + sentence[1:]
