"""What is shown in training: negatives hold no answer, windows keep it, and a seed fixes it all."""

import random

from qa.training.examples import WINDOW, Mix, Pair, examples, windowed
from qa.training.sources import Asked
from qa.types import Span

CITIES = ["Rome", "Oslo", "Lima", "Bern", "Cairo", "Quito", "Paris", "Delhi", "Accra", "Tunis"]
EVERYTHING = Mix(hard=1, easy=1, cut=1, swapped=1)


def _asked() -> list[Asked]:
    rows = []
    for number, city in enumerate(CITIES):
        context = f"The fair of 19{number}0 drew many people. It was held in {city} for a week. Then it rained."
        start = context.index(city)
        answer = Span(start, start + len(city))
        rows.append(
            Asked("s", "g", f"In what city was the fair of 19{number}0 held?", context, (answer,))
        )
    return rows


def test_the_first_pair_answers_and_the_others_do_not() -> None:
    made = examples({"s": _asked()}, EVERYTHING, seed=1)
    positive = [example for example in made if example[0].answers]
    assert len(positive) == len(CITIES)
    for own, *others in positive:
        (answer,) = own.answers
        city = own.context[answer.start : answer.end]
        assert city in CITIES
        assert len(others) == 3
        assert all(not pair.answers and city not in pair.context for pair in others)
        assert all(pair.question == own.question for pair in others)


def test_a_swapped_question_asks_its_passage_for_what_it_does_not_say() -> None:
    made = examples({"s": _asked()}, EVERYTHING, seed=1)
    swapped = [example[0] for example in made if not example[0].answers]
    assert swapped
    for pair in swapped:
        year = pair.question.split("fair of ")[1][:4]
        assert year not in pair.context


def test_the_same_seed_makes_the_same_examples() -> None:
    assert examples({"s": _asked()}, Mix(), seed=3) == examples({"s": _asked()}, Mix(), seed=3)
    assert examples({"s": _asked()}, Mix(), seed=3) != examples({"s": _asked()}, Mix(), seed=4)


def test_a_window_keeps_the_answer_exact_and_is_cut_between_words() -> None:
    text = "word " * 700 + "Needle in it " + "more " * 700
    answer = Span(text.index("Needle"), text.index("Needle") + 6)
    for seed in range(50):
        pair = windowed(Pair("Q?", text, (answer,)), random.Random(seed))
        assert [pair.context[a.start : a.end] for a in pair.answers] == ["Needle"]
        assert len(pair.context) <= WINDOW + 6
        assert set(pair.context.split()) <= {"word", "Needle", "in", "it", "more"}
        assert windowed(Pair("Q?", text, ()), random.Random(seed)).answers == ()
