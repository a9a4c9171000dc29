"""Each metric against cases worked out by hand. The gold quote is the second sentence, 21 to 40."""

from dataclasses import replace
from math import log2

import pytest

from eval.metrics import METRICS, scores
from eval.metrics.answers import (
    answer_f1,
    contains_answer,
    exact_match,
    first_sentence_right,
    list_completeness,
    rouge_l,
)
from eval.metrics.citations import (
    citation_f1,
    citation_precision,
    citation_recall,
    cited_quote_f1,
    cited_quote_precision,
    cited_quote_recall,
    quotes_exact,
    supported_sentences,
    unsupported_sentences,
)
from eval.metrics.confidence import answered, confidence
from eval.metrics.cost import answer_tokens, prompt_tokens, seconds, seconds_to_first_words
from eval.metrics.example import Example
from eval.metrics.refusal import (
    answered_right,
    refusal_accuracy,
    rightly_refused,
    wrongly_refused,
)
from eval.metrics.retrieval import hit, ndcg, recall, reciprocal_rank
from qa.types import AnswerSentence, Citation, Usage
from tests.eval.fakes import PETS, answer, cite, document, example, question, read, refusal, says

ABSENT = question(evidence=[])
SECOND = says("Dogs bark at night.", cite(21, 40))
THIRD = says("Birds sing at dawn.", cite(41, 60))


@pytest.mark.parametrize(
    ("start", "end", "holds"),
    [
        *(
            (21, 40, 1),
            (0, 60, 1),
            (0, 31, 1),
            (0, 30, 0),
            (31, 60, 0),
            (30, 60, 1),
            (22, 32, 1),
            (40, 60, 0),
        ),
        *((25, 26, 1), (36, 44, 1), (37, 45, 0)),
    ],
    ids=[
        *(
            "exact",
            "contains",
            "10 of 19",
            "9 of 19",
            "9 from the end",
            "10 from the end",
            "inside",
            "touches",
        ),
        *("a letter", "half of the passage", "less than half of the passage"),
    ],
)
def test_retrieval_half_of_shorter_is_a_hit(start: int, end: int, holds: int) -> None:
    """A passage holds a quote if they share at least half of the shorter of the two."""
    asked = example(answer(passages=[read(start, end)]))
    assert [measure(asked, 1) for measure in (hit, recall, ndcg)] == [holds] * 3


def test_retrieval_counts_from_first_passage_with_evidence() -> None:
    other = document("x" * 60, "other.txt")
    passages = [read(0, 20), read(21, 40, other), read(41, 60), read(21, 40), read(0, 60)]
    asked = example(answer(passages=passages))
    assert [hit(asked, depth) for depth in (1, 3, 4, 5)] == [0, 0, 1, 1]
    assert reciprocal_rank(asked) == 1 / 4


THREE = question(evidence=["Cats sleep 16 hours.", "Dogs bark at night.", "Birds sing at dawn."])


def test_retrieval_quote_counts_once_at_first_passage() -> None:
    passages = [read(0, 40), read(0, 20), read(21, 40), read(41, 60)]
    asked = example(answer(passages=passages), THREE)
    assert [hit(asked, depth) for depth in (1, 3, 10)] == [1, 1, 1]
    assert [recall(asked, depth) for depth in (1, 3, 4, 10)] == [2 / 3, 2 / 3, 1, 1]
    assert reciprocal_rank(asked) == 1
    # Two at once, then one at rank 4, against three at once.
    assert [ndcg(asked, depth) for depth in (1, 3, 4)] == pytest.approx(
        [2 / 3, 2 / 3, (2 + 1 / log2(5)) / 3]
    )


def test_retrieval_same_for_other_cuts_of_the_text() -> None:
    whole, halves = (
        example(answer(passages=[read(0, 60)]), THREE),
        example(answer(passages=[read(0, 30)]), THREE),
    )
    assert [measure(whole, 1) for measure in (hit, recall, ndcg)] == [1, 1, 1]
    # It holds the first quote whole, and of the second 9 of 19 characters.
    assert [measure(halves, 1) for measure in (hit, recall, ndcg)] == [1, 1 / 3, 1 / 3]


def test_retrieval_no_passages_is_zero() -> None:
    """Passages read before a refusal count too."""
    nothing, refused = example(answer()), example(refusal(passages=[read(0, 20), read(21, 40)]))
    assert [measure(nothing, 5) for measure in (hit, recall, ndcg)] == [0, 0, 0]
    assert [measure(refused, 5) for measure in (hit, recall, ndcg)] == [1, 1, 1 / log2(3)]
    assert (reciprocal_rank(nothing), reciprocal_rank(refused)) == (0, 1 / 2)


def test_retrieval_no_evidence_is_unscored() -> None:
    asked = example(answer(passages=[read(0, 20)]), ABSENT)
    assert [measure(asked, 5) for measure in (hit, recall, ndcg)] == [None] * 3
    assert reciprocal_rank(asked) is None


def test_retrieval_documents_ranked_by_best_passage() -> None:
    """The gain of a document is its grade."""
    library = [
        PETS,
        document("y" * 60, "grade-2.txt"),
        document("z" * 60, "grade-1.txt"),
        document("w", "missed.txt"),
    ]
    asked = question(
        evidence=[], answers=[], relevant={"grade-2.txt": 2, "grade-1.txt": 1, "missed.txt": 1}
    )
    passages = [
        read(0, 20),
        read(21, 40),
        read(0, 9, library[2]),
        read(9, 20, library[2]),
        read(0, 9, library[1]),
    ]
    found = example(answer(passages=passages), asked, library)
    # Documents: unjudged, grade 1, grade 2.
    assert [hit(found, depth) for depth in (1, 2)] == [0, 1]
    assert [recall(found, depth) for depth in (1, 2, 3)] == [0, 1 / 3, 2 / 3]
    assert reciprocal_rank(found) == 1 / 2
    best = 2 + 1 / log2(3) + 1 / log2(4)
    assert ndcg(found, 3) == pytest.approx((1 / log2(3) + 2 / log2(4)) / best)
    assert ndcg(found, 1) == 0
    assert [
        citation_f1(found),
        cited_quote_f1(found),
        exact_match(found),
        first_sentence_right(found),
    ] == [None] * 4


def test_retrieval_quotes_take_precedence_over_documents() -> None:
    asked = question(relevant={"pets.txt": 1})
    assert hit(example(answer(passages=[read(0, 20)]), asked), 1) == 0


def test_retrieval_equal_scores_keep_their_order() -> None:
    passages = [read(0, 20), read(21, 40)]
    assert {one.score for one in passages} == {1.0}
    assert reciprocal_rank(example(answer(passages=passages))) == 1 / 2
    assert reciprocal_rank(example(answer(passages=passages[::-1]))) == 1


def bold(start: int, end: int) -> AnswerSentence:
    """The second sentence, with these words of it standing out."""
    return says("Dogs bark at night.", cite(21, 40), span=cite(start, end))


@pytest.mark.parametrize(
    ("accepted", "sentences", "exact", "f1"),
    [
        (["bark at night"], [bold(26, 39)], 1, 1),
        (["bark"], [bold(26, 39)], 0, 2 / 4),
        (["sleep", "Bark!"], [bold(26, 39)], 0, 2 / 4),
        (["dogs BARK, at the night"], [SECOND], 1, 1),
        (["cats"], [SECOND], 0, 0),
        (["Dogs bark at night. Birds sing at dawn."], [SECOND, THIRD], 1, 1),
        (["bark"], [bold(26, 30), THIRD], 1, 1),
        (["bark"], [SECOND, bold(26, 30)], 0, 2 / 9),
        (["a b b b"], [says("b b c")], 0, 2 * 2 / 6),
        (["an apple a day"], [says("The apple. A day")], 1, 1),
        (["$6 trillion"], [says("6 trillion")], 1, 1),
        (["“6”"], [says("6")], 0, 0),
    ],
    ids=[
        *(
            "bold",
            "part",
            "best",
            "whole answer",
            "nothing",
            "two sentences",
            "first bold",
            "second bold",
        ),
        *("as often as both have it", "articles", "ASCII punctuation", "other quotes"),
    ],
)
def test_squad_metrics_compare_answering_words(
    accepted: list[str], sentences: list[AnswerSentence], exact: float, f1: float
) -> None:
    asked = example(answer(*sentences), question(answers=accepted))
    assert exact_match(asked) == exact
    assert answer_f1(asked) == pytest.approx(f1)


def test_squad_metrics_empty_form_is_unscored() -> None:
    """A refusal of an answerable question scores 0."""
    for measure in (exact_match, answer_f1):
        assert measure(example(answer(says("Type A.")), question(answers=["A", "the"]))) is None
        assert measure(example(answer(says("Type A.")), question(answers=["A", "type A"]))) == 1
        assert measure(example(refusal(), ABSENT)) is None
        assert measure(example(answer(SECOND), ABSENT)) is None
        assert (
            measure(
                example(refusal("Dogs bark at night."), question(answers=["Dogs bark at night."]))
            )
            == 0
        )


@pytest.mark.parametrize(
    ("accepted", "text", "found"),
    [
        (["dogs bark"], "Dogs barked.", 1),
        (["dogs bark at night"], "At night, dogs bark.", 2 * 2 / 8),
        (["cats", "dogs bark"], "Dogs bark at night.", 2 * 2 / 6),
        (["dogs dogs dogs bark"], "dogs bark", 2 * 2 / 6),
        (["cats"], "Dogs bark.", 0),
        (["猫", "dogs"], "dogs", 1),
        (["猫"], "dogs", None),
        ([], "dogs", None),
    ],
    ids=[
        "stems",
        "in order",
        "best",
        "as often as both have it",
        "none",
        "other letters",
        "only those",
        "not known",
    ],
)
def test_rouge_l_by_hand(accepted: list[str], text: str, found: float | None) -> None:
    asked = question(answers=accepted)
    assert rouge_l(example(answer(says(text)), asked)) == (
        None if found is None else pytest.approx(found)
    )
    refused = 0 if found is not None else None
    assert rouge_l(example(refusal(text), asked)) == refused


@pytest.mark.parametrize(
    ("accepted", "text", "found"),
    [
        (["coal, salt, and gypsum"], "Coal and gypsum.", 2 / 3),
        (["the US, China and the EU"], "China, the EU; the US.", 1),
        (["the US, China and the EU"], "Museum industry in China.", 1 / 3),
        (["cats and dogs"], "Dogs.", 1 / 2),
        (["cats or dogs."], "Dogs or cats.", 1),
        (["cats", "dogs", "birds"], "Dogs and birds.", 2 / 3),
        (["cats and dogs", "pets"], "Pets.", 0),
        (["cats and dogs", "felines and dogs"], "Felines, dogs.", 1),
        (["1,000 tons and 5 tons"], "15 tons, 1,000 tons", 1 / 2),
        (["red; green"], "green", 1 / 2),
        (["trade, and ‘aid’"], "'AID'", 1 / 2),
        (["(a), b"], "(A) and b", 1),
        (["猫、犬"], "猫、犬", 1),
        ([], "Cats.", None),
    ],
)
def test_list_completeness_share_of_named_items(
    accepted: list[str], text: str, found: float | None
) -> None:
    asked = question(answers=accepted, kind="list")
    assert list_completeness(example(answer(says(text)), asked)) == (
        None if found is None else pytest.approx(found)
    )


def test_list_completeness_other_kinds_are_unscored() -> None:
    """A refusal names no item."""
    assert (
        list_completeness(example(answer(says("Cats, dogs.")), question(answers=["cats and dogs"])))
        is None
    )
    asked = question(answers=["cats and dogs"], kind="list")
    assert list_completeness(example(refusal("Cats and dogs."), asked)) == 0
    assert list_completeness(example(refusal(), question(evidence=[], kind="list"))) is None


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
def test_contains_answer_ignores_typography(accepted: str, text: str, right: int) -> None:
    asked = question(answers=["never there", accepted])
    assert contains_answer(example(answer(says(text)), asked)) == right


def test_answers_words_of_refusal_do_not_count() -> None:
    asked = question(answers=["documents"])
    assert contains_answer(example(refusal("The documents do not say."), asked)) == 0
    assert contains_answer(example(refusal(), ABSENT)) is None
    assert contains_answer(example(answer(SECOND), question(answers=[]))) is None


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
    ids=[
        "all",
        "more",
        "part",
        "10 of 19",
        "9 of 19",
        "2 of 4",
        "1 of 4",
        "none",
        "empty",
        "elsewhere",
    ],
)
def test_first_sentence_right_half_of_shorter(citation: Citation, right: int) -> None:
    assert first_sentence_right(example(answer(says("So.", citation)))) == right


def test_first_sentence_right_any_of_its_citations() -> None:
    assert first_sentence_right(example(answer(THIRD, SECOND))) == 0
    assert first_sentence_right(example(answer(says("Both.", cite(41, 60), cite(21, 40))))) == 1
    assert first_sentence_right(example(answer(says("Uncited."), SECOND))) == 0
    assert first_sentence_right(example(refusal())) == 0
    assert first_sentence_right(example(refusal(), ABSENT)) is None
    assert first_sentence_right(example(answer(SECOND), ABSENT)) is None


@pytest.mark.parametrize(
    ("sentences", "precision", "recalled"),
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
def test_citation_metrics_count_characters(
    sentences: list[AnswerSentence], precision: float | None, recalled: float
) -> None:
    asked = example(answer(*sentences))
    assert (citation_precision(asked), citation_recall(asked)) == (precision, recalled)
    harmonic = 2 * precision * recalled / (precision + recalled) if precision and recalled else 0
    assert citation_f1(asked) == pytest.approx(harmonic)


@pytest.mark.parametrize(
    ("sentences", "precision", "recalled", "f1"),
    [
        ([says("", cite(21, 40), cite(0, 20))], 1, 2 / 3, 4 / 5),
        ([says("", cite(21, 40)), says("", cite(21, 40))], 1, 1 / 3, 1 / 2),
        ([says("", cite(0, 60))], 1, 1, 1),
        ([says("", cite(20, 21), cite(26, 30))], 1 / 2, 1 / 3, 2 / 5),
        ([says("", cite(20, 21))], 0, 0, 0),
        ([says("Uncited.")], None, 0, 0),
    ],
    ids=["two of three", "twice counts once", "all in one", "one between", "none", "uncited"],
)
def test_cited_quote_metrics_count_quotes(
    sentences: list[AnswerSentence], precision: float | None, recalled: float, f1: float
) -> None:
    asked = example(answer(*sentences), THREE)
    assert cited_quote_precision(asked) == precision
    assert cited_quote_recall(asked) == pytest.approx(recalled)
    assert cited_quote_f1(asked) == pytest.approx(f1)


def test_citation_metrics_other_document_is_not_gold() -> None:
    other = document("z" * 60, "other.txt")
    asked = example(answer(says("", cite(21, 40, other), cite(21, 40))), documents=[PETS, other])
    assert (citation_precision(asked), citation_recall(asked)) == (1 / 2, 1)


def test_citation_metrics_several_gold_quotes() -> None:
    asked = question(evidence=["Cats sleep 16 hours.", "Dogs bark at night."])
    found = example(answer(SECOND), asked)
    assert (citation_precision(found), citation_recall(found)) == (1, 19 / 39)


TWICE = document("Dogs bark at night. Cats sleep. Dogs bark at night.", "twice.txt")


def test_metrics_quote_in_several_places_any_counts() -> None:
    """The quote is at 0 and 32; citing or reading either span is right, and so is citing both."""
    both = says("", cite(0, 19, TWICE), cite(32, 51, TWICE))
    for sentence in (says("", cite(0, 19, TWICE)), says("", cite(32, 51, TWICE)), both):
        given_answer = answer(sentence, passages=[read(20, 51, TWICE)])
        asked = example(given_answer, documents=[TWICE])
        assert [measure(asked) for measure in CITING] == [1] * 6
        assert first_sentence_right(asked) == 1
        assert [measure(asked, 1) for measure in (hit, recall, ndcg)] == [1, 1, 1]


def test_citation_metrics_most_cited_span_counts() -> None:
    """Of the span at 0, 9 characters are cited; the span at 32 is cited whole, with 12 before."""
    sentence = says("", cite(0, 9, TWICE), cite(20, 51, TWICE))
    asked = example(answer(sentence), documents=[TWICE])
    assert (citation_precision(asked), citation_recall(asked)) == (19 / 31, 1)
    assert citation_f1(asked) == 2 * 19 / (31 + 19)


def test_metrics_answers_without_evidence_score_the_answer() -> None:
    """Measures of citations and retrieval are unscored; the answer's own measures are not."""
    asked = replace(ABSENT, answerable=True, answers=("bark",))
    right = example(answer(SECOND, THIRD, passages=[read(21, 40)]), asked)
    late = example(answer(THIRD, SECOND), asked)
    for found in (right, late, example(refusal(), asked)):
        assert [measure(found) for measure in CITING] == [None] * 6
        assert (first_sentence_right(found), hit(found, 5)) == (None, None)
    assert [contains_answer(found) for found in (right, late)] == [1, 1]
    assert [answered_right(found) for found in (right, late)] == [1, 0]
    assert answered_right(example(refusal(), asked)) == 0


def test_metrics_evidence_without_answers_score_the_citation() -> None:
    """Measures of accepted answers are unscored; those of citations are not."""
    found = example(answer(SECOND), question(answers=[]))
    assert [measure(found) for measure in CITING] == [1] * 6
    assert answered_right(found) == 1
    measures = (exact_match, answer_f1, contains_answer, rouge_l)
    assert [measure(found) for measure in measures] == [None] * 4


@pytest.mark.parametrize(
    ("accepted", "text"),
    [
        ("1,200", "1200"),
        ("1200", "1,200"),
        ("1,200", "1\u202f200"),
        ("1\u00a0200 seats", "1,200 seats"),
        ("12,345,678", "12345678"),
    ],
)
def test_answer_metrics_thousands_marks_do_not_matter(accepted: str, text: str) -> None:
    found = example(answer(says(text)), question(answers=[accepted], kind="list"))
    measures = (exact_match, answer_f1, contains_answer, rouge_l, list_completeness)
    assert [measure(found) for measure in measures] == [1] * 5


@pytest.mark.parametrize(
    ("accepted", "text"), [("1,200", "11,200"), ("200", "1,200"), ("1", "1,200")]
)
def test_contains_answer_not_in_a_longer_number(accepted: str, text: str) -> None:
    assert contains_answer(example(answer(says(text)), question(answers=[accepted]))) == 0


CITING = (
    *(citation_precision, citation_recall, citation_f1),
    *(cited_quote_precision, cited_quote_recall, cited_quote_f1),
)


def test_citation_metrics_refusal_cites_nothing() -> None:
    assert [measure(example(refusal())) for measure in CITING] == [None, 0, 0, None, 0, 0]
    for given_answer in (refusal(), answer(SECOND)):
        assert [measure(example(given_answer, ABSENT)) for measure in CITING] == [None] * 6


def test_sentences_of_a_refusal_do_not_count() -> None:
    odd = example(replace(refusal(), sentences=(SECOND,)))
    assert (first_sentence_right(odd), answered_right(odd), exact_match(odd)) == (0, 0, 0)
    assert [measure(odd) for measure in CITING] == [None, 0, 0, None, 0, 0]
    assert (supported_sentences(odd), unsupported_sentences(odd)) == (None, None)


def test_supported_sentences_weak_is_neither() -> None:
    states = [says("", support=state) for state in ("verbatim", "supported", "weak", "unsupported")]
    assert supported_sentences(example(answer(*states))) == 2 / 4
    assert unsupported_sentences(example(answer(*states), ABSENT)) == 1 / 4
    assert (supported_sentences(example(refusal())), unsupported_sentences(example(refusal()))) == (
        None,
        None,
    )


def test_quotes_exact_needs_letters_and_version() -> None:
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
        (example(answer(SECOND)), (1, 0, None, 1, 1)),
        (example(answer(THIRD)), (1, 0, None, 1, 0)),
        (example(refusal()), (0, 1, None, 0, 0)),
        (example(answer(SECOND), ABSENT), (1, None, 0, 0, 0)),
        (example(refusal(), ABSENT), (0, None, 1, 1, 1)),
        (example(refusal(reason="model_declined"), ABSENT), (0, None, 1, 1, 1)),
    ],
    ids=["right", "wrong", "refused", "made up", "refused rightly", "declined rightly"],
)
def test_refusal_metrics_by_hand(asked: Example, expected: tuple[float | None, ...]) -> None:
    measures = (answered, wrongly_refused, rightly_refused, refusal_accuracy, answered_right)
    assert tuple(measure(asked) for measure in measures) == expected


def test_cost_missing_value_is_unscored() -> None:
    assert seconds(example(answer(seconds=None))) is None
    assert seconds(example(answer(seconds=0.25))) == 0.25
    built_in, asked = example(answer()), example(answer(first_words=0.25, usage=Usage(812, 30)))
    measures = (seconds_to_first_words, prompt_tokens, answer_tokens)
    assert [measure(built_in) for measure in measures] == [None] * 3
    assert [measure(asked) for measure in measures] == [0.25, 812, 30]
    assert confidence(example(answer(confidence=float("nan")))) is None
    assert confidence(example(refusal(confidence=0.0))) == 0.0


def test_scores_one_value_for_each_metric() -> None:
    for each in (example(answer(SECOND)), example(refusal()), example(refusal(), ABSENT)):
        found = scores(each)
        assert list(found) == [metric.name for metric in METRICS if metric.score is not None]
        assert all(value is None or isinstance(value, float) for value in found.values())
