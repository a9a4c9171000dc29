"""How rare a term is among sentences."""

from qa.library.frequencies import SentenceFrequencies


def test_idf_falls_with_the_number_of_sentences() -> None:
    """The fewer sentences have a term, the higher its idf."""
    rarity = SentenceFrequencies.of_texts(["gold and salt", "gold", "gold gold coal"])
    assert rarity.idf("silver") > rarity.idf("salt") > rarity.idf("gold") > 0
