"""Each measure against cases worked out by hand. In the text, the gold quote is the second sentence, 21 to 40."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.metrics import (
    MEASURES,
    Example,
    answered,
    answered_right,
    auroc,
    bin_of,
    calibration_error,
    citation_precision,
    citation_recall,
    confidence,
    contains_answer,
    first_sentence_right,
    hit,
    quotes_exact,
    reciprocal_rank,
    rightly_refused,
    scores,
    seconds,
    wrongly_refused,
)
from qa.types import AnswerSentence, Citation
from tests.eval.fakes import PETS, answer, cite, document, example, question, read, refusal, says

ABSENT = question(evidence=[])
SECOND = says("Dogs bark at night.", cite(21, 40))
THIRD = says("Birds sing at dawn.", cite(41, 60))


@pytest.mark.parametrize(
    ("start", "end", "holds"),
    [(21, 40, 1), (0, 60, 1), (0, 31, 1), (0, 30, 0), (31, 60, 0), (30, 60, 1), (22, 32, 1), (40, 60, 0)],
    ids=["exact", "contains", "10 of 19", "9 of 19", "9 from the end", "10 from the end", "inside", "touches"],
)
def test_a_passage_holds_a_quote_from_half_of_it_on(start: int, end: int, holds: int) -> None:
    assert hit(example(answer(passages=[read(start, end)])), depth=1) == holds


def test_hits_and_rank_count_from_the_first_passage_that_holds() -> None:
    other = document("x" * 60, "other.txt")
    passages = [read(0, 20), read(21, 40, other), read(41, 60), read(21, 40), read(0, 60)]
    asked = example(answer(passages=passages))
    assert [hit(asked, depth) for depth in (1, 3, 4, 5)] == [0, 0, 1, 1]
    assert reciprocal_rank(asked) == 1 / 4


def test_any_one_of_several_quotes_is_enough_for_a_hit() -> None:
    asked = question(evidence=["Cats sleep 16 hours.", "Dogs bark at night."])
    assert hit(example(answer(passages=[read(21, 40)]), asked), depth=1) == 1


def test_retrieval_without_passages_is_zero_and_counts_under_a_refusal_too() -> None:
    assert (hit(example(answer()), depth=5), reciprocal_rank(example(answer()))) == (0, 0)
    refused = example(refusal(passages=[read(0, 20), read(21, 40)]))
    assert (hit(refused, depth=5), reciprocal_rank(refused)) == (1, 1 / 2)


@pytest.mark.parametrize(
    ("accepted", "text", "right"),
    [
        ("bark", "They BARK loudly.", 1),
        ("Straße", "die STRASSE dort", 1),
        ("it's a “pet”", 'It’s  a\n"Pet".', 1),
        ("10-12 May", "from 10–12\u00a0May", 1),
        ("café", "a cafe\u0301", 1),
        ("mineral", "critical minerals", 1),
        ("meow", "They bark.", 0),
        ("5", "in 2025", 0),
        ("5", "1.5 million", 0),
        ("15", "15,000 tons", 0),
        ("5", "about 5. Or 6", 1),
        ("5", "by 5, 6 or 7", 1),
        ("5%", "by 5%", 1),
        ("1.5", "some 1.5 tons", 1),
        (".*", "They bark.", 0),
    ],
)
def test_an_accepted_answer_is_found_however_it_is_typed(accepted: str, text: str, right: int) -> None:
    asked = question(answers=["never there", accepted])
    assert contains_answer(example(answer(says(text)), asked)) == right


def test_the_words_of_a_refusal_are_no_answer() -> None:
    asked = question(answers=["documents"])
    assert contains_answer(example(refusal("The documents do not say."), asked)) == 0
    assert contains_answer(example(refusal(), ABSENT)) is None


@pytest.mark.parametrize(
    ("citation", "right"),
    [
        (cite(21, 40), 1),
        (cite(0, 60), 1),
        (cite(26, 30), 1),
        (cite(0, 31), 1),
        (cite(0, 30), 0),
        (cite(38, 42), 1),
        (cite(39, 43), 0),
        (cite(41, 60), 0),
        (cite(30, 30), 0),
        (cite(21, 40, document("y" * 60, "other.txt")), 0),
    ],
    ids=["all", "more", "part", "10 of 19", "9 of 19", "2 of 4", "1 of 4", "none", "empty", "elsewhere"],
)
def test_the_first_sentence_is_right_from_half_of_the_shorter_on(citation: Citation, right: int) -> None:
    assert first_sentence_right(example(answer(says("So.", citation)))) == right


def test_only_the_first_sentence_counts_with_any_of_its_citations() -> None:
    assert first_sentence_right(example(answer(THIRD, SECOND))) == 0
    assert first_sentence_right(example(answer(says("Both.", cite(41, 60), cite(21, 40))))) == 1
    assert first_sentence_right(example(answer(says("Uncited."), SECOND))) == 0
    assert first_sentence_right(example(refusal())) == 0
    assert first_sentence_right(example(refusal(), ABSENT)) is None
    assert first_sentence_right(example(answer(SECOND), ABSENT)) is None


@pytest.mark.parametrize(
    ("sentences", "precision", "recall"),
    [
        ([SECOND], 1, 1),
        ([THIRD], 0, 0),
        ([SECOND, THIRD], 19 / 38, 1),
        ([says("", cite(21, 30))], 1, 9 / 19),
        ([says("", cite(21, 30), cite(25, 35)), says("", cite(21, 35))], 1, 14 / 19),
        ([says("", cite(11, 31))], 10 / 20, 10 / 19),
        ([says("Uncited.")], None, 0),
    ],
    ids=["all", "none", "too much", "too little", "overlapping counts once", "half", "uncited"],
)
def test_citations_are_counted_by_characters(
    sentences: list[AnswerSentence], precision: float | None, recall: float
) -> None:
    asked = example(answer(*sentences))
    assert (citation_precision(asked), citation_recall(asked)) == (precision, recall)


def test_the_same_offsets_in_another_document_are_not_gold() -> None:
    other = document("z" * 60, "other.txt")
    asked = example(answer(says("", cite(21, 40, other), cite(21, 40))), documents=[PETS, other])
    assert (citation_precision(asked), citation_recall(asked)) == (1 / 2, 1)


def test_citations_to_several_quotes_are_measured_against_all_of_them() -> None:
    asked = question(evidence=["Cats sleep 16 hours.", "Dogs bark at night."])
    found = example(answer(SECOND), asked)
    assert (citation_precision(found), citation_recall(found)) == (1, 19 / 39)


def test_a_refusal_cites_nothing() -> None:
    assert citation_precision(example(refusal())) is None
    assert citation_recall(example(refusal())) == 0
    for given_answer in (refusal(), answer(SECOND)):
        assert citation_precision(example(given_answer, ABSENT)) is None
        assert citation_recall(example(given_answer, ABSENT)) is None


def test_were_a_refusal_to_carry_sentences_they_would_be_no_answer() -> None:
    odd = example(replace(refusal(), sentences=(SECOND,)))
    assert (first_sentence_right(odd), answered_right(odd)) == (0, 0)
    assert (citation_precision(odd), citation_recall(odd)) == (None, 0)


def test_quotes_are_exact_to_the_letter_and_the_version() -> None:
    right = cite(21, 40)
    wrong = [
        Citation("pets.txt", "Pets", PETS.version, 21, 40, "dogs bark at night."),
        Citation("pets.txt", "Pets", "older", 21, 40, "Dogs bark at night."),
        Citation("gone.txt", "Pets", PETS.version, 21, 40, "Dogs bark at night."),
        Citation("pets.txt", "Pets", PETS.version, -19, 60, "Birds sing at dawn."),
        Citation("pets.txt", "Pets", PETS.version, 30, 30, ""),
    ]
    assert quotes_exact(example(answer(says("", right), says("", right)))) == 1
    assert quotes_exact(example(answer(says("", right, wrong[0]), says("", wrong[1])))) == 1 / 3
    assert [quotes_exact(example(answer(says("", each)))) for each in wrong] == [0] * 5
    assert quotes_exact(example(answer(says("Uncited.")))) is None
    assert quotes_exact(example(refusal())) is None
    assert quotes_exact(example(answer(SECOND), ABSENT)) == 1


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (example(answer(SECOND)), (1, 0, None, 1)),
        (example(answer(THIRD)), (1, 0, None, 0)),
        (example(refusal()), (0, 1, None, 0)),
        (example(answer(SECOND), ABSENT), (1, None, 0, 0)),
        (example(refusal(), ABSENT), (0, None, 1, 1)),
        (example(refusal(reason="model_declined"), ABSENT), (0, None, 1, 1)),
    ],
    ids=["right", "wrong", "refused", "made up", "refused rightly", "declined rightly"],
)
def test_refusals_are_right_or_wrong_by_whether_there_is_an_answer(
    asked: Example, expected: tuple[float | None, ...]
) -> None:
    assert (answered(asked), wrongly_refused(asked), rightly_refused(asked), answered_right(asked)) == expected


def test_what_is_not_told_is_unscored() -> None:
    assert seconds(example(answer(seconds=None))) is None
    assert seconds(example(answer(seconds=0.25))) == 0.25
    assert confidence(example(answer(confidence=float("nan")))) is None
    assert confidence(example(refusal(confidence=0.0))) == 0.0


def test_every_measure_gives_each_example_one_value() -> None:
    for each in (example(answer(SECOND)), example(refusal()), example(refusal(), ABSENT)):
        found = scores(each)
        assert list(found) == list(MEASURES)
        assert all(value is None or isinstance(value, float) for value in found.values())


def counted_pairs(positive: list[float], negative: list[float]) -> float:
    right = sum(1.0 if high > low else 0.5 if high == low else 0.0 for high in positive for low in negative)
    return right / (len(positive) * len(negative))


FEW_VALUES = st.lists(st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0]), min_size=1, max_size=12)


@given(FEW_VALUES, FEW_VALUES)
def test_auroc_is_the_share_of_pairs_in_order_with_ties_half(positive: list[float], negative: list[float]) -> None:
    assert auroc(positive, negative) == pytest.approx(counted_pairs(positive, negative))


def test_auroc_by_hand() -> None:
    assert auroc([0.9, 0.5], [0.5, 0.1]) == pytest.approx(3.5 / 4)
    assert auroc([0.5], [0.5]) == 0.5
    assert auroc([0.1], [0.9]) == 0
    assert auroc([0.5], []) is None
    assert auroc([], [0.5]) is None


def test_calibration_error_by_hand() -> None:
    assert calibration_error([], []) is None
    assert calibration_error([1.0, 0.0], [True, False]) == 0
    # one bin: |1 - 0.92 - 0.94| = 0.86; another: 0.33
    assert calibration_error([0.92, 0.94, 0.33], [True, False, False]) == pytest.approx((0.86 + 0.33) / 3)
    assert [bin_of(value) for value in (0, 0.1, 0.99, 1)] == [0, 1, 9, 9]
