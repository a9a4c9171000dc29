"""Whether a question can be understood without the conversation before it."""

import pytest

from qa.answer.completeness import completeness


@pytest.mark.parametrize(
    "question",
    [
        "Why?",
        "How many?",
        "And the deposit?",
        "what about 2021",
        "And how much copper?",
        "And Oslo?",
        "In May?",
        "for students?",
        "And how much does it weigh?",
        "How long did it take to build?",
        "What did they say about that?",
        "Is that true?",
        "Which one is cheaper?",
        "How many people live there?",
        "Who else attended the meeting on Friday?",
        "How is it related to Old Norse?",
    ],
)
def test_completeness_of_a_fragment_is_incomplete(question: str) -> None:
    assert completeness(question) == "incomplete"


@pytest.mark.parametrize("question", ["Who is the landlord?", "How many attended?", "And who won?"])
def test_completeness_of_few_words_is_unsure(question: str) -> None:
    assert completeness(question) == "unsure"


@pytest.mark.parametrize(
    "question",
    [
        "Who owns the mine in the Chaghi district?",
        "How long does it take to boil an ostrich egg?",
        "Did Mayor Prado say that she would resign?",
        "Did Ines Prado publish her report on the harbor?",
        "What is frictional youth unemployment and why is it important?",
        "Is there a swimming pool near the old harbor?",
        "Which events take place in Lyon this year?",
        "Which tram that stops in Lyon has wifi?",
        "OK. Tell me about the privacy rules of the library.",
    ],
)
def test_completeness_of_a_whole_question_is_complete(question: str) -> None:
    """A pronoun for what the question itself names does not count."""
    assert completeness(question) == "complete"
