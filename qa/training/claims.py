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
from qa.text.english import MONTHS, WEEKDAYS
from qa.text.facts import folded, months_and_weekdays, names
from qa.text.words import terms
from qa.training.sources import Part, TrainingQuestion
from qa.types import Document


@dataclass(frozen=True, slots=True)
class LabelledClaim:
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
_OPPOSED = """
    increase decrease, rise fall, rose fell, risen fallen, grow shrink, grew shrank, gain lose, gained lost, up down,
    more less, more fewer, most least, above below, over under, before after, earlier later, first last, begin end,
    began ended, start stop, open close, buy sell, bought sold, import export, win lose, won lost, accept reject,
    accept refuse, agree disagree, approve reject, support oppose, ally enemy, raise lower, raise cut, strong weak,
    high low, higher lower, highest lowest, large small, larger smaller, largest smallest, big small, long short,
    old young, older younger, oldest youngest, old new, north south, northern southern, east west, eastern western,
    male female, man woman, men women, father mother, son daughter, brother sister, husband wife, king queen,
    success failure, succeed fail, succeeded failed, positive negative, profit loss, surplus deficit, improve worsen,
    allow forbid, allow ban, permit prohibit, legal illegal, public private, domestic foreign, majority minority,
    inside outside, enter leave, arrive depart, join leave, joined left, appoint dismiss, hire fire, add remove,
    create destroy, build demolish, expand contract, strengthen weaken, warm cold, hot cold, wet dry, rich poor,
    good bad, better worse, best worst, true false, guilty innocent, dead alive, die survive, died survived,
    borrow lend, teacher student, employer employee, parent child, ancient modern, early late, fast slow,
    safe dangerous,
    deny confirm, deny admit, denied confirmed, denied admitted, praise criticise, praised criticised, maximum minimum,
    near far, often rarely, always never, all none, same different, similar different, possible impossible,
    able unable, like unlike, with without, include exclude, included excluded, love hate, war peace, attack defend
"""
OPPOSITES = tuple(tuple(pair.split()) for pair in _OPPOSED.split(","))
"""Words and their opposites."""
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
_SPELT = "two three four five six seven eight nine ten twelve twenty thirty forty fifty".split()
_SCALES = "hundred thousand million billion".split()
_NUMBER = re.compile(
    rf"(?<![\w.])\d[\d,]*(?:\.\d+)?(?![\w])|\b(?:{'|'.join([*_SPELT, *_SCALES])})\b"
)
_DENIABLE = re.compile(
    r"\b(is|was|are|were|has|have|had|will|would|can|could|should|may|might|must|did|does|do)\b"
    r"(?! not\b|n[’']t)"
)
_DENIED = re.compile(
    r"\b(is|was|are|were|has|have|had|will|would|can|could|should|may|might|must|did|does|do) not\b"
)
_PAST = re.compile(r"\b([a-z]{3,}[^e\W])ed\b(?! (?:by|in|on|at|to be)\b)")
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


def claims_of_questions(questions: Sequence[TrainingQuestion], seed: int) -> list[LabelledClaim]:
    """Returns claims made of the answerable questions, and of some of their passages' sentences.

    The same seed gives the same claims in the same order.
    """
    rng = random.Random(seed)
    claims: list[LabelledClaim] = []
    for question in questions:
        if question.answers and not question.region:
            claims += _of_question(question, rng)
            if rng.random() < SENTENCE_SHARE:
                claims += _of_sentence(question, rng)
    return claims


def claims_of_simplified_news(
    questions: Sequence[TrainingQuestion], seed: int
) -> list[LabelledClaim]:
    """Returns sentences of simplified news as claims, with the most similar original sentences.

    `questions` in the source's order, in which the simplified passages follow their original.
    """
    rng = random.Random(seed)
    claims: list[LabelledClaim] = []
    original: TrainingQuestion | None = None
    # One question for each passage, the last one, in the place of the first.
    by_passage = {question.context: question for question in questions}
    for question in by_passage.values():
        if not question.simplified:
            original = question
        elif original:
            claims += _of_simplified(question, original, rng)
    return claims


def joined_claims(claims: Sequence[LabelledClaim], seed: int) -> list[LabelledClaim]:
    """Returns claims joined in twos: two supported ones, or a supported and an unsupported one."""
    rng = random.Random(seed)
    supported = [claim for claim in claims if claim.supported]
    unsupported = [claim for claim in claims if not claim.supported]
    joined = []
    for first, second in [*pairwise(supported), *zip(supported, unsupported, strict=False)]:
        if first.claim == second.claim or first.part != second.part:
            continue
        link = rng.choice([", and ", ", while ", "; "])
        text = f"{first.claim.rstrip('.')}{link}{second.claim}"
        evidence = (*first.evidence, *second.evidence)
        joined.append(LabelledClaim(first.source, text, evidence, second.supported, first.part))
    return joined


def read_fool_me_twice(path: Path) -> Iterator[LabelledClaim]:
    """Reads claims that people wrote to mislead, with their evidence (Eisenschlos et al. 2021)."""
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        evidence = tuple(sentence["text"] for sentence in row["gold_evidence"])
        yield LabelledClaim("fm2", row["text"], evidence, row["label"] == "SUPPORTS")


def read_begin(path: Path) -> Iterator[LabelledClaim]:
    """Reads replies of dialogue systems with the knowledge they rest on (Dziri et al. 2022).

    Generic replies are left out.
    """
    labels = {"Fully attributable": True, "Not fully attributable": False}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            supported = labels.get(row["begin_label"])
            reply = row["response"]
            if supported is not None and reply.strip():
                yield LabelledClaim("begin", reply, (row["knowledge"],), supported)


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


def _of_question(question: TrainingQuestion, rng: random.Random) -> Iterator[LabelledClaim]:
    sentences = _sentences(question.context)
    gold = question.answers[0]
    places = [place for place, s in enumerate(sentences) if s.span.overlap(gold)]
    if not places:
        return

    answer = question.context[gold.start : gold.end]
    claim = statement(question.question, answer)
    evidence = _around(question.context, sentences, places[0], rng)
    yield LabelledClaim(question.source, claim, evidence, True, question.part)

    other = _other_answer(question.context, answer, rng)
    if other and rng.random() < OTHER_ANSWER_SHARE:
        wrong = statement(question.question, other)
        yield LabelledClaim(question.source, wrong, evidence, False, question.part)
    changed = _changed(claim, question.context, rng)
    if changed:
        yield LabelledClaim(question.source, changed, evidence, False, question.part)


def _of_sentence(question: TrainingQuestion, rng: random.Random) -> Iterator[LabelledClaim]:
    context = question.context
    sentences = [s for s in _sentences(context) if len(s.span) > MIN_SENTENCE_CHARACTERS]
    if not sentences:
        return
    place = rng.randrange(len(sentences))
    claim = _trimmed(_text(context, sentences[place]), rng)
    evidence = _around(context, sentences, place, rng)
    yield LabelledClaim(question.source, claim, evidence, True, question.part)
    changed = _changed(claim, context, rng)
    if changed:
        yield LabelledClaim(question.source, changed, evidence, False, question.part)


def _of_simplified(
    simplified: TrainingQuestion, original: TrainingQuestion, rng: random.Random
) -> Iterator[LabelledClaim]:
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
        # Less than half of the claim's terms: the original does not say it.
        if 2 * len(claim_terms & set().union(*original_terms[around])) < len(claim_terms):
            continue
        evidence = tuple(originals[around])
        yield LabelledClaim(simplified.source, claim, evidence, True, simplified.part)
        changed = _changed(claim, original.context, rng)
        if changed:
            yield LabelledClaim(simplified.source, changed, evidence, False, simplified.part)


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
    return tuple(_text(context, sentence) for sentence in sentences[max(0, first) : last + 1])


def _trimmed(sentence: str, rng: random.Random) -> str:
    """Returns a sentence without parts that it is mostly true without."""
    for pattern, share in ((_ASIDE, 0.7), (_OPENING, 0.4), (_TAIL, 0.4)):
        if rng.random() < share:
            shorter = pattern.sub("", sentence, count=1)
            if len(shorter) > MIN_TRIMMED_CHARACTERS:
                sentence = shorter
    return sentence[:1].upper() + sentence[1:]


def _other_answer(context: str, answer: str, rng: random.Random) -> str | None:
    """Returns another number of the passage for a number, another name for anything else."""
    candidates = _NUMBER.findall(context) if _NUMBER.search(answer) else names(context)
    words = folded(answer)
    fitting = [c for c in candidates if folded(c) not in words and words not in folded(c)]
    return rng.choice(fitting) if fitting else None


def _changed(claim: str, context: str, rng: random.Random) -> str | None:
    """Returns the claim with one change that makes it wrong; None where no change applies."""
    changes = [
        _with_other_number,
        _with_other_name,
        _with_other_date,
        _denied,
        _with_opposite,
        _with_detail,
    ]
    rng.shuffle(changes)
    for change in changes:
        wrong = change(claim, context, rng)
        if wrong and wrong != claim:
            return wrong
    return None


def _with_other_number(claim: str, context: str, rng: random.Random) -> str | None:
    matches = list(_NUMBER.finditer(claim))
    if not matches:
        return None
    match = rng.choice(matches)
    word = match[0]
    if word in _SCALES or word in _SPELT:
        series = _SCALES if word in _SCALES else _SPELT
        other = rng.choice([candidate for candidate in series if candidate != word])
    else:
        other = _other_digits(word, context, rng)
    return claim[: match.start()] + other + claim[match.end() :]


def _other_digits(number: str, context: str, rng: random.Random) -> str:
    """Returns the number with another digit, or another number of the passage."""
    places = [place for place, letter in enumerate(number) if letter.isdigit()]
    place = rng.choice(places)
    digit = rng.choice([digit for digit in "123456789" if digit != number[place]])
    other = number[:place] + digit + number[place + 1 :]
    if rng.random() < 0.3:
        in_passage = [n for n in _NUMBER.findall(context) if n[0].isdigit() and n != number]
        other = rng.choice(in_passage or [other])
    return other


def _with_other_name(claim: str, context: str, rng: random.Random) -> str | None:
    present = [name for name in names(claim) if name in claim]
    absent = []
    for name in dict.fromkeys(names(context)):
        words = folded(name)
        if not any(words in folded(own) or folded(own) in words for own in present):
            absent.append(name)
    if not present or not absent:
        return None
    return claim.replace(rng.choice(present), rng.choice(absent), 1)


def _with_other_date(claim: str, _: str, rng: random.Random) -> str | None:
    dates = [word for word in re.findall(r"\b[A-Z]\w+\b", claim) if months_and_weekdays(word)]
    if not dates:
        return None
    word = rng.choice(dates)
    series = MONTHS if word in MONTHS else WEEKDAYS
    return claim.replace(word, rng.choice([date for date in series if date != word]), 1)


def _denied(claim: str, _: str, rng: random.Random) -> str | None:
    """Returns the claim without its "not", or with one."""
    if match := _DENIED.search(claim):
        return claim[: match.start()] + match[1] + claim[match.end() :]
    auxiliaries = list(_DENIABLE.finditer(claim))
    if auxiliaries and rng.random() < 0.8:
        match = rng.choice(auxiliaries)
        denial = "not" if match[0] in ("do", "does") else rng.choice(["not", "never"])
        return f"{claim[: match.end()]} {denial}{claim[match.end() :]}"
    if match := _PAST.search(claim):
        denial = rng.choice(["did not", "never", "refused to"])
        return f"{claim[: match.start()]}{denial} {match[1]}{claim[match.end() :]}"
    return None


def _with_opposite(claim: str, _: str, rng: random.Random) -> str | None:
    changed = []
    for first, second in OPPOSITES:
        for word, opposite in ((first, second), (second, first)):
            pattern = rf"\b{word}\b"
            if re.search(pattern, claim):
                changed.append(re.sub(pattern, opposite, claim, count=1))
    return rng.choice(changed) if changed else None


def _with_detail(claim: str, context: str, rng: random.Random) -> str | None:
    """Returns the claim with a year, a name or something else that its sentence does not have."""
    absent = [name for name in names(context) if folded(name) not in folded(claim)]
    details = [f" in {rng.randint(1850, 2024)}", f" {rng.choice(_DETAILS)}"]
    if absent:
        link = rng.choice(["in", "with", "for", "together with", "at the request of"])
        details.append(f" {link} {rng.choice(absent)}")
    return claim.rstrip(".") + rng.choice(details) + "."


_DETAILS = (
    "for the first time,in secret,without notice,in front of a large crowd,after a long debate,at a cost of $2 million,"
    "for health reasons,in the capital,by a narrow vote,twice a year,before the war,to save money,with foreign help,"
    "in the north of the country,under a new law,at the age of 40,in less than a week,because of bad weather"
).split(",")
