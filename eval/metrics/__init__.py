"""The measures, by name: each gives one question exactly one value, 0 to 1 but for seconds and tokens.

None: the measure does not apply to the question. It is counted as unscored and never as zero. All but those of
`ranking` and `confidence` look at what the person is given; those look at what was read or felt before the decision to
refuse. Refusing is what the answers can be wrong about, so a refusal of an answerable question scores 0.
docs/measures.md has them all in a table, with what each is checked against.
"""

from collections.abc import Callable
from functools import partial

from eval.metrics import answers
from eval.metrics import citations as citing
from eval.metrics import cost as speed
from eval.metrics import refusal as refusing
from eval.metrics import retrieval as ranking
from eval.metrics.example import Example

DEPTHS = (1, 3, 5, 10)
"""The k of the measures at k."""


def scores(example: Example) -> dict[str, float | None]:
    """Every measure's value, by its name in `MEASURES`."""
    return {name: measure(example) for name, measure in MEASURES.items()}


MEASURES: dict[str, Callable[[Example], float | None]] = {
    **{f"hit_at_{depth}": partial(ranking.hit, depth=depth) for depth in DEPTHS},
    **{f"recall_at_{depth}": partial(ranking.recall, depth=depth) for depth in DEPTHS},
    "reciprocal_rank": ranking.reciprocal_rank,
    **{f"ndcg_at_{depth}": partial(ranking.ndcg, depth=depth) for depth in DEPTHS},
    "exact_match": answers.exact_match,
    "answer_f1": answers.answer_f1,
    "contains_answer": answers.contains_answer,
    "rouge_l": answers.rouge_l,
    "first_sentence_right": answers.first_sentence_right,
    "list_completeness": answers.list_completeness,
    "answered_right": refusing.answered_right,
    "answered": refusing.answered,
    "wrongly_refused": refusing.wrongly_refused,
    "rightly_refused": refusing.rightly_refused,
    "refusal_accuracy": refusing.refusal_accuracy,
    "citation_precision": citing.citation_precision,
    "citation_recall": citing.citation_recall,
    "citation_f1": citing.citation_f1,
    "cited_quote_precision": citing.cited_quote_precision,
    "cited_quote_recall": citing.cited_quote_recall,
    "cited_quote_f1": citing.cited_quote_f1,
    "quotes_exact": citing.quotes_exact,
    "supported_sentences": citing.supported_sentences,
    "unsupported_sentences": citing.unsupported_sentences,
    "confidence": refusing.confidence,
    "seconds": speed.seconds,
    "seconds_to_first_words": speed.seconds_to_first_words,
    "prompt_tokens": speed.prompt_tokens,
    "answer_tokens": speed.answer_tokens,
}
