"""What a question asks for, and whether a sentence has it."""

import pytest

from qa.reader.kinds import AnswerKind, expected_kind, spans_of_kind


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("How much did the company pay for it?", "money"),
        ("What was the price of the bridge?", "money"),
        ("What percentage of the ore is gold?", "share"),
        ("How many people came?", "count"),
        ("how much copper is there", "count"),
        ("In which year was it built?", "date"),
        ("When did he arrive?", "time"),
        ("Why did she leave?", "reason"),
        ("Who is Ana Ruiz?", "name"),
        ("which mining companies took part", "name"),
        ("Tell me about the harbor.", "any"),
    ],
)
def test_expected_kind_follows_the_words_of_a_question(question: str, kind: AnswerKind) -> None:
    assert expected_kind(question) == kind


@pytest.mark.parametrize(
    ("question", "sentence", "found"),
    [
        ("What did it cost?", "It cost $48 million.", True),
        ("What did it cost?", "It took 48 days.", False),
        ("How many people came?", "Around 2,000 people came.", True),
        ("How many of the 62 workers left?", "The 62 workers were thanked.", False),
        ("In which year was it built?", "It was built on Monday.", False),
        ("In which year was it built?", "It was built in 1994.", True),
        ("Who opened it?", "It was opened by Ines Prado.", True),
        ("Who opened it?", "It was opened in the rain.", False),
        ("Did Prado open it?", "Prado opened it.", False),
    ],
)
def test_spans_of_kind_leave_out_things_of_the_question(
    question: str, sentence: str, found: bool
) -> None:
    assert bool(spans_of_kind(question, expected_kind(question), sentence)) == found


def test_spans_of_kind_lie_inside_the_sentence() -> None:
    sentence = "In 1994 it was built."
    assert spans_of_kind("What year?", "date", sentence) == [(0, len(sentence))]
