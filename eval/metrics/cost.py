"""What an answer took: seconds by the bot's own clock, and tokens of a language model. None: none was asked."""

from eval.metrics.example import Example


def seconds(example: Example) -> float | None:
    """Seconds until the whole answer."""
    return example.answer.timings.get("total")


def seconds_to_first_words(example: Example) -> float | None:
    """Seconds until a language model's first words, which a reader sees."""
    return example.answer.timings.get("first_words")


def prompt_tokens(example: Example) -> float | None:
    """Tokens that the language model was given."""
    return float(example.answer.usage.prompt_tokens) if example.answer.usage else None


def answer_tokens(example: Example) -> float | None:
    """Tokens that the language model gave."""
    return float(example.answer.usage.answer_tokens) if example.answer.usage else None
