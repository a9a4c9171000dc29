"""What people call each figure, whether more or less of it is better, and how it is written."""

LABELS = {
    "hit_at_1": "passage hit@1",
    "hit_at_3": "passage hit@3",
    "hit_at_5": "passage hit@5",
    "hit_at_10": "passage hit@10",
    "recall_at_1": "passage recall@1",
    "recall_at_3": "passage recall@3",
    "recall_at_5": "passage recall@5",
    "recall_at_10": "passage recall@10",
    "reciprocal_rank": "passage MRR",
    "ndcg_at_1": "passage nDCG@1",
    "ndcg_at_3": "passage nDCG@3",
    "ndcg_at_5": "passage nDCG@5",
    "ndcg_at_10": "passage nDCG@10",
    "exact_match": "exact match",
    "answer_f1": "answer F1",
    "contains_answer": "accepted answer",
    "rouge_l": "ROUGE-L",
    "first_sentence_right": "first sentence right",
    "list_completeness": "list completeness",
    "answered_right": "answered right",
    "answered": "answered",
    "wrongly_refused": "wrongly refused",
    "rightly_refused": "rightly refused",
    "refusal_accuracy": "refusal accuracy",
    "refusal_precision": "refusal precision",
    "refusal_f1": "refusal F1",
    "confidence_auroc": "confidence AUROC",
    "risk_coverage": "risk-coverage area",
    "calibration_error": "calibration error",
    "citation_precision": "citation precision",
    "citation_recall": "citation recall",
    "citation_f1": "citation F1",
    "cited_quote_precision": "cited sentences precision",
    "cited_quote_recall": "cited sentences recall",
    "cited_quote_f1": "cited sentences F1",
    "quotes_exact": "quotes exact",
    "supported_sentences": "sentences supported",
    "unsupported_sentences": "sentences not supported",
    "seconds_median": "seconds, median",
    "seconds_p95": "seconds, 95th percentile",
    "seconds_to_first_words_median": "seconds to first words, median",
    "seconds_to_first_words_p95": "seconds to first words, 95th percentile",
    "prompt_tokens": "prompt tokens",
    "answer_tokens": "answer tokens",
}
"""What people call each figure."""
LESS_IS_BETTER = frozenset(
    {
        *("wrongly_refused", "risk_coverage", "calibration_error", "unsupported_sentences"),
        *(
            "seconds_median",
            "seconds_p95",
            "seconds_to_first_words_median",
            "seconds_to_first_words_p95",
        ),
        *("prompt_tokens", "answer_tokens"),
    }
)
DECIDING = "answered_right"
"""What decides between two runs unless said otherwise."""
RATIOS = frozenset({"seconds", "seconds_to_first_words", "prompt_tokens", "answer_tokens"})
"""Measures of one question that may be of any size, so that two of them are compared as a ratio."""


def label(measure: str) -> str:
    """What people call a figure or a measure, also one that this version does not know: not escaped."""
    return LABELS.get(measure, measure.replace("_", " "))


def less_is_better(measure: str) -> bool:
    return measure in LESS_IS_BETTER | RATIOS


ARROW = "\u00a0↓"
"""Marks, on a page, that less is better."""


def marked(measure: str, less: str = " (v)") -> str:
    """What people call it, and after that this mark if less of it is better."""
    return label(measure) + (less if less_is_better(measure) else "")


def digits(measure: str) -> int:
    """Decimals to show: seconds are often a few thousandths, tokens hundreds."""
    if measure.endswith("tokens"):
        return 0
    return 3 if measure.startswith("seconds") else 2


def p_value(p: float) -> str:
    """As it is printed."""
    return "<0.001" if p < 0.001 else f"{p:.3f}"
