"""Estimates over groups of questions: by hand, and against other implementations."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from io import StringIO

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, precision_recall_fscore_support

from eval.dataset import Gold, Question
from eval.metrics import METRICS, scores, summary_metrics, tables
from eval.report.terminal import MAIN_METRICS, print_model, print_runs, print_tables
from eval.run_schema import Estimate, Group
from eval.stats.intervals import auroc_interval, mean_interval, percentile_interval, wilson
from eval.summary import Outcome, cluster, groups
from qa.types import Answer, Span, Usage
from tests.eval.fakes import answer, cite, example, question, read, refusal, says

SCORED = [metric.name for metric in METRICS if metric.score is not None]
SUMMARISED = [metric.name for metric in summary_metrics()]
ABSENT = question("absent", evidence=[], kind="absent")
RIGHT = answer(
    says("Dogs bark.", cite(21, 40), span=cite(26, 30)), passages=[read(0, 20), read(21, 40)]
)
WRONG = answer(
    says("Birds sing at dawn.", cite(41, 60)), passages=[read(41, 60)], confidence=0.6, seconds=2.0
)
MODELS = answer(
    says("They bark.", cite(21, 40), support="weak"),
    says("Loudly.", support="unsupported"),
    confidence=0.6,
    seconds=4.0,
    first_words=1.0,
    usage=Usage(800, 20),
)


def outcome(given: Answer, asked: Question) -> Outcome:
    return Outcome(asked, given, scores=scores(example(given, asked)))


def scored(asked: Question, **values: float | None) -> Outcome:
    """What was asked several times has the means of its scores."""
    return Outcome(asked, RIGHT, scores=dict.fromkeys(SCORED, None) | values)


OUTCOMES = [
    outcome(RIGHT, question("right")),
    outcome(WRONG, question("wrong", kind="list", answers=["cats, dogs"])),
    outcome(MODELS, question("model")),
    outcome(refusal(confidence=0.2), question("refused")),
    outcome(refusal(confidence=0.1), ABSENT),
    outcome(MODELS, question("invented", evidence=[], kind="absent")),
    Outcome(question("broken"), error="ValueError: no"),
]


def told(group: Group, names: Sequence[str]) -> dict[str, tuple[int, float | None]]:
    found = {name: group.estimates[name] for name in names}
    return {
        name: (one.n, None if one.value is None else round(one.value, 4))
        for name, one in found.items()
    }


def test_groups_every_estimate_by_hand() -> None:
    overall = groups(OUTCOMES)[0]
    expected = {
        # Of right, wrong, model and refused: the quote second, not at all, and nothing read twice.
        **dict.fromkeys(("hit_at_1", "recall_at_1", "ndcg_at_1"), (4, 0.0)),
        **dict.fromkeys(
            (f"{name}_at_{depth}" for name in ("hit", "recall") for depth in (3, 5, 10)), (4, 0.25)
        ),
        "reciprocal_rank": (4, 0.125),
        **dict.fromkeys(("ndcg_at_3", "ndcg_at_5", "ndcg_at_10"), (4, 0.1577)),
        # "bark" against "bark", "Birds sing at dawn.", "They bark. Loudly." and nothing.
        "exact_match": (4, 0.25),
        "answer_f1": (4, 0.375),
        "contains_answer": (4, 0.5),
        # "bark" of "Dogs bark.", of three words.
        "rouge_l": (4, round((2 / 3 + 2 / 4) / 4, 4)),
        "first_sentence_right": (4, 0.5),
        "list_completeness": (1, 0.0),
        "answered_right": (6, 0.5),
        "answered": (6, 0.6667),
        "wrongly_refused": (4, 0.25),
        "rightly_refused": (2, 0.5),
        "refusal_accuracy": (6, 0.6667),
        # Refused: one of the answerable, and one of the two that are not.
        "refusal_precision": (2, 0.5),
        "refusal_f1": (6, 0.5),
        # Against 0.1 and 0.6: 0.9, 0.6, 0.6 and 0.2.
        "confidence_auroc": (6, 0.75),
        # Right; then of wrong, model (right) and invented in any order, on average: 2/3 of each.
        "risk_coverage": (4, round((0 + 2 / 3 / 2 + 4 / 3 / 3 + 2 / 4) / 4, 4)),
        # By tenths: 1 - 0.9; 2 - 1.8; 1 - 0.2; -0.1.
        "calibration_error": (6, 0.2),
        "citation_precision": (3, 0.6667),
        "citation_recall": (4, 0.5),
        "citation_f1": (4, 0.5),
        "cited_quote_precision": (3, 0.6667),
        "cited_quote_recall": (4, 0.5),
        "cited_quote_f1": (4, 0.5),
        "quotes_exact": (4, 1.0),
        "supported_sentences": (4, 0.5),
        "unsupported_sentences": (4, 0.25),
        # 0.5, 0.5, 0.5, 2, 4 and 4 seconds.
        "seconds_median": (6, 1.25),
        "seconds_p95": (6, 4.0),
        "seconds_to_first_words_median": (2, 1.0),
        "seconds_to_first_words_p95": (2, 1.0),
        "prompt_tokens": (2, 800.0),
        "answer_tokens": (2, 20.0),
    }
    assert told(overall, SUMMARISED) == expected
    assert list(overall.estimates) == SUMMARISED
    assert {one.n + one.unscored for one in overall.estimates.values()} == {7}
    for name, found in overall.estimates.items():
        assert found.low is not None, name
        assert found.high is not None, name
        assert found.low <= found.high, name


def test_metrics_all_are_distinct_and_computable() -> None:
    """No two metrics share a name or a label; each has a function, and a table shows its label."""
    assert len({metric.name for metric in METRICS}) == len(METRICS)
    assert len({metric.label for metric in METRICS}) == len(METRICS)
    assert all(metric.score or metric.set_score for metric in METRICS)
    assert all(metric.definition for metric in METRICS)
    only_scores = {metric.name for metric in METRICS if not metric.in_summary}
    assert only_scores == {"confidence", "seconds", "seconds_to_first_words"}


@pytest.mark.parametrize("given", [refusal(), RIGHT], ids=["all refused", "none refused"])
def test_groups_all_or_none_refused(given: Answer) -> None:
    overall = groups([outcome(given, question("a")), outcome(given, ABSENT)])[0]
    names = [
        "refusal_accuracy",
        "refusal_precision",
        "rightly_refused",
        "refusal_f1",
        "risk_coverage",
    ]
    expected = (
        {
            "refusal_precision": (2, 0.5),
            "rightly_refused": (1, 1.0),
            "refusal_f1": (2, 0.6667),
            "risk_coverage": (0, None),
        }
        if given.abstained
        else {
            "refusal_precision": (0, None),
            "rightly_refused": (1, 0.0),
            "refusal_f1": (2, 0.0),
            # Of equal confidence, one right: 1/2 of each length.
            "risk_coverage": (2, 0.5),
        }
    )
    assert told(overall, names) == {"refusal_accuracy": (2, 0.5), **expected}
    assert told(overall, ["confidence_auroc", "answered_right"]) == {
        "confidence_auroc": (2, 0.5),
        "answered_right": (2, 0.5),
    }


def test_groups_single_question_and_error() -> None:
    """An error has no value in any metric."""
    overall = groups([outcome(RIGHT, question("only"))])[0]
    right = overall.estimates["answered_right"]
    assert (right.n, right.unscored, right.value, right.high) == (1, 0, 1.0, 1.0)
    assert interval(right) == pytest.approx(wilson(1, 1))
    assert told(overall, ["risk_coverage", "confidence_auroc", "refusal_f1"]) == {
        "risk_coverage": (1, 0.0),
        "confidence_auroc": (0, None),
        # Nothing is refused, and nothing was to be.
        "refusal_f1": (0, None),
    }
    broken = groups([OUTCOMES[-1]])[0]
    assert broken.errors == 1
    assert set(broken.estimates.values()) == {Estimate(0, 1, None, None, None)}


def drawn_set(seed: int) -> list[Outcome]:
    """Nine questions; often none or all of them are refused, or to be refused."""
    drawn = random.Random(seed)
    unanswerable, refusing = drawn.choice([0.0, 0.3, 1.0]), drawn.choice([0.0, 0.5, 1.0])
    found = []
    for number in range(9):
        evidence = [] if drawn.random() < unanswerable else ["Dogs bark at night."]
        asked = question(f"q{seed} {number}", evidence, kind=str(seed))
        found.append(outcome(refusal() if drawn.random() < refusing else RIGHT, asked))
    return found


@pytest.mark.slow
def test_groups_refusal_metrics_same_as_scikit_learn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "eval.stats.intervals.RESAMPLES", 2
    )  # the intervals are looked at elsewhere
    names = ["refusal_precision", "rightly_refused", "refusal_f1", "refusal_accuracy"]
    sets = [drawn_set(seed) for seed in range(1_000)]
    by_kind = [
        group for group in groups([each for one in sets for each in one]) if group.by == "kind"
    ]
    for outcomes, group in zip(sets, by_kind, strict=True):
        truth = [not one.question.answerable for one in outcomes]
        refused = [one.answer is not None and one.answer.abstained for one in outcomes]
        expected = precision_recall_fscore_support(
            truth, refused, average="binary", zero_division=np.nan
        )[:3]
        values = [None if np.isnan(one) else pytest.approx(one) for one in expected]
        found = [group.estimates[name].value for name in names]
        assert found == [*values, pytest.approx(accuracy_score(truth, refused))], group.name


def test_groups_intervals_use_clusters() -> None:
    asked = [
        question(f"q{number}", evidence=() if number % 3 == 0 else ["Dogs bark at night."])
        for number in range(24)
    ]
    drawn = np.random.default_rng(3)
    outcomes = [
        scored(
            one, citation_recall=drawn.random(), confidence=drawn.random(), seconds=drawn.random()
        )
        for one in asked
    ]
    labels = [f"article {number // 4}" for number in range(24)]
    figures = groups(outcomes, dict(zip((one.id for one in asked), labels, strict=True)))[
        0
    ].estimates
    values = {
        name: [one.scores[name] or 0 for one in outcomes]
        for name in ("citation_recall", "confidence", "seconds")
    }
    assert interval(figures["citation_recall"]) == mean_interval(values["citation_recall"], labels)
    assert interval(figures["citation_recall"]) != mean_interval(values["citation_recall"])
    assert interval(figures["seconds_p95"]) == percentile_interval(values["seconds"], 95, labels)
    answerable = [index for index in range(24) if asked[index].answerable]
    unanswerable = [index for index in range(24) if not asked[index].answerable]
    sides = [
        [values["confidence"][index] for index in indexes] for indexes in (answerable, unanswerable)
    ]
    order = [labels[index] for index in (*answerable, *unanswerable)]
    assert interval(figures["confidence_auroc"]) == auroc_interval(sides[0], sides[1], order)


def interval(figure: Estimate) -> tuple[float | None, float | None]:
    return figure.low, figure.high


def test_groups_single_article_has_no_clusters() -> None:
    outcomes = [outcome(RIGHT, question(f"q{number}")) for number in range(5)] + [
        outcome(refusal(), ABSENT)
    ]
    one = {each.question.id: "pets.txt" for each in outcomes[:5]} | {"absent": "absent"}
    assert groups(outcomes, one) == groups(outcomes)
    two = {**one, "q0": "absent"}
    assert groups(outcomes, two) != groups(outcomes)


@pytest.mark.parametrize(
    ("asked", "gold", "expected"),
    [
        (question("q"), [(("b.txt", Span(0, 1)),), (("a.txt", Span(0, 1)),)], "b.txt"),
        (replace(question("q"), document="c.txt"), [(("b.txt", Span(0, 1)),)], "c.txt"),
        (question("q", group="cats"), [(("b.txt", Span(0, 1)),)], "cats"),
        (question("q", evidence=[], group="cats"), [], "cats"),
        (question("q", evidence=[]), [], "q"),
    ],
    ids=["first quote", "named document", "group", "group without gold", "nothing"],
)
def test_cluster_is_group_or_document_or_id(
    asked: Question, gold: Sequence[Gold], expected: str
) -> None:
    assert cluster(asked, gold) == expected


def test_groups_repeats_count_as_the_majority() -> None:
    """A tie counts as answered."""
    often, seldom, even = (
        scored(question(key, evidence=[]), answered=share, answered_right=1 - share, confidence=0.5)
        for key, share in (("often", 0.8), ("seldom", 0.2), ("even", 0.5))
    )
    figures = groups([often, seldom, even])[0].estimates
    assert figures["answered"].value == pytest.approx(0.5)
    assert figures["refusal_precision"].n == 1
    # One refused of three that were to be: precision 1, recall 1/3.
    assert figures["refusal_f1"].value == pytest.approx(0.5)
    assert figures["risk_coverage"].n == 2
    assert [one.failed for one in (often, seldom, even)] == [True] * 3
    assert not scored(question("a"), answered_right=1.0).failed
    assert not scored(question("a"), answered_right=None).failed


def printed(outcomes: Sequence[Outcome], clusters: Mapping[str, str] | None = None) -> str:
    file = StringIO()
    print_tables(groups(outcomes, clusters), file)
    return file.getvalue()


def test_print_tables_fit_and_follow_sections() -> None:
    text = printed(OUTCOMES)
    assert max(map(len, text.split("\n"))) <= 100
    titles = [line.strip() for line in text.split("\n") if line.strip() in set(tables())]
    assert titles == list(tables())
    assert "…" not in text
    assert "800 (2)" in text


def test_print_tables_leave_out_what_has_no_value() -> None:
    text = printed([outcome(answer(says("Dogs bark.")), question("a")), outcome(refusal(), ABSENT)])
    for absent in ("tokens", "first words", "list", "completeness"):
        assert absent not in text
    retrieval = text[text.index("Retrieval") : text.index("Refusals")]
    assert "fact" in retrieval
    assert "absent" not in retrieval
    assert "absent" in text[text.index("Refusals") :]
    only = printed([outcome(refusal(), ABSENT)])
    assert "Retrieval" not in only
    assert "Citations" not in only
    assert "Refusals" in only


def test_print_tables_only_errors_prints_no_table() -> None:
    text = printed([OUTCOMES[-1]])
    assert text.count("\n") == 2
    assert "1 of 1 questions ended with an error" in text


def test_print_model_has_tokens_and_first_words() -> None:
    file = StringIO()
    print_model("openai-like/tiny[b]", "127.0.0.1:8080", groups(OUTCOMES)[0], file)
    assert file.getvalue().splitlines() == [
        "Language model: openai-like/tiny[b] at 127.0.0.1:8080",
        "  prompt: 800 tokens, mean",
        "  answer: 20 tokens, mean",
        "  first words after: 1.000 seconds, median",
        "",
    ]


def test_print_model_that_was_never_called_has_no_cost() -> None:
    file = StringIO()
    print_model("ollama/tiny", "localhost", groups([outcome(refusal(), ABSENT)])[0], file)
    assert file.getvalue() == "Language model: ollama/tiny at localhost\n\n"


def test_print_runs_long_names_keep_all_values() -> None:
    figures = {name: Estimate(168, 0, 0.77, 0.7, 0.83) for name in MAIN_METRICS}
    group = Group("overall", "overall", 168, 0, figures)
    out = StringIO()
    print_runs(
        [("top_k-3", group), ("openai-like-a-model-with-a-name_top_k-3_threshold-0.5", group)], out
    )
    assert out.getvalue().count("[0.70, 0.83]") == 2 * 5
    assert out.getvalue().count("[0.700, 0.830]") == 2
    assert max(map(len, out.getvalue().splitlines())) <= 120
