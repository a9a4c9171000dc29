"""Finds duplicates: pull quotes and repeats, which must not answer.

They say again, without the speaker, what another sentence of the document says in full.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

_WORD = re.compile(r"\w+")
_DENIAL = re.compile(
    r"""\b(?:
        not|no|never|false|untrue|wrong|den(?:y|ies|ied|ying)|reject\w*|dismiss\w*
    )\b | n[’']t\b""",
    re.IGNORECASE | re.VERBOSE,
)
_OPENING_QUOTES = ("“", '"', "«", "„")
RUN = 4
"""Sentences are compared by their runs of so many words (shingles: Broder 1997)."""
COMMON_RUN = 50
"""A run in more sentences than this does not show that two of them are alike."""
SHARED_RUNS = 0.8
"""The share of its runs that a duplicate has in common with the other sentence."""
MISSING_WORDS = 0.1
"""The share of a duplicate's words that the other sentence may lack, never a name or number."""

Run = int
"""The hash of a run of words: half of a large library's memory would be the runs themselves."""


@dataclass(frozen=True, slots=True)
class _ComparedSentence:
    """A sentence that shares a run of words with another, prepared for comparison."""

    text: str
    words: list[str]
    folded_words: list[str]
    vocabulary: frozenset[str]
    """Its folded words."""
    denials: int
    runs: int
    """How many different runs it has."""
    shared_runs: set[Run]
    """Those that another sentence has too."""
    may_answer: bool


def find_duplicates(sentences: Sequence[str], may_answer: Sequence[bool]) -> dict[int, int]:
    """Returns, for the place of each duplicate, the place of the sentence that says it in full.

    That sentence is not a duplicate itself. Of two equal sentences the quoted one stays, else the
    first. Time is linear in the text.
    """
    contents = _compared(sentences, may_answer)
    places_of: dict[Run, list[int]] = defaultdict(list)
    for place, content in contents.items():
        for run in content.shared_runs:
            places = places_of[run]
            # One place more shows that a run is common.
            if len(places) <= COMMON_RUN:
                places.append(place)

    original_of = {}
    for place, content in contents.items():
        originals = []
        rank = _rank(content, place)
        for candidate in _similar(place, content, places_of):
            original = contents[candidate]
            if _rank(original, candidate) > rank and _says_everything(original, content):
                originals.append(candidate)
        if originals:
            original_of[place] = max(originals, key=lambda at: (len(contents[at].words), -at))
    return {place: _last(original_of, place) for place in original_of}


def _compared(sentences: Sequence[str], may_answer: Sequence[bool]) -> dict[int, _ComparedSentence]:
    """Returns, by their places, the sentences that share a run with another."""
    repeated = _repeated_runs(sentences)
    contents = {}
    for place, text in enumerate(sentences):
        words = _WORD.findall(text)
        folded = [word.casefold() for word in words]
        runs = _runs(folded)
        shared = runs & repeated
        if not shared:
            continue
        contents[place] = _ComparedSentence(
            text,
            words,
            folded,
            vocabulary=frozenset(folded),
            denials=len(_DENIAL.findall(text)),
            runs=len(runs),
            shared_runs=shared,
            may_answer=may_answer[place],
        )
    return contents


def _repeated_runs(sentences: Sequence[str]) -> set[Run]:
    """Returns the runs of words that several sentences have."""
    seen: set[Run] = set()
    repeated: set[Run] = set()
    for text in sentences:
        folded = list(map(str.casefold, _WORD.findall(text)))
        runs = _runs(folded)
        repeated |= runs & seen
        seen |= runs
    return repeated


def _runs(folded: Sequence[str]) -> set[Run]:
    """Returns the hashes of all runs of `RUN` words."""
    if len(folded) < RUN:
        return set()
    shifted = [folded[first:] for first in range(RUN)]
    return set(map(hash, zip(*shifted, strict=False)))


def _similar(place: int, content: _ComparedSentence, places_of: dict[Run, list[int]]) -> list[int]:
    """Returns the places of the sentences that share nearly all runs of a sentence."""
    shared: Counter[int] = Counter()
    for run in content.shared_runs:
        places = places_of[run]
        if len(places) <= COMMON_RUN:
            shared.update(places)
    del shared[place]
    least = SHARED_RUNS * content.runs
    return [candidate for candidate, count in shared.items() if count >= least]


def _rank(content: _ComparedSentence, place: int) -> tuple[bool, int, bool, int]:
    """Of two alike sentences the one with the higher rank is cited: it says more or is quoted."""
    is_quoted = content.text.startswith(_OPENING_QUOTES)
    return content.may_answer, len(content.words), is_quoted, -place


def _says_everything(original: _ComparedSentence, duplicate: _ComparedSentence) -> bool:
    """Returns whether a sentence has every name, number and denial of its duplicate.

    Of the duplicate's other words it has nearly all.
    """
    if original.denials != duplicate.denials:
        return False
    missing = []
    for word, folded in zip(duplicate.words, duplicate.folded_words, strict=True):
        if folded not in original.vocabulary:
            missing.append(word)
    if len(missing) > MISSING_WORDS * len(duplicate.words):
        return False
    return not any(_is_name_or_number(word) for word in missing)


def _is_name_or_number(word: str) -> bool:
    return word[0].isupper() or any(letter.isdigit() for letter in word)


def _last(original_of: dict[int, int], place: int) -> int:
    """Follows a chain of duplicates to its end; ranks rise along it, so it ends."""
    while place in original_of:
        place = original_of[place]
    return place
