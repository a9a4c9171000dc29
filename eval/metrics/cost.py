"""Cost metrics: seconds by the bot's own clock, and tokens of a language model.

The metrics of a language model are None if none was called.
"""

from eval.metrics.example import Example
from eval.metrics.metric import Metric
from eval.metrics.sample import Sample
from eval.run_schema import Estimate


def seconds(example: Example) -> float | None:
    """Returns the seconds until the whole answer."""
    return example.answer.timings.get("total")


def seconds_median(sample: Sample) -> Estimate:
    """Returns the median of the seconds until the whole answer."""
    return sample.percentile("seconds", 50)


def seconds_p95(sample: Sample) -> Estimate:
    """Returns the 95th percentile of the seconds until the whole answer."""
    return sample.percentile("seconds", 95)


def seconds_to_first_words(example: Example) -> float | None:
    """Returns the seconds until a language model's first words."""
    return example.answer.timings.get("first_words")


def seconds_to_first_words_median(sample: Sample) -> Estimate:
    """Returns the median of the seconds until a language model's first words."""
    return sample.percentile("seconds_to_first_words", 50)


def seconds_to_first_words_p95(sample: Sample) -> Estimate:
    """Returns the 95th percentile of the seconds until a language model's first words."""
    return sample.percentile("seconds_to_first_words", 95)


def prompt_tokens(example: Example) -> float | None:
    """Returns the tokens of the prompts to the language model."""
    usage = example.answer.usage
    return float(usage.prompt_tokens) if usage else None


def answer_tokens(example: Example) -> float | None:
    """Returns the tokens that the language model wrote."""
    usage = example.answer.usage
    return float(usage.answer_tokens) if usage else None


METRICS = (
    Metric(
        name="seconds",
        label="seconds",
        section="Speed and cost",
        score=seconds,
        better="lower",
        unit="seconds",
        in_summary=False,
    ),
    Metric(
        name="seconds_median",
        label="seconds, median",
        section="Speed and cost",
        set_score=seconds_median,
        better="lower",
        unit="seconds",
    ),
    Metric(
        name="seconds_p95",
        label="seconds, 95th percentile",
        section="Speed and cost",
        set_score=seconds_p95,
        better="lower",
        unit="seconds",
    ),
    Metric(
        name="seconds_to_first_words",
        label="seconds to first words",
        section="Speed and cost",
        score=seconds_to_first_words,
        better="lower",
        unit="seconds",
        in_summary=False,
    ),
    Metric(
        name="seconds_to_first_words_median",
        label="seconds to first words, median",
        section="Speed and cost",
        set_score=seconds_to_first_words_median,
        better="lower",
        unit="seconds",
    ),
    Metric(
        name="seconds_to_first_words_p95",
        label="seconds to first words, 95th percentile",
        section="Speed and cost",
        set_score=seconds_to_first_words_p95,
        better="lower",
        unit="seconds",
    ),
    Metric(
        name="prompt_tokens",
        label="prompt tokens",
        section="Speed and cost",
        score=prompt_tokens,
        better="lower",
        unit="tokens",
    ),
    Metric(
        name="answer_tokens",
        label="answer tokens",
        section="Speed and cost",
        score=answer_tokens,
        better="lower",
        unit="tokens",
    ),
)
