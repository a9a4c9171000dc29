"""Each measure against another implementation of it, on 1,000 generated cases, the known traps among them."""

import random
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise, permutations, product
from typing import Any

import ir_measures
import numpy as np
import pyndeval
import pytest
import torch
from ir_measures import RR, R, Success, nDCG
from sklearn.metrics import precision_recall_fscore_support
from torchmetrics.functional.classification import binary_calibration_error
from torchmetrics.functional.text import rouge_score, squad

from eval.dataset import DocumentSpan, Gold
from eval.metrics.answers import answer_f1, exact_match, rouge_l
from eval.metrics.citations import (
    citation_f1,
    citation_precision,
    citation_recall,
    cited_quote_f1,
    cited_quote_precision,
    cited_quote_recall,
)
from eval.metrics.confidence import (
    auroc,
    weighted_calibration_error,
    weighted_risk_coverage,
)
from eval.metrics.example import Example
from eval.metrics.refusal import weighted_refusal_f1
from eval.metrics.retrieval import DEPTHS, hit, ndcg, recall, reciprocal_rank
from qa.types import Document, Passage, RankedPassage, Span, Why
from tests.eval.fakes import answer, cite, document, question, refusal, says

CASES = 1_000
SEEDS = range(CASES)
LONG = document("abcdefghij" * 12, "long.txt")
OTHER = document("klmnopqrst" * 6, "other.txt")
Ranked = Sequence[RankedPassage]


def tiles(drawn: random.Random, of: Document) -> list[Passage]:
    """A document cut at random offsets: some of the passages are as short as a letter."""
    cuts = sorted(drawn.sample(range(1, len(of.text)), drawn.randint(0, 9)))
    return [
        Passage(of, Span(start, end))
        for start, end in zip([0, *cuts], [*cuts, len(of.text)], strict=True)
    ]


def spans(drawn: random.Random, most: int) -> list[DocumentSpan]:
    """One or more spans, which may overlap."""
    found = []
    for _ in range(drawn.randint(1, most)):
        of = drawn.choice([LONG, OTHER])
        start = drawn.randrange(len(of.text) - 1)
        found.append(
            (of.name, Span(start, drawn.randint(start + 1, min(len(of.text), start + 40))))
        )
    return found


def quotes(drawn: random.Random, most: int) -> list[Gold]:
    """One or more quotes, some of them with several spans."""
    return [
        tuple(spans(drawn, 3)) if drawn.random() < 0.3 else (span,) for span in spans(drawn, most)
    ]


def ranked(drawn: random.Random, passages: Sequence[Passage]) -> list[RankedPassage]:
    """Some of them in random order, most of them with equal scores."""
    chosen = drawn.sample(passages, drawn.randint(0, min(12, len(passages))))
    return [RankedPassage(one, drawn.choice([0.5, 1.0]), Why(1, None, 0.5)) for one in chosen]


def letters(document_span: DocumentSpan) -> set[tuple[str, int]]:
    name, span = document_span
    return {(name, offset) for offset in range(span.start, span.end)}


def half_shared(first: DocumentSpan, second: DocumentSpan) -> bool:
    both = letters(first) & letters(second)
    return len(both) >= min(len(letters(first)), len(letters(second))) / 2


def shares_any(span: DocumentSpan, quote: Gold) -> bool:
    return any(half_shared(span, quote_span) for quote_span in quote)


def holders(example: Example) -> Iterator[tuple[int, list[int]]]:
    """Each quote with the ranks of all passages that hold it, from 0."""
    read_spans = [(one.passage.document.name, one.passage.span) for one in example.answer.passages]
    for number, quote in enumerate(example.gold):
        yield number, [rank for rank, span in enumerate(read_spans) if shares_any(span, quote)]


@pytest.fixture(scope="module")
def quoted() -> dict[str, Example]:
    """Questions with quotes, by id."""
    found = {}
    for seed in SEEDS:
        drawn = random.Random(seed)
        passages = ranked(drawn, [*tiles(drawn, LONG), *tiles(drawn, OTHER)])
        found[f"q{seed:04}"] = Example(question(), quotes(drawn, 4), answer(passages=passages), {})
    return found


def in_order(examples: dict[str, Example]) -> list[tuple[str, str, float]]:
    """The rankings with scores that fall from rank to rank, which leaves the references no ties to break."""
    return [
        (key, f"p{rank}", -float(rank))
        for key, example in examples.items()
        for rank in range(len(example.answer.passages))
    ]


def calculated(measures: Iterable[Any], qrels: Any, run: Any) -> dict[tuple[str, str], float]:
    """By question id and measure, as trec_eval has it."""
    found = ir_measures.iter_calc(list(measures), qrels, run)
    return {(one.query_id, str(one.measure)): one.value for one in found}


def test_recall_and_ndcg_of_quotes_same_as_ndeval(quoted: dict[str, Example]) -> None:
    qrels = [
        pyndeval.SubtopicQrel(key, str(number), passage, 1)
        for key, example in quoted.items()
        for number, ranks in holders(example)
        for passage in [*(f"p{rank}" for rank in ranks), f"not read {number}"]
    ]
    # What ndeval gives for alpha-DCG@1 is not divided by the ideal: there is nDCG-IA, below.
    names = [
        *(f"strec@{depth}" for depth in DEPTHS),
        *(f"alpha-DCG@{depth}" for depth in DEPTHS if depth > 1),
    ]
    theirs = pyndeval.ndeval(
        qrels, [pyndeval.ScoredDoc(*one) for one in in_order(quoted)], names, alpha=1.0
    )
    read = {key for key, example in quoted.items() if example.answer.passages}
    assert theirs.keys() == read
    assert len(read) > 0.9 * CASES
    for key, example in quoted.items():
        for depth in DEPTHS:
            expected = theirs[key][f"strec@{depth}"] if key in read else 0
            assert recall(example, depth) == pytest.approx(expected), key
            if depth > 1:
                expected = theirs[key][f"alpha-DCG@{depth}"] if key in read else 0
                assert ndcg(example, depth) == pytest.approx(expected), key


def test_ndcg_of_quotes_is_mean_over_quotes(quoted: dict[str, Example]) -> None:
    """nDCG-IA: only the first passage that holds a quote is relevant to it."""
    qrels = [
        ir_measures.Qrel(f"{key} {number}", f"p{ranks[0]}" if ranks else "not read", 1)
        for key, example in quoted.items()
        for number, ranks in holders(example)
    ]
    run = [
        ir_measures.ScoredDoc(f"{key} {number}", passage, score)
        for key, passage, score in in_order(quoted)
        for number in range(len(quoted[key].gold))
    ]
    theirs = calculated([nDCG @ depth for depth in DEPTHS], qrels, run)
    for (key, example), depth in product(quoted.items(), DEPTHS):
        each = [theirs[f"{key} {number}", f"nDCG@{depth}"] for number in range(len(example.gold))]
        assert ndcg(example, depth) == pytest.approx(np.mean(each)), key


def test_hit_and_rank_of_quotes_same_as_trec_eval(quoted: dict[str, Example]) -> None:
    qrels = {
        key: {"not read": 1} | {f"p{rank}": 1 for _, ranks in holders(example) for rank in ranks}
        for key, example in quoted.items()
    }
    run = [ir_measures.ScoredDoc(*one) for one in in_order(quoted)]
    theirs = calculated([RR, *(Success @ depth for depth in DEPTHS)], qrels, run)
    for key, example in quoted.items():
        assert reciprocal_rank(example) == pytest.approx(theirs[key, "RR"]), key
        assert [hit(example, depth) for depth in DEPTHS] == [
            theirs[key, f"Success@{depth}"] for depth in DEPTHS
        ], key


def graded(seed: int) -> Example:
    """Some documents with grades, of which not all were read, and passages of those and of others without one."""
    drawn = random.Random(seed)
    library = [document("x" * 30, f"d{number}") for number in range(12)]
    grades = {one.name: drawn.randint(1, 3) for one in drawn.sample(library, drawn.randint(1, 6))}
    passages = [Passage(of, Span(start, start + 10)) for of in library for start in (0, 10, 20)]
    asked = question(evidence=[], answers=[], relevant=grades)
    return Example(asked, (), answer(passages=ranked(drawn, passages)), {})


def test_retrieval_of_documents_same_as_trec_eval() -> None:
    examples = {f"q{seed:04}": graded(seed) for seed in SEEDS}
    qrels = {key: dict(example.question.relevant) for key, example in examples.items()}
    run: dict[str, dict[str, float]] = {key: {} for key in examples}
    for key, example in examples.items():
        for rank, one in enumerate(example.answer.passages):
            run[key].setdefault(one.passage.document.name, -float(rank))
    theirs = calculated(
        [RR, *(measure @ depth for measure in (nDCG, R, Success) for depth in DEPTHS)], qrels, run
    )
    for key, example in examples.items():
        assert reciprocal_rank(example) == pytest.approx(theirs[key, "RR"]), key
        for depth in DEPTHS:
            found = (ndcg(example, depth), recall(example, depth), hit(example, depth))
            expected = [theirs[key, f"{name}@{depth}"] for name in ("nDCG", "R", "Success")]
            assert found == pytest.approx(expected), (key, depth)


WORDS = [
    "dog",
    "Dogs",
    "DOG,",
    "the",
    "an",
    "a",
    "“cat”",
    "cat's",
    "running",
    "runs",
    "5",
    "5%",
    "1,000",
    "été",
    "—",
]


def spoken(drawn: random.Random, most: int) -> str:
    """A few words out of few, so that many are said several times."""
    return " ".join(drawn.choices(WORDS, k=drawn.randint(0, most)))


def said(seed: int) -> Example:
    """An answer or a refusal, and some accepted answers, none of which is without a word."""
    drawn = random.Random(seed)
    accepted = [
        f"{spoken(drawn, 3)} {drawn.choice(['dog', 'cat', 'runs'])}"
        for _ in range(drawn.randint(1, 3))
    ]
    given = refusal() if drawn.random() < 0.1 else answer(says(spoken(drawn, 6)))
    return Example(question(answers=accepted), (), given, {})


def text_of(example: Example) -> str:
    return "" if example.answer.abstained else example.answer.text


def test_exact_match_and_f1_same_as_torchmetrics() -> None:
    values = set()
    for example in map(said, SEEDS):
        accepted = list(example.question.answers)
        theirs = squad(
            [{"prediction_text": text_of(example), "id": "q"}],
            [{"answers": {"text": accepted, "answer_start": [0] * len(accepted)}, "id": "q"}],
        )
        found = (exact_match(example), answer_f1(example))
        expected = [float(theirs["exact_match"]) / 100, float(theirs["f1"]) / 100]
        assert found == pytest.approx(expected, abs=1e-6), (accepted, text_of(example))
        values.add(found)
    assert len(values) > 10


def test_rouge_l_same_as_torchmetrics() -> None:
    for example in map(said, SEEDS):
        theirs = rouge_score(
            text_of(example).replace("1,000", "1000"),
            [[accepted.replace("1,000", "1000") for accepted in example.question.answers]],
            accumulate="best",
            use_stemmer=True,
            rouge_keys="rougeL",
        )
        expected = float(theirs["rougeL_fmeasure"])
        assert rouge_l(example) == pytest.approx(expected, abs=1e-6), (
            example.question.answers,
            text_of(example),
        )


def citing(seed: int, several_spans: bool = False) -> Example:
    """An answer that cites some spans, near the gold ones or not, perhaps none; or a refusal."""
    drawn = random.Random(seed)
    quoted = quotes(drawn, 3) if several_spans else [(span,) for span in spans(drawn, 3)]
    gold = [span for quote in quoted for span in quote]
    near = [
        (name, Span(max(0, span.start + drawn.randint(-9, 9)), span.end + drawn.randint(0, 9)))
        for name, span in drawn.choices(gold, k=drawn.randint(0, 3))
    ]
    library = {one.name: one for one in (LONG, OTHER)}
    cited_spans = [
        (name, span) for name, span in [*near, *spans(drawn, 2)] if span.start < span.end
    ] * drawn.randint(0, 2)
    sentences = [says("", cite(span.start, span.end, library[name])) for name, span in cited_spans]
    return Example(
        question(), quoted, answer(*sentences) if drawn.random() < 0.9 else refusal(), library
    )


@pytest.mark.slow
def test_citation_metrics_same_as_scikit_learn() -> None:
    for seed, example in enumerate(map(citing, SEEDS)):
        citations = [one for sentence in example.answer.sentences for one in sentence.citations]
        found = [letters((one.document, Span(one.start, one.end))) for one in citations]
        gold = [letters(span) for (span,) in example.gold]
        every = set().union(*found, *gold)
        labels = [any(at in quote for quote in gold) for at in every]
        marked = [any(at in one for one in found) for at in every]
        precision, recalled, f1, _ = precision_recall_fscore_support(
            labels, marked, average="binary", zero_division=np.nan
        )
        assert citation_precision(example) == (
            None if np.isnan(precision) else pytest.approx(precision)
        ), seed
        assert citation_recall(example) == pytest.approx(recalled), seed
        assert citation_f1(example) == pytest.approx(f1), seed


def test_cited_quote_metrics_same_letter_by_letter() -> None:
    for seed in SEEDS:
        example = citing(seed, several_spans=True)
        citations = [one for sentence in example.answer.sentences for one in sentence.citations]
        cited_spans = {(one.document, Span(one.start, one.end)) for one in citations}
        right = [any(shares_any(span, quote) for quote in example.gold) for span in cited_spans]
        held = [any(shares_any(span, quote) for span in cited_spans) for quote in example.gold]
        precision = np.mean(right) if right else None
        assert cited_quote_precision(example) == (
            None if precision is None else pytest.approx(precision)
        ), seed
        assert cited_quote_recall(example) == pytest.approx(np.mean(held)), seed
        harmonic = 2 / (1 / np.mean(right) + 1 / np.mean(held)) if any(held) else 0
        assert cited_quote_f1(example) == pytest.approx(harmonic), seed


def weighed(
    seed: int, most: int
) -> tuple[np.random.Generator, np.ndarray[Any, np.dtype[np.int64]]]:
    """How often each of some questions is drawn; at least one is."""
    drawn = np.random.default_rng(seed)
    weights = drawn.integers(0, 3, size=int(drawn.integers(1, most + 1)))
    weights[0] += not weights.any()
    return drawn, weights


def some(drawn: np.random.Generator, n: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    """0 and 1; often all the same."""
    share = float(drawn.choice([0, 0.3, 0.7, 1]))
    return (drawn.random(n) < share).astype(np.float64)


@pytest.mark.slow
def test_refusal_f1_same_as_scikit_learn() -> None:
    undefined = 0
    for seed in SEEDS:
        drawn, weights = weighed(seed, 12)
        refused, unanswerable = some(drawn, len(weights)), some(drawn, len(weights))
        *_, expected, _ = precision_recall_fscore_support(
            *(unanswerable, refused), sample_weight=weights, average="binary", zero_division=np.nan
        )
        found = weighted_refusal_f1(weights[None].astype(float), refused, unanswerable)
        assert found == pytest.approx([expected], nan_ok=True), seed
        undefined += bool(np.isnan(expected))
    assert 0 < undefined < CASES / 2


@pytest.mark.slow
def test_auroc_is_share_of_ordered_pairs() -> None:
    """Ties count half."""
    for seed in SEEDS:
        drawn = random.Random(seed)
        positive, negative = (
            drawn.choices([0.0, 0.25, 0.5, 0.75, 1.0], k=drawn.randint(1, 12)) for _ in range(2)
        )
        right = sum(
            1.0 if high > low else 0.5 if high == low else 0.0
            for high in positive
            for low in negative
        )
        assert auroc(positive, negative) == pytest.approx(right / (len(positive) * len(negative)))
    assert auroc([0.5], []) is None
    assert auroc([], [0.5]) is None


def area(risks: Sequence[float]) -> float:
    """Under the risk-coverage curve of these, the most confident first."""
    return float(np.mean([np.mean(risks[:count]) for count in range(1, len(risks) + 1)]))


def test_risk_coverage_is_mean_over_orders_of_equals() -> None:
    ties = 0
    for seed in SEEDS:
        drawn, weights = weighed(seed, 3)
        confidences, risks = (
            drawn.choice([0.2, 0.9], len(weights)),
            drawn.choice([0, 0.5, 1], len(weights)),
        )
        each = [
            (confidences[at], risks[at]) for at in range(len(weights)) for _ in range(weights[at])
        ]
        orders = [one for one in permutations(each) if all(a[0] >= b[0] for a, b in pairwise(one))]
        expected = np.mean([area([risk for _, risk in order]) for order in orders])
        assert weighted_risk_coverage(
            weights[None].astype(float), confidences, risks
        ) == pytest.approx([expected]), seed
        ties += len(set(orders)) > 1
    assert ties > 100


def test_risk_coverage_without_ties_by_definition() -> None:
    for seed in range(100):
        drawn = np.random.default_rng(seed)
        confidences, risks = drawn.permutation(200) / 200, some(drawn, 200)
        expected = area(list(risks[np.argsort(-confidences)]))
        assert weighted_risk_coverage(np.ones((1, 200)), confidences, risks) == pytest.approx(
            [expected]
        )


def test_calibration_error_same_as_torchmetrics() -> None:
    for seed in SEEDS:
        drawn, weights = weighed(seed, 40)
        # Between the bins' ends: at 1 torchmetrics has a bin of its own.
        confidences, answerable = (
            drawn.integers(0, 64, len(weights)) / 64 + 1 / 128,
            some(drawn, len(weights)),
        )
        given = (
            torch.tensor(np.repeat(confidences, weights)),
            torch.tensor(np.repeat(answerable, weights)).int(),
        )
        expected = float(binary_calibration_error(*given, n_bins=10, norm="l1"))
        found = weighted_calibration_error(weights[None].astype(float), confidences, answerable)
        assert found == pytest.approx([expected], abs=1e-6), seed


def test_set_metrics_resamples_same_as_one_by_one() -> None:
    drawn = np.random.default_rng(1)
    weights, confidences = (
        drawn.integers(0, 4, (50, 30)).astype(float),
        drawn.choice([0.1, 0.5, 0.8], 30),
    )
    labels = some(drawn, 30)
    for figure in (weighted_risk_coverage, weighted_calibration_error, weighted_refusal_f1):
        together = figure(weights, confidences, labels)
        assert together == pytest.approx(
            [figure(one[None], confidences, labels)[0] for one in weights]
        )
