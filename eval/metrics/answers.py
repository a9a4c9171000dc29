"""Answer metrics: whether the answer says what an accepted answer says.

The score is None if the question has no accepted answers: the documents do not answer it, or the
question file does not say what the answer is. A refusal is then scored by `eval.metrics.refusal`;
SQuAD 2.0 mixes both into one figure, here the two halves of its breakdown (HasAns, NoAns) stay
apart. A refusal of an answerable question says nothing and scores 0.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache
from string import punctuation
from typing import TYPE_CHECKING

from eval.metrics.example import Example, cited, holds_quote
from eval.metrics.metric import Metric
from qa.text.numbers import without_thousands_marks

if TYPE_CHECKING:
    from rouge_score.rouge_scorer import RougeScorer

LIST = "list"
"""The kind of the questions that ask for several things."""
_TYPOGRAPHY = str.maketrans(
    {
        **dict.fromkeys("‘’‚‛′`´", "'"),
        **dict.fromkeys("“”„‟″«»", '"'),
        **dict.fromkeys("‐‑‒–—―−", "-"),
    }
)
_ASCII_PUNCTUATION = str.maketrans("", "", punctuation)
_ARTICLES = re.compile(r"\b(?:a|an|the)\b")
_BETWEEN_ITEMS = re.compile(r"[,;]\s+(?:(?:and|or)\s+)?|\s+(?:and|or)\s+|[、，；\n]")
_BEFORE_ITEM = re.compile(r"^(?:a|an|the|and|or)\s+")


def exact_match(example: Example) -> float | None:
    """Returns whether the answering words equal an accepted answer, in SQuAD's normal form.

    The normal form has no case, ASCII punctuation, articles or extra white space. The answering
    words are those highlighted in the first sentence, else the whole answer. The best of the
    accepted answers counts.
    """
    return _best_in_squad_form(example, lambda accepted, words: float(accepted == words))


def answer_f1(example: Example) -> float | None:
    """Returns the F1 of the answering words against an accepted answer, counting repeated words.

    Words and accepted answers are as in `exact_match`. An accepted answer that is only an article
    has no words in SQuAD's normal form; without any other the score is None.
    """
    return _best_in_squad_form(example, _word_f1)


def contains_answer(example: Example) -> float | None:
    """Returns whether the answer's text contains an accepted answer.

    Case, white space, the shapes of quotes and dashes and the marks between the thousands of a
    number do not matter. A number is not found inside another number: 5 is neither in 2025 nor in
    1.5.
    """
    if not example.question.answers:
        return None
    return _contains_any(example.answer_text, example.question.answers)


def first_sentence_has_answer(example: Example) -> float | None:
    """Returns whether the first sentence contains an accepted answer, as in `contains_answer`."""
    if not example.question.answers:
        return None
    first = example.sentences[0].text if example.sentences else ""
    return _contains_any(first, example.question.answers)


def rouge_l(example: Example) -> float | None:
    """Returns ROUGE-L (F1, stemmed) of the whole answer, the best over the accepted answers.

    The library rouge-score knows only the letters a to z and digits: an accepted answer without
    any of them does not count. "1,200" and "1200" are one word.
    """
    scorer = _rouge_scorer()
    plain_answers = map(without_thousands_marks, example.question.answers)
    accepted = [answer for answer in plain_answers if scorer._tokenizer.tokenize(answer)]
    if not accepted:
        return None
    text = without_thousands_marks(example.answer_text)
    return float(scorer.score_multi(accepted, text)["rougeL"].fmeasure)


def first_sentence_right(example: Example) -> float | None:
    """Returns whether a citation of the first sentence agrees with a gold quote.

    They agree if they share at least half of the shorter of the two.
    """
    if not example.gold:
        return None
    for citation in cited(example.sentences[:1]):
        if any(holds_quote(citation, quote) for quote in example.gold):
            return 1.0
    return 0.0


def list_completeness(example: Example) -> float | None:
    """Returns the share of the items of a question of the kind "list" that the answer names.

    The items are those of an accepted answer that enumerates them ("coal, salt and gypsum"), the
    best over all that do; if none does, the accepted answers are the items. An item is named if
    its words stand in the answer's text as whole words, compared as in `contains_answer`. The score
    is None for other kinds.
    """
    if example.question.kind != LIST or not example.question.answers:
        return None
    text = _normalised(example.answer_text)
    answers = [_items(answer) for answer in example.question.answers]
    enumerations = [items for items in answers if len(items) > 1]
    if not enumerations:
        all_items: list[str] = []
        for items in answers:
            all_items += items
        enumerations = [all_items]
    shares = []
    for items in enumerations:
        named = sum(_names(text, item) for item in items)
        shares.append(named / len(items))
    return max(shares)


def _best_in_squad_form(example: Example, score: Callable[[str, str], float]) -> float | None:
    words = _squad_form(_answering_words(example))
    accepted = map(_squad_form, example.question.answers)
    return max((score(answer, words) for answer in accepted if answer), default=None)


def _answering_words(example: Example) -> str:
    highlighted = example.sentences[0].answer_words if example.sentences else None
    return highlighted.quote if highlighted else example.answer_text


def _squad_form(text: str) -> str:
    """Returns the text normalised as SQuAD's script does it, in the same order of steps."""
    # SQuAD's script removes the comma of "1,200" and would keep the space of "1 200".
    plain_numbers = without_thousands_marks(text)
    without_punctuation = plain_numbers.lower().translate(_ASCII_PUNCTUATION)
    return " ".join(_ARTICLES.sub(" ", without_punctuation).split())


def _word_f1(accepted: str, answer: str) -> float:
    gold_words, words = accepted.split(), answer.split()
    shared = (Counter(gold_words) & Counter(words)).total()
    return 2 * shared / (len(gold_words) + len(words))


@cache
def _rouge_scorer() -> "RougeScorer":
    from rouge_score.rouge_scorer import RougeScorer  # takes a second to import

    return RougeScorer(["rougeL"], use_stemmer=True)


def _items(answer: str) -> list[str]:
    """Returns the parts of an enumeration without their articles; otherwise the answer itself."""
    items = []
    for part in _BETWEEN_ITEMS.split(_normalised(answer).rstrip(".;")):
        if item := _BEFORE_ITEM.sub("", part.strip()):
            items.append(item)
    return items


def _names(text: str, item: str) -> bool:
    as_whole_words = re.search(rf"(?<!\w){re.escape(item)}(?!\w)", text)
    return as_whole_words is not None and _contains(text, item)


def _contains_any(text: str, answers: Sequence[str]) -> float:
    normalised = _normalised(text)
    accepted = map(_normalised, answers)
    return float(any(_contains(normalised, answer) for answer in accepted))


def _contains(text: str, accepted: str) -> bool:
    # A number must not be part of a longer number.
    before = r"(?<!\d)(?<!\d[.,])" if accepted[0].isdecimal() else ""
    after = r"(?![.,]?\d)" if accepted[-1].isdecimal() else ""
    return re.search(before + re.escape(accepted) + after, text) is not None


def _normalised(text: str) -> str:
    folded = without_thousands_marks(unicodedata.normalize("NFC", text).casefold())
    return " ".join(folded.translate(_TYPOGRAPHY).split())


METRICS = (
    Metric(
        name="exact_match",
        label="exact match",
        section="Answers",
        score=exact_match,
        paper="Rajpurkar et al. 2016, 2018 (SQuAD)",
    ),
    Metric(
        name="answer_f1",
        label="answer F1",
        section="Answers",
        score=answer_f1,
        paper="Rajpurkar et al. 2016, 2018 (SQuAD)",
    ),
    Metric(
        name="contains_answer",
        label="accepted answer",
        section="Answers",
        score=contains_answer,
        paper="Mallen et al. 2023 (PopQA)",
    ),
    Metric(
        name="rouge_l",
        label="ROUGE-L",
        section="Answers",
        score=rouge_l,
        paper="Lin 2004",
    ),
    Metric(
        name="first_sentence_right",
        label="first sentence right",
        section="Answers",
        score=first_sentence_right,
    ),
    Metric(
        name="list_completeness",
        label="list completeness",
        section="Answers",
        score=list_completeness,
    ),
)
