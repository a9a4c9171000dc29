"""Decides which answer a person gets when a language model is configured, and how sure it is.

Three signals count together: the reader's confidence, whether the model declined, and how surely
the check supports what the model wrote. None of them has a veto. Small models rarely decline by
themselves, and the reader misses what a document words otherwise.

The weights are fitted by `footnote eval decision`, on questions over other documents than those
that figures are reported on. Both biases were then raised twice. First by 0.6, so that as many
unanswerable questions are refused as by the built-in engine. Then by 0.41, the difference in
log-odds between the default thresholds 0.55 and 0.65. They were fitted to an earlier reader. See
docs/language_models.md.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from qa.answer.verify import CheckedClaim
from qa.reader.reader import Reading
from qa.types import Signals, Span

MIN_NEAREST = 0.3
"""The confidence from which a refusal shows the sentence that came nearest.

Over the ordinary documents (development split), the nearest sentence is right for 12 of 44 refused
questions from here to the threshold, of which 24 have an answer, and for 2 of 28 below.
"""
LIMIT = 6.0
"""Log-odds beyond this say no more: a probability of 0 or 1 has none."""


@dataclass(frozen=True, slots=True)
class DecisionWeights:
    """A logistic regression over the signals; each weight multiplies log-odds."""

    bias: float
    reader: float
    support: float = 0.0
    agrees: float = 0.0

    def confidence(self, signals: Signals) -> float:
        """Returns how surely the answer is right, 0 to 1."""
        reader, support, agrees = inputs(signals)
        log_odds = self.bias + self.reader * reader + self.support * support + self.agrees * agrees
        return 1 / (1 + math.exp(-log_odds))


MODEL_ANSWER = DecisionWeights(bias=-0.49, reader=0.5, support=0.3, agrees=0.95)
"""For the model's sentences, of which at least one is supported."""
QUOTED_ANSWER = DecisionWeights(bias=0.01, reader=1.0)
"""For the reader's sentences, where the model declined or nothing supports what it wrote."""


def inputs(signals: Signals) -> tuple[float, float, float]:
    """Returns what the weights multiply: the log-odds of reader and check, and the agreement."""
    support = _log_odds(signals.support) if signals.answered else 0.0
    return _log_odds(signals.reader), support, float(signals.agrees)


def confidence(signals: Signals) -> float:
    """Returns how surely the answer is right, 0 to 1: comparable with the threshold."""
    weights = MODEL_ANSWER if signals.answered else QUOTED_ANSWER
    return weights.confidence(signals)


def find_signals(reading: Reading, checked: Sequence[CheckedClaim]) -> Signals:
    """Returns what reader, model and check say. `checked`: empty if the model declined."""
    supported = [claim for claim in checked if claim.sentence.support != "unsupported"]
    if not supported:
        return Signals(reader=reading.confidence, answered=False)
    return Signals(
        reader=reading.confidence,
        answered=True,
        support=max(claim.probability for claim in supported),
        agrees=_cites_best(reading, supported),
    )


def _cites_best(reading: Reading, claims: Sequence[CheckedClaim]) -> bool:
    """Returns whether the claims rest on the sentence that the reader found best."""
    if not reading.candidates:
        return False
    best = reading.candidates[0]
    document = best.document.name
    for claim in claims:
        for citation in claim.sentence.citations:
            cited = Span(citation.start, citation.end)
            if citation.document == document and cited.overlap(best.sentence.span):
                return True
    return False


def can_reach(threshold: float, reader: float) -> bool:
    """Returns whether any answer of the model could be sure enough.

    If not, the model is not asked: the reader is too sure that the documents do not answer.
    """
    best = Signals(reader=reader, answered=True, support=1.0, agrees=True)
    return confidence(best) >= threshold


def is_near(confidence: float, threshold: float) -> bool:
    """Returns whether a refusal was so close to an answer that it shows the nearest sentence."""
    return MIN_NEAREST <= confidence < threshold


def _log_odds(probability: float) -> float:
    least = 1 / (1 + math.exp(LIMIT))
    bounded = min(max(probability, least), 1 - least)
    return math.log(bounded / (1 - bounded))
