"""Fits the reader's two models on public questions: `python -m qa.fit --data FOLDER`.

FOLDER holds `squad2_half/dev-v2.0.json` (SQuAD 2.0, half of its development articles) and `reading/*.jsonl`
(SQuAD 1.1, SquadShifts New Wikipedia, OneStop news), one object a line: `group`, `question`, `context`, `answers`
with `text` and `start`. Paragraphs of one article are put together to a document of the length of a news article;
a question asked of another document of its article is one that the document does not answer.
"""

import argparse
import json
import logging
import random
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from qa.chunking import split
from qa.config import PACKAGED_EMBEDDING
from qa.embedding import Embedder, Encoding, SentenceTransformerEmbedder, Vectors
from qa.index import embedded_text
from qa.reader import Weights, sureness
from qa.retrieval import Library, retrieve
from qa.signals import NAMES, Row, signals, understand
from qa.types import Document, Span

SEED = 20
PARAGRAPHS = 12
"""Paragraphs in a document, about as many as in a news article."""
READ = 8
READING = ("squad_train_a", "squadshifts_new_wiki", "onestop_news")
EASIER = ("-Int-", "-Ele-")
"""OneStop tells each article three times; only the original ("Adv") is read."""
MOST_DOCUMENTS = 100
MOST_QUESTIONS = 30
"""Taken from a document."""
HELD_OUT = 4
"""Every fourth article is for the figures, not for the fit."""
_log = logging.getLogger("qa.fit")


@dataclass(frozen=True, slots=True)
class Case:
    """A question read over a document: a row of signals a sentence, and which sentences answer."""

    source: str
    held_out: bool
    rows: NDArray[np.float64]
    right: NDArray[np.bool_]
    answered: bool


@dataclass(frozen=True, slots=True)
class _Paragraph:
    context: str
    questions: tuple[dict[str, Any], ...]


def main() -> int:
    """Fits, writes the weights, prints the held-out figures."""
    parser = argparse.ArgumentParser(prog="python -m qa.fit", description="Fit the reader on public questions.")
    parser.add_argument("--data", type=Path, required=True, help="the folder with squad2_half/ and reading/")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("reader.json"))
    options = parser.parse_args()
    _log.setLevel(logging.INFO)
    _log.addHandler(logging.StreamHandler())
    cases = list(_cases(options.data, SentenceTransformerEmbedder(PACKAGED_EMBEDDING)))
    weights = fit([case for case in cases if not case.held_out])
    options.out.write_text(json.dumps(weights, indent=1) + "\n", encoding="utf-8")
    report([case for case in cases if case.held_out], Weights.from_json(weights))
    return 0


def fit(cases: Sequence[Case]) -> dict[str, Any]:
    """The weights, as `Weights.from_json` reads them."""
    found = [case for case in cases if case.right.any()]
    every = np.concatenate([case.rows for case in found])
    mean, scale = every.mean(axis=0), every.std(axis=0) + 1e-9
    rank = _conditional_logit([((case.rows - mean) / scale, case.right) for case in found])
    features = np.stack([sureness(case.rows, ((case.rows - mean) / scale) @ rank) for case in cases])
    sure_mean, sure_scale = features.mean(axis=0), features.std(axis=0) + 1e-9
    model = LogisticRegression(C=0.1, max_iter=2000, class_weight="balanced")
    model.fit((features - sure_mean) / sure_scale, [case.answered for case in cases])
    return {
        "signals": list(NAMES),
        "rank_mean": _rounded(mean),
        "rank_scale": _rounded(scale),
        "rank": _rounded(rank),
        "sure_mean": _rounded(sure_mean),
        "sure_scale": _rounded(sure_scale),
        "sure": _rounded(model.coef_[0]),
        "sure_bias": round(float(model.intercept_[0]), 6),
    }


def report(cases: Sequence[Case], weights: Weights) -> None:
    """Logs, by source, the right sentence first (of those read) and the AUROC of answered against not."""
    ordered = sorted(cases, key=lambda case: case.source)
    for source, group in groupby(ordered, key=lambda case: case.source):
        rows = list(group)
        found = [case for case in rows if case.right.any()]
        first = np.mean([case.right[np.argmax(weights.scores(case.rows))] for case in found])
        _log.info("%s: right sentence first %.3f of %d", source, first, len(found))
        answered = [case.answered for case in rows]
        if len(set(answered)) == 2:
            sure = [weights.confidence(case.rows, weights.scores(case.rows)) for case in rows]
            _log.info("%s: AUROC %.3f of %d", source, roc_auc_score(answered, sure), len(rows))


def _rounded(values: Row) -> list[float]:
    return [round(float(value), 6) for value in values]


def _conditional_logit(cases: Sequence[tuple[NDArray[np.float64], NDArray[np.bool_]]], l2: float = 1e-3) -> Row:
    """Weights under which the right sentences hold most of the probability among those read (McFadden 1974)."""
    rows = np.concatenate([case for case, _ in cases])
    right = np.concatenate([labels for _, labels in cases]).astype(float)
    sizes = [len(case) for case, _ in cases]
    begins = np.cumsum([0, *sizes[:-1]])

    def loss(weights: Row) -> tuple[float, Row]:
        scores = rows @ weights
        odds = np.exp(scores - np.repeat(np.maximum.reduceat(scores, begins), sizes))
        total, good = np.add.reduceat(odds, begins), np.add.reduceat(odds * right, begins)
        slope = odds / np.repeat(total, sizes) - odds * right / np.repeat(good + 1e-12, sizes)
        value = -(np.log(good + 1e-12) - np.log(total)).mean() + l2 * weights @ weights
        return float(value), rows.T @ slope / len(cases) + 2 * l2 * weights

    return np.asarray(minimize(loss, np.zeros(rows.shape[1]), jac=True, method="L-BFGS-B").x)


def _cases(data: Path, embedder: Embedder) -> Iterator[Case]:
    rng = random.Random(SEED)
    for source, articles in _sources(data).items():
        documents = [
            (name, place, paragraphs)
            for place, (name, article) in enumerate(sorted(articles.items()))
            for paragraphs in _batches(article)
        ]
        rng.shuffle(documents)
        chosen = documents[:MOST_DOCUMENTS]
        for name, place, paragraphs in chosen:
            others = [p for other, _, p in documents if other == name and p is not paragraphs]
            yield from _document_cases(source, place % HELD_OUT == 0, name, paragraphs, others, rng, embedder)
        _log.info("%s: %d documents", source, len(chosen))


def _batches(article: Sequence[_Paragraph]) -> Iterator[list[_Paragraph]]:
    for first in range(0, len(article), PARAGRAPHS):
        yield list(article[first : first + PARAGRAPHS])


def _document_cases(
    source: str,
    held_out: bool,
    name: str,
    paragraphs: list[_Paragraph],
    others: list[list[_Paragraph]],
    rng: random.Random,
    embedder: Embedder,
) -> Iterator[Case]:
    text = "\n".join(paragraph.context for paragraph in paragraphs)
    begins = np.cumsum([0] + [len(paragraph.context) + 1 for paragraph in paragraphs])
    asked = [
        (row["question"], [Span(int(b) + a["start"], int(b) + a["start"] + len(a["text"])) for a in row["answers"]])
        for paragraph, b in zip(paragraphs, begins, strict=False)
        for row in paragraph.questions
    ]
    absent: list[tuple[str, list[Span]]] = [
        (row["question"], [])
        for other in others
        for paragraph in other
        for row in paragraph.questions
        if row["answers"] and not any(a["text"].casefold() in text.casefold() for a in row["answers"])
    ]
    rng.shuffle(asked)
    rng.shuffle(absent)
    questions = [*asked[:MOST_QUESTIONS], *absent[: MOST_QUESTIONS // 2]]
    document = Document(name=name, source=f"{name} {text[:40]}", title=name.split(":")[-1].replace("_", " "), text=text)
    yield from _read(source, held_out, document, questions, embedder)


def _read(
    source: str,
    held_out: bool,
    document: Document,
    questions: Sequence[tuple[str, list[Span]]],
    embedder: Embedder,
) -> Iterator[Case]:
    passages = split(document, embedder.count_tokens)
    library = Library.made_of(passages, [document], "")
    encoded = embedder.encode([embedded_text(passage) for passage in passages])
    encodings = {passage.id: encoding for passage, encoding in zip(passages, encoded, strict=True)}
    for (question, gold), encoding in zip(questions, embedder.encode([q for q, _ in questions]), strict=True):
        ranked = retrieve(question, encoding.vector, library, _nearest(encodings), READ)
        inside = [[s for s in library.inside(one.passage) if s.answers] for one in ranked]
        read = [encodings[one.passage.id] for one in ranked]
        rows = signals(understand(question, encoding), ranked, read, inside, library.rarity)
        flat = [row for own in rows for row in own]
        if flat:
            right = [any(_answers(s.span, span) for span in gold) for own in inside for s in own]
            yield Case(source, held_out, np.stack(flat), np.array(right), bool(gold))


def _answers(sentence: Span, gold: Span) -> bool:
    """Whether at least half of the gold span, or of the sentence, is shared."""
    return 2 * sentence.overlap(gold) >= max(1, min(len(sentence), len(gold)))


def _nearest(encodings: dict[str, Encoding]) -> Any:
    keys = list(encodings)
    matrix = np.stack([encodings[key].vector for key in keys])

    def nearest(vector: Vectors, count: int, _: Any) -> list[tuple[str, float]]:
        cosines = matrix @ vector
        return [(keys[place], float(cosines[place])) for place in np.argsort(-cosines)[:count]]

    return nearest


def _sources(data: Path) -> dict[str, dict[str, list[_Paragraph]]]:
    """By source, by article: paragraphs with their questions."""
    missing = [path for path in _files(data) if not path.is_file()]
    if missing:
        sys.exit(f"Missing: {', '.join(map(str, missing))}. See docs/reader.md for where to get them.")
    squad = json.loads(_files(data)[0].read_text(encoding="utf-8"))["data"]
    found = {"squad2_half": {article["title"]: [_squad(p) for p in article["paragraphs"]] for article in squad}}
    for path in _files(data)[1:]:
        articles: dict[str, dict[str, list[dict[str, Any]]]] = {}
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            if any(level in row["id"] for level in EASIER):
                continue
            articles.setdefault(row["group"], {}).setdefault(row["context"].replace("\n", " "), []).append(row)
        found[path.stem] = {
            group: [_Paragraph(context, tuple(rows)) for context, rows in contexts.items()]
            for group, contexts in articles.items()
        }
    return found


def _files(data: Path) -> list[Path]:
    return [data / "squad2_half" / "dev-v2.0.json", *(data / "reading" / f"{name}.jsonl" for name in READING)]


def _squad(paragraph: dict[str, Any]) -> _Paragraph:
    rows = [
        {
            "question": row["question"],
            "answers": [{"text": a["text"], "start": a["answer_start"]} for a in row["answers"]],
        }
        for row in paragraph["qas"]
    ]
    return _Paragraph(paragraph["context"].replace("\n", " "), tuple(rows))


if __name__ == "__main__":
    sys.exit(main())
