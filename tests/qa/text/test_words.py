"""The words and terms of a text."""

from qa.text.words import terms, words


def test_words_and_terms_without_possessive() -> None:
    assert words("Pakistan’s $6,000.50 — the US") == ["pakistan", "6,000.50", "the", "us"]
    assert terms("What did the mines of the US mine?") == ["mine", "us", "mine"]


def test_words_chinese_and_japanese_are_pairs() -> None:
    """Words between them, and numbers, stay whole."""
    assert words("租金1,200元") == ["租金", "1,200", "元"]
    assert words("每月租金") == ["每月", "月租", "租金"]
    assert words("猫 dog") == ["猫", "dog"]
    assert words("博物館") == ["博物", "物館"]


def test_terms_japanese_without_particles() -> None:
    """Pairs of Hiragana are endings and particles."""
    assert terms("家賃はいくらですか。") == ["家賃", "賃は"]
    assert set(terms("家賃は月に八万円です。")) >= {"家賃", "賃は"}
