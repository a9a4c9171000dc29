"""The built-in engine: which sentences, with what beside them."""

from pathlib import Path

import pytest

from qa.extractive import _LIST
from qa.types import Answer
from tests.qa.fakes import text_document, word_bot
from tests.qa.texts import NEWS


def _ask(tmp_path: Path, question: str, text: str = NEWS) -> Answer:
    return word_bot(tmp_path, text_document(text, title="News")).ask(question)


def test_a_repeated_quotation_is_cited_once_where_it_says_who_spoke(tmp_path: Path) -> None:
    answer = _ask(tmp_path, "Whom does this bridge belong to, the people who waited?")
    assert answer.text.count("belongs to the people who waited") == 1
    assert "Prado told the crowd" in answer.text


def test_an_appeal_never_answers(tmp_path: Path) -> None:
    for question in ("Subscribe to which newsletter?", "What do our reporters work for every day?"):
        assert "newsletter" not in _ask(tmp_path / question[:4], question).text


@pytest.mark.parametrize(
    ("question", "several"),
    [
        ("What countries sent officials?", True),
        ("Which mining companies took part?", True),
        ("What are the three effects?", True),
        ("Name the provinces.", True),
        ("What did the bridge cost?", False),
        ("What is Pakistan’s wealth?", False),
        ("Who opened it?", False),
        ("What does the US want?", False),
    ],
)
def test_a_question_that_asks_for_several_things(question: str, several: bool) -> None:
    assert bool(_LIST.search(question)) == several


def test_a_pronoun_brings_the_sentence_that_names_whom_it_means(tmp_path: Path) -> None:
    (sentence,) = _ask(tmp_path, "Who were the 62 workers who finished the deck during the winter storms?").sentences
    before, own = sentence.citations
    assert own.quote.startswith("She thanked the 62 workers")
    assert "Prado" in before.quote


def test_he_said_at_the_end_brings_it_too(tmp_path: Path) -> None:
    text = "Omar Haddad runs the port.\n“The new cranes will lift forty tons,” he said.\n"
    (sentence,) = _ask(tmp_path, "What will the new cranes lift?", text).sentences
    assert [citation.quote[:4] for citation in sentence.citations] == ["Omar", "“The"]


def test_a_sentence_all_in_quotes_brings_the_one_that_says_who_spoke(tmp_path: Path) -> None:
    question = "What was signed by the time they told us in autumn: the contracts?"
    (sentence,) = _ask(tmp_path, question).sentences
    assert [citation.quote for citation in sentence.citations] == [
        "“They knew in spring,” Beck said.",
        "“They told us in autumn, and by then the contracts were signed.”",
    ]


def test_a_sentence_that_stands_alone_comes_alone(tmp_path: Path) -> None:
    answer = _ask(tmp_path, "What did the bridge cost?")
    assert answer.text.startswith("The bridge cost 48 million euros")
    assert [len(sentence.citations) for sentence in answer.sentences] == [1]


def test_a_question_for_several_things_may_take_more_sentences_in_the_documents_order(tmp_path: Path) -> None:
    text = (
        "The rain fell all day.\nThe fair showed apples from Norra and pears from Lagos.\n"
        "The fair showed plums from Senn and figs from Tarbet.\nThe gates closed at nine.\n"
    )
    answer = _ask(tmp_path, "Which fruits were shown at the fair: apples, plums?", text)
    assert [sentence.text.split()[3] for sentence in answer.sentences] == ["apples", "plums"]


def test_a_hand_wrapped_sentence_is_shown_on_one_line_and_quoted_as_it_is(tmp_path: Path) -> None:
    text = (
        "The old ferry of the town will stop for good in May\nbecause its two boats are sold to the people of the\n"
        "island. The captain of the ferry will go with them to\nthe island. Nobody knows who comes next.\n"
    )
    (sentence,) = _ask(tmp_path, "Why will the old ferry stop?", text).sentences
    assert sentence.citations[0].quote == text[: text.index(" The captain")]
    assert sentence.text == sentence.citations[0].quote.replace("\n", " ")
