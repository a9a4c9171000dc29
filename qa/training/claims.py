"""Sentences that a passage carries, and ones that it does not, made from public questions and from its own sentences.

Of a question and its answer a statement is made by rule, rough but in a person's own words; a sentence is trimmed.
Each then gets one change that makes it wrong: another name, number, month or day, a denial, an opposite, a detail.
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
from qa.text.facts import folded, months_and_weekdays, names
from qa.text.words import terms
from qa.training.sources import Asked, Part
from qa.types import Document


@dataclass(frozen=True, slots=True)
class Stated:
    """A claim, the sentences it is held against, and whether they carry it."""

    source: str
    claim: str
    evidence: tuple[str, ...]
    supported: bool
    part: Part = "train"


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
OPPOSITES: tuple[tuple[str, str], ...] = tuple(
    (a, b) for a, b in (pair.split() for pair in _OPPOSED.split(","))
)
"""Words and their opposites."""
WRONG = 1.2
"""How many wrong claims are made for a right one."""
_AUXILIARY = (
    r"(?:is|was|are|were|did|does|do|has|have|had|can|could|will|would|should|may|might|must)"
)
_SUBJECT = re.compile(
    rf"^(?:who|what|which(?: \w+)?)\s+(?!{_AUXILIARY}\b|year\b|day\b|date\b|time\b)", re.IGNORECASE
)
_IS = re.compile(r"^(?:who|what)\s+(is|was|are|were)\s+(.+)$", re.IGNORECASE)
_MANY = re.compile(r"^(how (?:many|much))\s+(.+)$", re.IGNORECASE)
_OTHER = re.compile(
    rf"^(?:when|where|why|how|who|what|which)\b(.*?)\b({_AUXILIARY})\s+(.+)$", re.IGNORECASE
)
_NUMBER = re.compile(r"(?<![\w.])\d[\d,]*(?:\.\d+)?(?![\w])|\b(?:two|three|four|five|six|seven|eight|nine|ten|twelve|"
                     r"twenty|thirty|forty|fifty|hundred|thousand|million|billion)\b")  # fmt: skip
_SPELT = "two three four five six seven eight nine ten twelve twenty thirty forty fifty".split()
_SCALES = "hundred thousand million billion".split()
_MONTHS = (
    "January February March April May June July August September October November December".split()
)
_DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
_DENIABLE = re.compile(
    r"\b(is|was|are|were|has|have|had|will|would|can|could|should|may|might|must|did|does|do)\b(?! not\b|n[’']t)"
)
_DENIED = re.compile(
    r"\b(is|was|are|were|has|have|had|will|would|can|could|should|may|might|must|did|does|do) not\b"
)
_PAST = re.compile(r"\b([a-z]{3,}[^e\W])ed\b(?! (?:by|in|on|at|to be)\b)")
_ASIDE = re.compile(
    r"\s*\([^()]*\)|,\s+(?:which|who|where|whose|including|such as|along with|as well as)\b[^,;.]*(?=[,.])"
)
_OPENING = re.compile(
    r"^(?:In|On|At|After|Before|During|According to|While|Although|As|For|By|With)\b[^,;.]{3,80},\s+(?=\w)"
)
_TAIL = re.compile(
    r",\s+(?:and|but|while|although|because|as|with|after|before)\b[^.]*(?=\.$)|"
    r"\s+(?:on|in|at|during|after|since)\s+(?:[A-Z\d][\w ]*)(?=\.$)"
)


def made(asked: Sequence[Asked], seed: int) -> list[Stated]:
    """Claims of the answerable questions, in a fixed order: of each a statement, and of some also the sentence."""
    rng = random.Random(seed)
    found: list[Stated] = []
    for one in asked:
        if one.answers and not one.region:
            found += _of_question(one, rng)
            if rng.random() < 0.5:
                found += _of_sentence(one, rng)
    return found


def _of_question(asked: Asked, rng: random.Random) -> Iterator[Stated]:
    sentences = segment(Document("", "", "", asked.context))
    place = next((p for p, s in enumerate(sentences) if s.span.overlap(asked.answers[0])), None)
    if place is None:
        return
    answer = asked.context[asked.answers[0].start : asked.answers[0].end]
    claim = statement(asked.question, answer)
    evidence = _around(asked.context, sentences, place, rng)
    yield Stated(asked.source, claim, evidence, True, asked.part)
    others = _others(asked.context, answer, rng)
    if others and rng.random() < WRONG / 2:
        yield Stated(asked.source, statement(asked.question, others), evidence, False, asked.part)
    if wrong := _altered(claim, asked.context, rng):
        yield Stated(asked.source, wrong, evidence, False, asked.part)


def _of_sentence(asked: Asked, rng: random.Random) -> Iterator[Stated]:
    sentences = [s for s in segment(Document("", "", "", asked.context)) if len(s.span) > 40]
    if not sentences:
        return
    place = rng.randrange(len(sentences))
    span = sentences[place].span
    claim = _trimmed(" ".join(asked.context[span.start : span.end].split()), rng)
    evidence = _around(asked.context, sentences, place, rng)
    yield Stated(asked.source, claim, evidence, True, asked.part)
    if wrong := _altered(claim, asked.context, rng):
        yield Stated(asked.source, wrong, evidence, False, asked.part)


def retold(asked: Sequence[Asked], seed: int) -> list[Stated]:
    """Claims from news told three times: a simpler version's sentences over the original's that are most like them.

    `asked` in the source's order, in which the simpler versions of a paragraph follow it.
    """
    rng = random.Random(seed)
    found: list[Stated] = []
    original: Asked | None = None
    for one in {one.context: one for one in asked}.values():
        if not one.retold:
            original = one
        elif original:
            found += _of_retold(one, original, rng)
    return found


def _of_retold(simpler: Asked, original: Asked, rng: random.Random) -> Iterator[Stated]:
    theirs = segment(Document("", "", "", original.context))
    shares = [set(terms(original.context[s.span.start : s.span.end])) for s in theirs]
    told = [
        " ".join(simpler.context[s.span.start : s.span.end].split())
        for s in segment(Document("", "", "", simpler.context))
    ]
    for claim in told:
        own = set(terms(claim))
        best = max(range(len(shares)), key=lambda place: len(own & shares[place]), default=None)
        if (
            best is None
            or len(own) < 3
            or 2 * len(own & set().union(*shares[max(0, best - 1) : best + 2])) < len(own)
        ):
            continue
        spans = [s.span for s in theirs[max(0, best - 1) : best + 2]]
        evidence = tuple(
            " ".join(original.context[span.start : span.end].split()) for span in spans
        )
        yield Stated(simpler.source, claim, evidence, True, simpler.part)
        if wrong := _altered(claim, original.context, rng):
            yield Stated(simpler.source, wrong, evidence, False, simpler.part)


def joined(claims: Sequence[Stated], seed: int) -> list[Stated]:
    """Two right claims in a row made one, over the sentences of both; and a right one with a wrong one."""
    rng = random.Random(seed)
    right = [claim for claim in claims if claim.supported]
    wrong = [claim for claim in claims if not claim.supported]
    pairs = [*pairwise(right), *zip(right, wrong, strict=False)]
    return [
        Stated(
            one.source,
            f"{one.claim.rstrip('.')}{rng.choice([', and ', ', while ', '; '])}{other.claim}",
            (*one.evidence, *other.evidence),
            other.supported,
            one.part,
        )
        for one, other in pairs
        if one.claim != other.claim and one.part == other.part
    ]


def statement(question: str, answer: str) -> str:
    """A question and its answer as one statement, by rule: its words are the question's, its grammar may limp."""
    asked = question.strip().rstrip("?.! ").strip()
    if _SUBJECT.match(asked):
        return _sentence(_SUBJECT.sub(lambda _: f"{answer} ", asked, count=1))
    if match := _IS.match(asked):
        return _sentence(f"{match[2]} {match[1].lower()} {answer}")
    if match := _MANY.match(asked):
        return _sentence(f"{answer} {match[2]}")
    if match := _OTHER.match(asked):
        return _sentence(f"{match[3]} {match[2].lower()}{match[1]} {answer}")
    return _sentence(f"{asked}: {answer}")


def _sentence(text: str) -> str:
    plain = " ".join(text.split()).rstrip(".")
    return f"{plain[:1].upper()}{plain[1:]}."


def _around(
    context: str, sentences: Sequence[Sentence], place: int, rng: random.Random
) -> tuple[str, ...]:
    """The sentence, now and then with its neighbours."""
    first, last = place - (rng.random() < 0.4), place + (rng.random() < 0.25)
    spans = [sentence.span for sentence in sentences[max(0, first) : last + 1]]
    return tuple(" ".join(context[span.start : span.end].split()) for span in spans)


def _others(context: str, answer: str, rng: random.Random) -> str | None:
    """Something else of the passage that is of the answer's kind."""
    found = _NUMBER.findall(context) if _NUMBER.search(answer) else list(names(context))
    own = folded(answer)
    fitting = [one for one in found if folded(one) not in own and own not in folded(one)]
    return rng.choice(fitting) if fitting else None


def _altered(claim: str, context: str, rng: random.Random) -> str | None:
    """The claim with one change that makes it wrong; None where nothing can be changed."""
    ways = [_other_number, _other_name, _other_date, _denied, _opposite, _detailed]
    rng.shuffle(ways)
    return next(
        (wrong for way in ways if (wrong := way(claim, context, rng)) and wrong != claim), None
    )


def _other_number(claim: str, context: str, rng: random.Random) -> str | None:
    found = list(_NUMBER.finditer(claim))
    if not found:
        return None
    match = rng.choice(found)
    word = match[0]
    if word in _SCALES or word in _SPELT:
        other = rng.choice([one for one in (_SCALES if word in _SCALES else _SPELT) if one != word])
    else:
        digits = [place for place, letter in enumerate(word) if letter.isdigit()]
        place = rng.choice(digits)
        other = (
            word[:place]
            + rng.choice([d for d in "123456789" if d != word[place]])
            + word[place + 1 :]
        )
        if rng.random() < 0.3:
            other = rng.choice(
                [n for n in _NUMBER.findall(context) if n[0].isdigit() and n != word] or [other]
            )
    return claim[: match.start()] + other + claim[match.end() :]


def _other_name(claim: str, context: str, rng: random.Random) -> str | None:
    own = [name for name in names(claim) if name in claim]
    others = [
        name
        for name in dict.fromkeys(names(context))
        if not any(folded(name) in folded(one) or folded(one) in folded(name) for one in own)
    ]
    if not own or not others:
        return None
    return claim.replace(rng.choice(own), rng.choice(others), 1)


def _other_date(claim: str, _: str, rng: random.Random) -> str | None:
    found = [word for word in re.findall(r"\b[A-Z]\w+\b", claim) if months_and_weekdays(word)]
    if not found:
        return None
    word = rng.choice(found)
    series = _MONTHS if word in _MONTHS else _DAYS
    return claim.replace(word, rng.choice([one for one in series if one != word]), 1)


def _denied(claim: str, _: str, rng: random.Random) -> str | None:
    if match := _DENIED.search(claim):
        return claim[: match.start()] + match[1] + claim[match.end() :]
    found = list(_DENIABLE.finditer(claim))
    if found and rng.random() < 0.8:
        match = rng.choice(found)
        word = rng.choice(["not", "never"]) if match[0] not in ("do", "does") else "not"
        return f"{claim[: match.end()]} {word}{claim[match.end() :]}"
    if match := _PAST.search(claim):
        return f"{claim[: match.start()]}{rng.choice(['did not', 'never', 'refused to'])} {match[1]}{claim[match.end() :]}"
    return None


def _opposite(claim: str, _: str, rng: random.Random) -> str | None:
    swapped = [
        re.sub(rf"\b{ours}\b", theirs, claim, count=1)
        for pair in OPPOSITES
        for ours, theirs in (pair, pair[::-1])
        if re.search(rf"\b{ours}\b", claim)
    ]
    return rng.choice(swapped) if swapped else None


def _detailed(claim: str, context: str, rng: random.Random) -> str | None:
    """With a place, a year or a company that its sentence does not have."""
    others = [name for name in names(context) if folded(name) not in folded(claim)]
    tails = [f" in {rng.randint(1850, 2024)}", f" {rng.choice(_DETAILS)}"]
    if others:
        tails.append(
            f" {rng.choice(['in', 'with', 'for', 'together with', 'at the request of'])} {rng.choice(others)}"
        )
    return claim.rstrip(".") + rng.choice(tails) + "."


_DETAILS = (
    "for the first time,in secret,without notice,in front of a large crowd,after a long debate,at a cost of $2 million,"
    "for health reasons,in the capital,by a narrow vote,twice a year,before the war,to save money,with foreign help,"
    "in the north of the country,under a new law,at the age of 40,in less than a week,because of bad weather"
).split(",")


def _trimmed(sentence: str, rng: random.Random) -> str:
    """A sentence with parts left out that it is true without, mostly."""
    for pattern, chance in ((_ASIDE, 0.7), (_OPENING, 0.4), (_TAIL, 0.4)):
        if rng.random() < chance:
            cut = pattern.sub("", sentence, count=1)
            sentence = cut if len(cut) > 30 else sentence
    return sentence[:1].upper() + sentence[1:]


def fool_me_twice(path: Path) -> Iterator[Stated]:
    """Claims that people wrote to mislead, with the sentences that support or refute them (Eisenschlos et al. 2021)."""
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        evidence = tuple(one["text"] for one in row["gold_evidence"])
        yield Stated("fm2", row["text"], evidence, row["label"] == "SUPPORTS")


def begin(path: Path) -> Iterator[Stated]:
    """Replies of dialogue systems with the knowledge they should rest on (Dziri et al. 2022); generic ones left out."""
    labels = {"Fully attributable": True, "Not fully attributable": False}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            if row["begin_label"] in labels and row["response"].strip():
                yield Stated(
                    "begin", row["response"], (row["knowledge"],), labels[row["begin_label"]]
                )
