"""Answers: whether they say what an accepted answer says.

None: nothing is accepted, because the documents do not answer or because the set does not say what they do. Then it is
right to refuse, and `refusing` measures that: SQuAD 2.0 puts both into one figure, here the two of its breakdown
(HasAns, NoAns) stay apart. A refusal of an answerable question says nothing and scores 0.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable
from functools import cache
from string import punctuation
from typing import TYPE_CHECKING

from eval.metrics.example import Example, agree, cited

if TYPE_CHECKING:
    from rouge_score.rouge_scorer import RougeScorer

LIST = "list"
"""The kind of the questions that ask for several things."""
_SHAPES = str.maketrans(
    {
        **dict.fromkeys("‘’‚‛′`´", "'"),
        **dict.fromkeys("“”„‟″«»", '"'),
        **dict.fromkeys("‐‑‒–—―−", "-"),
    }
)
_PUNCTUATION = str.maketrans("", "", punctuation)
_ARTICLES = re.compile(r"\b(?:a|an|the)\b")
_BETWEEN_ITEMS = re.compile(r"[,;]\s+(?:(?:and|or)\s+)?|\s+(?:and|or)\s+|[、，；\n]")
_OPENS_ITEM = re.compile(r"^(?:a|an|the|and|or)\s+")


def exact_match(example: Example) -> float | None:
    """Whether the words that answer are an accepted answer but for case, punctuation, articles and white space.

    The exact match of SQuAD (Rajpurkar et al. 2016; 2018, over the answerable questions), the best over what is
    accepted. The words that answer: those that stand out in the first sentence, else the whole answer.
    """
    return _best_of_squad(example, lambda accepted, said: float(accepted == said))


def answer_f1(example: Example) -> float | None:
    """The F1 of the words that answer against those accepted, a word counted as often as it is there (SQuAD).

    Words and answers as in `exact_match`. An accepted answer that is an article, "A" for one, is no word to SQuAD:
    where nothing else is accepted, there is no value.
    """
    return _best_of_squad(example, _word_f1)


def contains_answer(example: Example) -> float | None:
    """Whether an accepted answer is in the answer's text (as Mallen et al. 2023 score PopQA).

    Case, white space and the shapes of quotes and dashes do not matter. The words of a refusal are not searched. A
    number is not found inside another: 5 is neither in 2025 nor in 1.5.
    """
    if not example.question.answers:
        return None
    text = _normalised(_said(example))
    return float(any(_is_in(answer, text) for answer in map(_normalised, example.question.answers)))


def rouge_l(example: Example) -> float | None:
    """ROUGE-L, F1, of the whole answer, the best over what is accepted (Lin 2004; the library rouge-score, stemmed).

    It knows the letters a to z and digits only: None where an accepted answer has neither.
    """
    scorer = _rouge()
    accepted = [answer for answer in example.question.answers if scorer._tokenizer.tokenize(answer)]
    if not accepted:
        return None
    return float(scorer.score_multi(accepted, _said(example))["rougeL"].fmeasure)


def first_sentence_right(example: Example) -> float | None:
    """Whether a citation of the first sentence and a gold quote share at least half of the shorter of the two."""
    if not example.gold:
        return None
    return float(
        any(agree(place, gold) for place in cited(example.sentences[:1]) for gold in example.gold)
    )


def list_completeness(example: Example) -> float | None:
    """Of what a question of the kind "list" asks for, the share that the answer names; None for other kinds.

    What is to be named: the items of an accepted answer that enumerates them ("coal, salt and gypsum"), the best over
    those that do; where none does, the accepted answers are the items. An item is named where its words stand in the
    answer's text as whole words, compared as in `contains_answer`.
    """
    if example.question.kind != LIST or not example.question.answers:
        return None
    text = _normalised(_said(example))
    answers = [_items(answer) for answer in example.question.answers]
    lists = [items for items in answers if len(items) > 1] or [
        [item for items in answers for item in items]
    ]
    return max(sum(_is_named(item, text) for item in items) / len(items) for items in lists)


def _said(example: Example) -> str:
    """The whole answer; nothing for a refusal, whose words are no answer."""
    return "" if example.answer.abstained else example.answer.text


def _predicted(example: Example) -> str:
    """The words that answer."""
    span = example.sentences[0].span if example.sentences else None
    return span.quote if span else _said(example)


def _best_of_squad(example: Example, score: Callable[[str, str], float]) -> float | None:
    accepted = [answer for answer in map(_squad, example.question.answers) if answer]
    return max((score(answer, _squad(_predicted(example))) for answer in accepted), default=None)


def _squad(text: str) -> str:
    """As SQuAD's own script normalises: in this order, and of punctuation that of ASCII only."""
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split())


def _word_f1(accepted: str, said: str) -> float:
    gold, words = accepted.split(), said.split()
    return 2 * (Counter(gold) & Counter(words)).total() / (len(gold) + len(words))


@cache
def _rouge() -> "RougeScorer":
    from rouge_score.rouge_scorer import RougeScorer  # a second to import

    return RougeScorer(["rougeL"], use_stemmer=True)


def _items(answer: str) -> list[str]:
    """The parts of an enumeration, without their articles; one for what is none."""
    parts: Iterable[str] = _BETWEEN_ITEMS.split(_normalised(answer).rstrip(".;"))
    return [item for part in parts if (item := _OPENS_ITEM.sub("", part.strip()))]


def _is_named(item: str, text: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(item)}(?!\w)", text) is not None and _is_in(item, text)


def _is_in(accepted: str, text: str) -> bool:
    before = r"(?<!\d)(?<!\d[.,])" if accepted[0].isdecimal() else ""
    after = r"(?![.,]?\d)" if accepted[-1].isdecimal() else ""
    return re.search(before + re.escape(accepted) + after, text) is not None


def _normalised(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).casefold().translate(_SHAPES).split())
