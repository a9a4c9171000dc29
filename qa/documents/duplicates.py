"""Finds duplicates: pull quotes and repeats, which must not answer.

They say again, without the speaker, what another sentence of the document says in full.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
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
    """Returns, for the index of each duplicate, the index of the sentence that says it in full.

    That sentence is not a duplicate itself. Of two equal sentences the quoted one stays, else the
    first. Time is linear in the text.
    """
    contents = _compared(sentences, may_answer)
    indexes_of: dict[Run, list[int]] = defaultdict(list)
    for index, content in contents.items():
        for run in content.shared_runs:
            indexes = indexes_of[run]
            # One index more shows that a run is common.
            if len(indexes) <= COMMON_RUN:
                indexes.append(index)

    original_of = {}
    for index, content in contents.items():
        originals = []
        rank = _rank(content, index)
        for candidate in _similar(index, content, indexes_of):
            original = contents[candidate]
            is_cited_first = _rank(original, candidate) > rank
            if is_cited_first and _says_everything(original, content):
                originals.append(candidate)
        if originals:
            original_of[index] = _longest(originals, contents)
    return {index: _last_original(original_of, index) for index in original_of}


def _compared(sentences: Sequence[str], may_answer: Sequence[bool]) -> dict[int, _ComparedSentence]:
    """Returns, by their indexes, the sentences that share a run with another."""
    repeated = _repeated_runs(sentences)
    contents = {}
    for index, text in enumerate(sentences):
        words = _WORD.findall(text)
        folded = [word.casefold() for word in words]
        runs = _runs(folded)
        shared = runs & repeated
        if not shared:
            continue
        contents[index] = _ComparedSentence(
            text,
            words,
            folded,
            vocabulary=frozenset(folded),
            denials=len(_DENIAL.findall(text)),
            runs=len(runs),
            shared_runs=shared,
            may_answer=may_answer[index],
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


def _similar(index: int, content: _ComparedSentence, indexes_of: dict[Run, list[int]]) -> list[int]:
    """Returns the indexes of the sentences that share nearly all runs of a sentence."""
    shared: Counter[int] = Counter()
    for run in content.shared_runs:
        indexes = indexes_of[run]
        if len(indexes) <= COMMON_RUN:
            shared.update(indexes)
    del shared[index]
    least = SHARED_RUNS * content.runs
    return [candidate for candidate, count in shared.items() if count >= least]


def _rank(content: _ComparedSentence, index: int) -> tuple[bool, int, bool, int]:
    """Returns the rank of a sentence: of two alike sentences, the one with the higher is cited.

    First counts whether it may answer, then its length, a quotation mark, and the earlier index.
    """
    is_quoted = content.text.startswith(_OPENING_QUOTES)
    return content.may_answer, len(content.words), is_quoted, -index


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


def _longest(indexes: Sequence[int], contents: Mapping[int, _ComparedSentence]) -> int:
    """Returns the index of the longest sentence; of equally long sentences, the first index."""
    return max(indexes, key=lambda index: (len(contents[index].words), -index))


def _last_original(original_of: dict[int, int], index: int) -> int:
    """Returns the index at the end of a chain of duplicates; ranks rise along it, so it ends."""
    while index in original_of:
        index = original_of[index]
    return index
