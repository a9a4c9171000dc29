"""Changes claims, so that what supported them supports them no longer.

Another name, number, month or day, a denial, an opposite, or an added detail. The words come from
the claim's own passage where it has them.
"""

import random
import re
from collections.abc import Container, Sequence

from qa.text.english import MONTHS, WEEKDAYS
from qa.text.facts import folded, months_and_weekdays, names_in

_OPPOSED = """
    increase decrease, rise fall, rose fell, risen fallen, grow shrink, grew shrank, gain lose,
    gained lost, up down, more less, more fewer, most least, above below, over under, before
    after, earlier later, first last, begin end, began ended, start stop, open close, buy sell,
    bought sold, import export, win lose, won lost, accept reject, accept refuse, agree
    disagree, approve reject, support oppose, ally enemy, raise lower, raise cut, strong weak,
    high low, higher lower, highest lowest, large small, larger smaller, largest smallest, big
    small, long short, old young, older younger, oldest youngest, old new, north south, northern
    southern, east west, eastern western, male female, man woman, men women, father mother, son
    daughter, brother sister, husband wife, king queen, success failure, succeed fail, succeeded
    failed, positive negative, profit loss, surplus deficit, improve worsen, allow forbid, allow
    ban, permit prohibit, legal illegal, public private, domestic foreign, majority minority,
    inside outside, enter leave, arrive depart, join leave, joined left, appoint dismiss, hire
    fire, add remove, create destroy, build demolish, expand contract, strengthen weaken, warm
    cold, hot cold, wet dry, rich poor, good bad, better worse, best worst, true false, guilty
    innocent, dead alive, die survive, died survived, borrow lend, teacher student, employer
    employee, parent child, ancient modern, early late, fast slow, safe dangerous, deny confirm,
    deny admit, denied confirmed, denied admitted, praise criticise, praised criticised, maximum
    minimum, near far, often rarely, always never, all none, same different, similar different,
    possible impossible, able unable, like unlike, with without, include exclude, included
    excluded, love hate, war peace, attack defend
"""
OPPOSITES = tuple(tuple(pair.split()) for pair in _OPPOSED.split(","))
"""Words and their opposites."""
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
_DETAILS = (
    "for the first time",
    "in secret",
    "without notice",
    "in front of a large crowd",
    "after a long debate",
    "at a cost of $2 million",
    "for health reasons",
    "in the capital",
    "by a narrow vote",
    "twice a year",
    "before the war",
    "to save money",
    "with foreign help",
    "in the north of the country",
    "under a new law",
    "at the age of 40",
    "in less than a week",
    "because of bad weather",
)
"""What a claim says more than its sentence."""


def changed(claim: str, context: str, rng: random.Random) -> str | None:
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


def other_answer(context: str, answer: str, rng: random.Random) -> str | None:
    """Returns another number of the passage for a number, another name for anything else."""
    candidates = _NUMBER.findall(context) if _NUMBER.search(answer) else names_in(context)
    fitting = [candidate for candidate in candidates if not _overlap(candidate, answer)]
    return rng.choice(fitting) if fitting else None


def with_opposites(
    text: str, word_form: str = r"\b{}\b", left_out: Container[str] = frozenset()
) -> list[str]:
    """Returns the text once for each of its words that has an opposite, with the opposite instead.

    `word_form`: the pattern of a word in the text, with `{}` for the word. `left_out`: opposites
    that are not taken.
    """
    opposed = []
    for first, second in OPPOSITES:
        for word, opposite in ((first, second), (second, first)):
            match = re.search(word_form.format(word), text)
            if match and opposite not in left_out:
                opposed.append(_replaced(match, opposite))
    return opposed


def _with_other_number(claim: str, context: str, rng: random.Random) -> str | None:
    matches = list(_NUMBER.finditer(claim))
    if not matches:
        return None
    match = rng.choice(matches)
    word = match[0]
    if word in _SCALES or word in _SPELT:
        # "Million" becomes another scale, so that the claim stays grammatical.
        series = _SCALES if word in _SCALES else _SPELT
        replacement = _another(word, series, rng)
    else:
        replacement = _other_digits(word, context, rng)
    return _replaced(match, replacement)


def _another(word: str, series: Sequence[str], rng: random.Random) -> str:
    candidates = [candidate for candidate in series if candidate != word]
    return rng.choice(candidates)


def _replaced(match: re.Match[str], words: str) -> str:
    """Returns the text with other words in place of the match."""
    text = match.string
    return text[: match.start()] + words + text[match.end() :]


def _other_digits(number: str, context: str, rng: random.Random) -> str:
    """Returns the number with another digit, or another number of the passage."""
    digits = list(re.finditer(r"\d", number))
    match = rng.choice(digits)
    # Without 0: a number that begins with it looks wrong without any passage.
    digit = _another(match[0], "123456789", rng)
    wrong_number = _replaced(match, digit)
    if rng.random() >= 0.3:
        return wrong_number

    in_passage: list[str] = []
    for candidate in _NUMBER.findall(context):
        if candidate[0].isdigit() and candidate != number:
            in_passage.append(candidate)
    return rng.choice(in_passage or [wrong_number])


def _with_other_name(claim: str, context: str, rng: random.Random) -> str | None:
    # `names_in` may change the white space of a name. Only a name that stands in the claim can be
    # replaced.
    present = [name for name in names_in(claim) if name in claim]
    absent = []
    # Each name once, or the frequent names of a passage would be drawn more often.
    for name in dict.fromkeys(names_in(context)):
        if not any(_overlap(name, present_name) for present_name in present):
            absent.append(name)
    if not present or not absent:
        return None
    name = rng.choice(present)
    replacement = rng.choice(absent)
    return claim.replace(name, replacement, 1)


def _overlap(first: str, second: str) -> bool:
    """Returns whether one name or number is in the other, whatever their case."""
    first_words = folded(first)
    second_words = folded(second)
    return first_words in second_words or second_words in first_words


def _with_other_date(claim: str, _: str, rng: random.Random) -> str | None:
    words = re.findall(r"\b[A-Z]\w+\b", claim)
    dates = [word for word in words if months_and_weekdays(word)]
    if not dates:
        return None
    date = rng.choice(dates)
    series = MONTHS if date in MONTHS else WEEKDAYS
    return claim.replace(date, _another(date, series, rng), 1)


def _denied(claim: str, _: str, rng: random.Random) -> str | None:
    """Returns the claim without its "not", or with one."""
    if match := _DENIED.search(claim):
        return _replaced(match, match[1])

    auxiliaries = list(_DENIABLE.finditer(claim))
    if auxiliaries and rng.random() < 0.8:
        match = rng.choice(auxiliaries)
        denial = "not"
        if match[0] not in ("do", "does"):
            denial = rng.choice(["not", "never"])
        return _replaced(match, f"{match[0]} {denial}")

    if match := _PAST.search(claim):
        denial = rng.choice(["did not", "never", "refused to"])
        return _replaced(match, f"{denial} {match[1]}")
    return None


def _with_opposite(claim: str, _: str, rng: random.Random) -> str | None:
    wrong_claims = with_opposites(claim)
    return rng.choice(wrong_claims) if wrong_claims else None


def _with_detail(claim: str, context: str, rng: random.Random) -> str | None:
    """Returns the claim with a year, a name or something else that its sentence does not have."""
    folded_claim = folded(claim)
    absent = [name for name in names_in(context) if folded(name) not in folded_claim]

    year = rng.randint(1850, 2024)
    detail = rng.choice(_DETAILS)
    details = [f"in {year}", detail]
    if absent:
        link = rng.choice(["in", "with", "for", "together with", "at the request of"])
        name = rng.choice(absent)
        details.append(f"{link} {name}")

    beginning = claim.rstrip(".")
    added = rng.choice(details)
    return f"{beginning} {added}."
