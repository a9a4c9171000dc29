"""Examples: negatives have no answer, windows keep it, and the seed fixes everything."""

import random

from qa.training.examples import (
    WINDOW,
    NegativeShares,
    TrainingPair,
    cut_to_window,
    training_examples,
)
from qa.training.sources import TrainingQuestion
from qa.types import Span

CITIES = ["Rome", "Oslo", "Lima", "Bern", "Cairo", "Quito", "Paris", "Delhi", "Accra", "Tunis"]
EVERYTHING = NegativeShares(hard=1, easy=1, cut=1, swapped=1)


def _questions() -> list[TrainingQuestion]:
    rows = []
    for number, city in enumerate(CITIES):
        context = f"The fair of 19{number}0 drew many people. It was held in {city} for a week. Then it rained."
        start = context.index(city)
        answer = Span(start, start + len(city))
        rows.append(
            TrainingQuestion(
                "s", "g", f"In what city was the fair of 19{number}0 held?", context, (answer,)
            )
        )
    return rows


def test_first_pair_answers_and_the_others_do_not() -> None:
    made = training_examples({"s": _questions()}, EVERYTHING, seed=1)
    positive = [example for example in made if example[0].answers]
    assert len(positive) == len(CITIES)
    for own, *negatives in positive:
        (answer,) = own.answers
        city = own.context[answer.start : answer.end]
        assert city in CITIES
        assert len(negatives) == 3
        assert all(not pair.answers and city not in pair.context for pair in negatives)
        assert all(pair.question == own.question for pair in negatives)


def test_swapped_question_is_not_answered_by_its_passage() -> None:
    made = training_examples({"s": _questions()}, EVERYTHING, seed=1)
    swapped = [example[0] for example in made if not example[0].answers]
    assert swapped
    for pair in swapped:
        year = pair.question.split("fair of ")[1][:4]
        assert year not in pair.context


def test_opposed_question_is_not_answered_by_its_passage() -> None:
    context = "The pool opened in May 2010. It has two lanes."
    answer = Span(context.index("May"), context.index(". It"))
    asked = "When did the first pool open?"
    rows = [
        TrainingQuestion("s", "g", asked, context, (answer,)),
        TrainingQuestion("s", "g", "Did the first pool open in May?", context, (answer,)),
    ]
    shares = NegativeShares(hard=0, easy=0, cut=0, swapped=0, opposed=1)
    made = training_examples({"s": rows}, shares, seed=1)
    opposed = [example[0] for example in made if not example[0].answers]
    assert [pair.context for pair in opposed] == [context]
    assert opposed[0].question in {
        "When did the last pool open?",
        "When did the first pool close?",
    }


def test_other_noun_is_not_in_the_passage() -> None:
    """The noun comes from a question of the same form; one that the passage has is not taken."""
    context = "The pool has six lanes and 120 seats. It cost two million euros."
    answer = Span(context.index("six"), context.index(" lanes"))
    questions = (
        "How many lanes does the pool have?",
        "How many seats does the pool have?",
        "How many slides does the pool have?",
        "What is the depth of the pool?",
    )
    rows = [TrainingQuestion("s", "g", text, context, (answer,)) for text in questions[:1]]
    rows += [TrainingQuestion("s", "g", text, context, ()) for text in questions[1:]]
    shares = NegativeShares(hard=0, easy=0, cut=0, swapped=0, other_noun=1)

    examples = training_examples({"s": rows}, shares, seed=1)

    asked_of_passage = [example[0].question for example in examples if not example[0].answers]
    assert sorted(asked_of_passage) == sorted([*questions[1:], questions[2]])


def test_same_seed_makes_the_same_examples() -> None:
    assert training_examples({"s": _questions()}, NegativeShares(), seed=3) == training_examples(
        {"s": _questions()}, NegativeShares(), seed=3
    )
    assert training_examples({"s": _questions()}, NegativeShares(), seed=3) != training_examples(
        {"s": _questions()}, NegativeShares(), seed=4
    )


def test_window_keeps_the_answer_and_whole_words() -> None:
    text = "word " * 700 + "Needle in it " + "more " * 700
    answer = Span(text.index("Needle"), text.index("Needle") + 6)
    for seed in range(50):
        pair = cut_to_window(TrainingPair("Q?", text, (answer,)), random.Random(seed))
        assert [pair.context[a.start : a.end] for a in pair.answers] == ["Needle"]
        assert len(pair.context) <= WINDOW + 6
        assert set(pair.context.split()) <= {"word", "Needle", "in", "it", "more"}
        assert cut_to_window(TrainingPair("Q?", text, ()), random.Random(seed)).answers == ()
