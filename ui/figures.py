"""What an evaluation run measured: its figures, and what people call them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

LABELS: Final = {
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
    "seconds": "seconds",
    "seconds_median": "seconds, median",
    "seconds_p95": "seconds, 95th percentile",
    "seconds_to_first_words": "seconds to first words",
    "seconds_to_first_words_median": "seconds to first words, median",
    "seconds_to_first_words_p95": "seconds to first words, 95th percentile",
    "prompt_tokens": "prompt tokens",
    "answer_tokens": "answer tokens",
}
"""What people call each figure; without median or percentile, seconds are those of one question. The same words as
`eval.summary`'s."""
LESS_IS_BETTER: Final = frozenset(
    {
        *("wrongly_refused", "risk_coverage", "calibration_error", "unsupported_sentences"),
        *("seconds", "seconds_median", "seconds_p95"),
        *("seconds_to_first_words", "seconds_to_first_words_median", "seconds_to_first_words_p95"),
        *("prompt_tokens", "answer_tokens"),
    }
)


@dataclass(frozen=True, slots=True)
class Figure:
    """A measure over the questions of a group, with its 95% interval. `unscored` of them have no value, `n` have."""

    n: int
    unscored: int
    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Group:
    """Questions that belong together, by "overall", "split" or "kind", and their figures by name."""

    by: str
    name: str
    questions: int
    errors: int
    figures: Mapping[str, Figure]

    @property
    def title(self) -> str:
        """No other group of the run has it."""
        return "all questions" if self.by == "overall" else f"{self.by}: {self.name}"


@dataclass(frozen=True, slots=True)
class Run:
    """A run that ended."""

    folder: Path
    finished: datetime
    settings: Mapping[str, str]
    """Whatever an answer depends on, in words: settings, prompt, commit, questions, documents."""
    file: str
    """The questions' file, as the run was told of it."""
    sha256: str
    documents: Mapping[str, str]
    """Their versions, by name."""
    groups: tuple[Group, ...]
    """First that of all questions, then by split, then by kind."""
    errors: Mapping[str, str]
    """By question id."""
    scores: Mapping[str, Mapping[str, float | None]]
    """By question id and measure, of the questions that did not break."""


@dataclass(frozen=True, slots=True)
class Damaged:
    """A folder without figures, and why."""

    folder: Path
    changed: datetime
    reason: str


def label(measure: str) -> str:
    """What people call a measure, also one that this version does not know."""
    return LABELS.get(measure, sound(measure.replace("_", " ")))


def sound(text: str) -> str:
    """The text as something that can be shown: half a surrogate pair, of a file's name or in JSON, cannot be."""
    return text.encode("utf-8", "replace").decode("utf-8")
