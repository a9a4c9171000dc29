"""Decides by rule whether a question can be understood without the conversation before it.

"And in 2020?" and "Where is it?" cannot. "Who is the landlord?" names its own subject.
"""

import re
from typing import Literal

from qa.text.english import AUXILIARIES, PREPOSITIONS, QUESTION_WORDS, STOP_WORDS
from qa.text.words import words

Completeness = Literal["complete", "unsure", "incomplete"]
"""incomplete: a part of the question is missing. unsure: it may be."""

MIN_CONTENT_WORDS = 3
"""A question with fewer content words than this may be incomplete."""
MAX_FRAGMENT_WORDS = 5

PERSON_PRONOUN = re.compile(r"\b(he|she|him|her|his|hers)\b(?!['’])", re.IGNORECASE)
THING_PRONOUN = re.compile(r"\b(it|its|they|them|their|theirs)\b", re.IGNORECASE)

_BE = r"(?:is|are|was|were|be|been|isn['’]t|aren['’]t|wasn['’]t|weren['’]t)"
_VERB = rf"(?:{_BE}|do|does|did|has|have|had|can|could|will|would|should|may|might|must)"
_POINTER = re.compile(
    rf"""
    \b(?:he|she|him|her|his|hers|it|its|they|them|their|theirs)\b
    # "Is there a pool?" points to nothing.
    | (?<!\bis\s)(?<!\bare\s)(?<!\bwas\s)(?<!\bwere\s)(?<!\bbe\s)(?<!\bbeen\s)\bthere\b
        (?!\s+(?:{_BE}|a|an|any|no)\b)
    # "This year" is a date, and "those who pay" are named.
    | \b(?:this|these)\b(?!\s+(?:year|month|week|weekend|morning|evening|summer|winter)\b)
    | \bthose\b(?!\s+(?:who|that|which|with|of)\b)
    # "The man that left" and "did she say that …" join clauses.
    | (?:^|\b{_VERB}\s+|\b(?:{"|".join(PREPOSITIONS)})\s+)that\b
    | \bthat\s*[?.!]*$
    | \bones\b | \bone\b(?=\s*(?:[?.!,]|$|{_VERB}\b))
    | \bboth\b(?!.*\band\b) | \bothers\b | \bother\b(?!\s+than\b) | \bthe\s+same\b
    | \b(?:who|what|where|how|anyone|anything)\s+else\b
    """,
    re.IGNORECASE | re.VERBOSE,
)
_PERSONAL = re.compile(r"(?:he|she|him|her|his|hers|it|its|they|them|their|theirs)", re.IGNORECASE)
_IDLE_IT = re.compile(
    r"""it\s+(?:take|took|cost|possible|impossible|safe|dangerous|allowed|forbidden|legal|illegal
    |necessary|required|important|hard|difficult|easy|good|bad|better|best|worth|normal|common)\b
    (?:\s+\w+){0,3}?\s+to\s+(?P<action>.+)""",
    re.IGNORECASE | re.VERBOSE,
)
"""How long does it take to boil an egg: the pronoun points to what follows."""
_NEW_CLAUSE = re.compile(r"[,.;?!]|\b(?:and|or|but|if|that|when|because|while)\b", re.IGNORECASE)
_POSSESSIVE = re.compile(r"(?:his|her|its|their)", re.IGNORECASE)

_CONTINUATION = re.compile(
    r"^\s*(?:(?:and|but|or|so|then|also|ok|okay)\b[\s,.]*)+(?:(?:what|how)\s+about\b)?"
    r"|^\s*(?:what|how)\s+about\b",
    re.IGNORECASE,
)
_QUANTITY = re.compile(r"^(?:how\s+(?:many|much)|which|what)\b", re.IGNORECASE)
_OWNER = re.compile(r"(?<!^)\b[A-Z][\w’'-]+|\b(?:the|a|an|my|our|your)\s+\w+")
"""A name, or a noun with its article."""
_STATEMENT_OPENERS = frozenset("compare describe explain give i list please show tell we".split())

_GENERIC_WORDS = STOP_WORDS | frozenset(
    """affect bad best better common compare describe difference different effect example explain
    good happen important interesting kind know like main make many mean more most much ok okay
    other reason same thing think type use used want way work""".split()
)
"""Words that do not show what a question is about."""


def completeness(question: str) -> Completeness:
    """Returns whether a question can be understood without the conversation before it."""
    if is_fragment(question) or _points_outside(question):
        return "incomplete"
    content = content_words(question)
    if not content:
        return "incomplete"
    if len(content) < MIN_CONTENT_WORDS:
        return "unsure"
    return "complete"


def content_words(text: str) -> list[str]:
    """Returns the words of a text that show what it is about, case-folded."""
    return [word for word in words(text) if word not in _GENERIC_WORDS]


def without_continuation(question: str) -> str:
    """Returns a question without "And", "What about" and the like at its beginning."""
    continuation = _CONTINUATION.match(question)
    if not continuation:
        return question.strip()
    return question[continuation.end() :].strip(" ,.")


def is_fragment(question: str) -> bool:
    """Returns whether a question only continues another: "And the deposit?", "for students?"."""
    rest = without_continuation(question)
    rest_words = words(rest)
    if not rest_words:
        return True
    has_verb = not AUXILIARIES.isdisjoint(rest_words)
    is_question = rest_words[0] in QUESTION_WORDS
    is_short = len(rest_words) <= MAX_FRAGMENT_WORDS
    if not is_short or rest_words[0] in _STATEMENT_OPENERS:
        return False
    if rest != question.strip():
        # "And how much copper?" has no verb; "And who won?" has.
        lacks_verb = _QUANTITY.match(rest) is not None and not has_verb
        return lacks_verb or not is_question
    # "In May?" has the month, not the verb.
    asks = not (AUXILIARIES | QUESTION_WORDS).isdisjoint(rest_words[2:])
    opens_with_preposition = rest_words[0] in PREPOSITIONS and rest_words[1:2] != ["which"]
    return opens_with_preposition and not asks


def _points_outside(question: str) -> bool:
    """Returns whether a question has a pronoun for something that it does not name itself."""
    for pointer in _POINTER.finditer(question):
        is_personal = _PERSONAL.fullmatch(pointer[0])
        if not is_personal:
            return True
        if not _is_idle(question, pointer) and not _is_named_before(question, pointer):
            return True
    return False


def _is_idle(question: str, pronoun: re.Match[str]) -> bool:
    """Returns whether "it" only stands for the action that follows."""
    idle = _IDLE_IT.match(question, pronoun.start())
    if not idle:
        return False
    # "How long did it take to build?" is incomplete: the last question names what was built.
    return len(content_words(idle["action"])) >= 2


def _is_named_before(question: str, pronoun: re.Match[str]) -> bool:
    """Returns whether the question itself names, earlier, what a pronoun stands for.

    In another clause ("Did Prado say that she …") or as an owner ("Did Prado sell her house").
    """
    before = question[: pronoun.start()]
    has_noun_behind = re.match(r"\s+\w", question[pronoun.end() :])
    if _POSSESSIVE.fullmatch(pronoun[0]) and has_noun_behind and _OWNER.search(before):
        return True
    clauses = _NEW_CLAUSE.split(before)
    earlier = " ".join(clauses[:-1])
    return bool(content_words(earlier))
