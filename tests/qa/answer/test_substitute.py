"""A follow-up completed from the question before it."""

import pytest

from qa.answer.substitute import substituted


@pytest.mark.parametrize(
    ("previous_question", "question", "expected"),
    [
        ("How much is the rent?", "And the deposit?", "How much is the deposit?"),
        ("What does code F4 mean?", "And F6?", "What does code F6 mean?"),
        ("How many trams ran in 2011?", "and 2012?", "How many trams ran in 2012?"),
        ("How many trams ran in 2011?", "And in 2012?", "How many trams ran in 2012?"),
        ("Is the pool open on Monday?", "What about Sunday?", "Is the pool open on Sunday?"),
        ("Who spoke in May?", "And in June?", "Who spoke in June?"),
        ("How many people live in Oslo?", "And Bergen?", "How many people live in Bergen?"),
        ("How much does the Orion cost?", "And the Vega?", "How much does the Vega cost?"),
        ("Which room does Ann Lee have?", "And Bo Ray?", "Which room does Bo Ray have?"),
        ("What does a ticket for an adult cost?", "And for a child?", "What does a ticket for a child cost?"),
        ("How much is the fee?", "And for students?", "How much is the fee for students?"),
        ("How long does a queen live?", "And a drone?", "How long does a drone live?"),
        ("When is honey harvested?", "And wax?", "When is wax harvested?"),
        ("What does the red light mean?", "And the blue one?", "What does the blue light mean?"),
        ("What was the lowest bid?", "And the highest?", "What was the highest bid?"),
        ("How much gold is there?", "And how much copper?", "How much copper is there?"),
        ("How much does the Orion cost?", "And how much does it weigh?", "How much does the Orion weigh?"),
        ("Who owns the mill?", "When was it built?", "When was the mill built?"),
        ("When was the mill built?", "Who is its owner?", "Who is the mill’s owner?"),
        ("When is the museum open?", "Who founded it?", "Who founded the museum?"),
        ("Who is the head of Acme?", "Where is it?", "Where is Acme?"),
        ("How many buses were there in 2011?", "How old were they?", "How old were buses?"),
        ("Tell me about lung cancer.", "What are its symptoms?", "What are lung cancer’s symptoms?"),
        ("How long does a queen live?", "How much does she weigh?", "How much does a queen weigh?"),
    ],
)  # fmt: skip
def test_substituted_exchanges_what_is_alike(
    previous_question: str, question: str, expected: str
) -> None:
    assert substituted(question, previous_question) == expected


@pytest.mark.parametrize(
    ("previous_question", "question"),
    [
        ("What does error E1 mean?", "And the guarantee?"),
        ("How much is the rent?", "And Oslo?"),
        ("How much is the rent?", "Why?"),
        ("Who is the chef?", "When does it open?"),
        ("Is it open?", "And the pool?"),
        ("They were late. What are some of the causes?", "How did it end?"),
    ],
)
def test_substituted_without_a_like_part_returns_none(
    previous_question: str, question: str
) -> None:
    """A name is not exchanged for a common noun, and a person is not "it"."""
    assert substituted(question, previous_question) is None
