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

from qa.documents.sentences import Sentence
from qa.models.entailment import asked_claim
from qa.text.words import terms
from qa.training.changes import changed, other_answer
from qa.training.sources import Part, TrainingQuestion
from qa.types import Span


@dataclass(frozen=True, slots=True)
class TrainingClaim:
    """A claim, the sentences it is checked against, and whether they support it."""

    source: str
    claim: str
    evidence: tuple[str, ...]
    supported: bool
    part: Part = "train"
    question: str = ""
    """What the claim answers; empty: the model reads the claim alone."""

    @property
    def pair(self) -> tuple[str, str]:
        """What the model reads: the claim after its question, and the evidence."""
        return asked_claim(self.question, self.claim), " ".join(self.evidence)


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

_LEADS = (
    "According to the documents, ",
    "Based on the passages, ",
    "The document states that ",
    "The passage says that ",
    "The answer is that ",
)
"""How language models begin an answer."""
LEAD_SHARE = 0.06
"""How often a claim begins with one of them."""
ANSWER_ALONE_SHARE = 0.1
"""How often a claim is the question, followed by the answer alone: "Who came? Ann Lee."."""
ASKED_SHARE = 0.5
"""How often a claim that is a statement is read after its question."""

_TRIMMED_SHARES = {_ASIDE: 0.7, _OPENING: 0.4, _TAIL: 0.4}
"""How often each part of a sentence is left out, where the sentence has it."""


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
        claims += _of_plausible_answers(question, rng)
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
    # As many as the shorter list has.
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
        evidence = [sentence["text"] for sentence in row["gold_evidence"]]
        yield TrainingClaim(
            source="fm2",
            claim=row["text"],
            evidence=tuple(evidence),
            supported=row["label"] == "SUPPORTS",
        )


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
    # "Who built the bridge?"
    if subject := _SUBJECT.match(text):
        predicate = text[subject.end() :]
        return _as_sentence(f"{answer} {predicate}")
    # "Who was the mayor?"
    if match := _IS.match(text):
        verb, subject_words = match.groups()
        return _as_sentence(f"{subject_words} {verb.lower()} {answer}")
    # "How many people came?"
    if match := _MANY.match(text):
        return _as_sentence(f"{answer} {match[2]}")
    # "When did the bridge open?"
    if match := _OTHER_QUESTION.match(text):
        between, auxiliary, rest = match.groups()
        return _as_sentence(f"{rest} {auxiliary.lower()}{between} {answer}")
    return _as_sentence(f"{text}: {answer}")


def _as_sentence(text: str) -> str:
    line = _one_line(text).rstrip(".")
    return f"{line[:1].upper()}{line[1:]}."


def worded(question: str, answer: str, rng: random.Random) -> tuple[str, str]:
    """Returns what a language model may write, after the question that the check may know.

    Mostly it is a statement, and the question is empty for half of these. At times it is the answer
    alone, which says nothing without its question.
    """
    if rng.random() < ANSWER_ALONE_SHARE:
        return question, _as_sentence(answer)
    claim = statement(question, answer)
    if rng.random() < LEAD_SHARE:
        claim = rng.choice(_LEADS) + claim
    return question if rng.random() < ASKED_SHARE else "", claim


def _of_plausible_answers(
    question: TrainingQuestion, rng: random.Random
) -> Iterator[TrainingClaim]:
    """Yields unsupported claims with the answers that a careless reader would give."""
    sentences = question.sentences() if question.plausible else ()
    for span in question.plausible:
        index = _sentence_index(span, sentences)
        if index is not None:
            question_text, claim = worded(question.question, question.text_of(span), rng)
            evidence = _around(question, sentences, index, rng)
            yield _labelled(question, claim, evidence, False, question_text)


def _of_question(question: TrainingQuestion, rng: random.Random) -> Iterator[TrainingClaim]:
    sentences = question.sentences()
    gold = question.answers[0]
    index = _sentence_index(gold, sentences)
    if index is None:
        return

    answer = question.text_of(gold)
    question_text, claim = worded(question.question, answer, rng)
    evidence = _around(question, sentences, index, rng)
    yield _labelled(question, claim, evidence, True, question_text)

    wrong_answer = other_answer(question.context, answer, rng)
    if wrong_answer and rng.random() < OTHER_ANSWER_SHARE:
        wrong_question_text, wrong_claim = worded(question.question, wrong_answer, rng)
        yield _labelled(question, wrong_claim, evidence, False, wrong_question_text)
    wrong = changed(claim, question.context, rng)
    if wrong:
        yield _labelled(question, wrong, evidence, False, question_text)


def _sentence_index(gold: Span, sentences: Sequence[Sentence]) -> int | None:
    """Returns the index of the first sentence that shares words with the answer."""
    for index, sentence in enumerate(sentences):
        if sentence.span.overlap(gold):
            return index
    return None


def _of_sentence(question: TrainingQuestion, rng: random.Random) -> Iterator[TrainingClaim]:
    sentences = []
    for sentence in question.sentences():
        if len(sentence.span) > MIN_SENTENCE_CHARACTERS:
            sentences.append(sentence)
    if not sentences:
        return

    index = rng.randrange(len(sentences))
    text = _text(question, sentences[index])
    claim = _trimmed(text, rng)
    evidence = _around(question, sentences, index, rng)
    yield _labelled(question, claim, evidence, True)
    wrong = changed(claim, question.context, rng)
    if wrong:
        yield _labelled(question, wrong, evidence, False)


def _of_simplified(
    simplified: TrainingQuestion, original: TrainingQuestion, rng: random.Random
) -> Iterator[TrainingClaim]:
    originals = []
    original_terms = []
    for sentence in original.sentences():
        text = _text(original, sentence)
        originals.append(text)
        original_terms.append(set(terms(text)))

    for sentence in simplified.sentences():
        claim = _text(simplified, sentence)
        claim_terms = set(terms(claim))
        if len(claim_terms) < 3 or not originals:
            continue

        shared = [len(claim_terms & sentence_terms) for sentence_terms in original_terms]
        best = shared.index(max(shared))
        # Simplified news often splits a sentence in two, or joins two.
        around = slice(max(0, best - 1), best + 2)
        evidence_terms = set().union(*original_terms[around])
        # With less than half of the claim's terms the original does not say it.
        shared_terms = claim_terms & evidence_terms
        if 2 * len(shared_terms) < len(claim_terms):
            continue
        evidence = tuple(originals[around])
        yield _labelled(simplified, claim, evidence, True)
        wrong = changed(claim, original.context, rng)
        if wrong:
            yield _labelled(simplified, wrong, evidence, False)


def _labelled(
    question: TrainingQuestion,
    claim: str,
    evidence: tuple[str, ...],
    supported: bool,
    question_text: str = "",
) -> TrainingClaim:
    """Returns a claim in the part of its question; it is read after `question_text`."""
    return TrainingClaim(
        source=question.source,
        claim=claim,
        evidence=evidence,
        supported=supported,
        part=question.part,
        question=question_text,
    )


def _text(question: TrainingQuestion, sentence: Sentence) -> str:
    words = question.text_of(sentence.span)
    return _one_line(words)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _around(
    question: TrainingQuestion, sentences: Sequence[Sentence], index: int, rng: random.Random
) -> tuple[str, ...]:
    """Returns the sentence with this index, sometimes with its neighbours."""
    # A claim is checked against one sentence or several: the model has to know both.
    has_before = rng.random() < 0.4
    has_after = rng.random() < 0.25
    first = max(0, index - has_before)
    end = index + has_after + 1
    evidence = []
    for sentence in sentences[first:end]:
        evidence.append(_text(question, sentence))
    return tuple(evidence)


def _trimmed(sentence: str, rng: random.Random) -> str:
    """Drops, at random, parts whose removal usually leaves the sentence true."""
    for pattern, share in _TRIMMED_SHARES.items():
        if rng.random() < share:
            shorter = pattern.sub("", sentence, count=1)
            if len(shorter) > MIN_TRIMMED_CHARACTERS:
                sentence = shorter
    return sentence[:1].upper() + sentence[1:]
