"""The words and terms of a text."""

from qa.text.words import terms, words


def test_words_and_terms_without_possessive() -> None:
    assert words("Pakistan’s $6,000.50 — the US") == ["pakistan", "6,000.50", "the", "us"]
    assert terms("What did the mines of the US mine?") == ["mine", "us", "mine"]
