"""Public question sets become questions over passages, each with a part: to train on, to fit on, or to report on.

The sets are not part of the project. `SOURCES` names the files below the data folder and where anyone gets them; the
licences are in docs/model_card.md.
"""

import csv
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Literal

from qa.errors import DocumentError
from qa.types import Span

Part = Literal["train", "fit", "report"]
FIT_EVERY, FIT_AT = 8, 2
"""Of the groups of a source in order, the third and every eighth after it are for fitting the combination."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question over a passage; no `answers`: the passage does not answer it."""

    source: str
    group: str
    """The article, or what stands for it: parts are never cut inside one."""
    question: str
    context: str
    answers: tuple[Span, ...]
    region: bool = False
    """Whether the answers are sentences, in which the words that answer lie somewhere."""
    retold: bool = False
    """Whether it is an easier version of another question's passage: trained on, and left out of the other parts."""
    part: Part = "train"


@dataclass(frozen=True, slots=True)
class Source:
    """A set: its files, how they are read, and which groups are kept for reporting."""

    files: tuple[str, ...]
    read: Callable[[Path], Iterable[Asked]]
    address: str
    """Its repository on GitHub."""
    report_every: int | None = 8
    """Of the groups in order, every how many-th is kept for figures; None: all of it is trained on."""


def read_sources(data: Path) -> dict[str, list[Asked]]:
    """By the source's name, its questions with their parts. Raises DocumentError when a file is missing."""
    missing = [
        f"{file} (GitHub: {source.address})"
        for source in SOURCES.values()
        for file in source.files
        if not (data / file).is_file()
    ]
    if missing:
        raise DocumentError(
            f"Below {data} there is no {', no '.join(missing)}. Fetch them; see docs/model_card.md."
        )
    found = {
        name: list(
            _parted(
                [asked for file in source.files for asked in source.read(data / file)],
                source.report_every,
            )
        )
        for name, source in SOURCES.items()
    }
    return _without_leaks(found)


def _parted(asked: list[Asked], report_every: int | None) -> Iterator[Asked]:
    places = {group: place for place, group in enumerate(sorted({one.group for one in asked}))}
    for one in asked:
        part = _part(places[one.group], report_every)
        if part == "train" or not one.retold:
            yield replace(one, part=part)


def _part(place: int, report_every: int | None) -> Part:
    if report_every and place % report_every == 0:
        return "report"
    return "fit" if report_every and place % FIT_EVERY == FIT_AT else "train"


def _without_leaks(found: dict[str, list[Asked]]) -> dict[str, list[Asked]]:
    """Leaves out what would be trained on although another source keeps the same passage for figures."""
    kept = {_key(one.context) for rows in found.values() for one in rows if one.part != "train"}
    return {
        name: [one for one in rows if one.part != "train" or _key(one.context) not in kept]
        for name, rows in found.items()
    }


def _key(context: str) -> str:
    return "".join(letter for letter in context.casefold() if letter.isalnum())[:80]


EASIER = ("-Int-", "-Ele-")
"""OneStop tells each article three times; the original is "Adv"."""


def _reading(path: Path) -> Iterator[Asked]:
    """One object a line: `group`, `question`, `context`, `answers` with `text` and `start`, `label`."""
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        spans = tuple(Span(a["start"], a["start"] + len(a["text"])) for a in row["answers"])
        retold = any(level in row["id"] for level in EASIER)
        yield Asked(
            path.stem,
            row["group"],
            row["question"],
            row["context"],
            spans,
            row["label"] == "sentence",
            retold,
        )


def _squad(path: Path) -> Iterator[Asked]:
    for article in json.loads(path.read_text(encoding="utf-8"))["data"]:
        for paragraph in article["paragraphs"]:
            for row in paragraph["qas"]:
                spans = {
                    Span(a["answer_start"], a["answer_start"] + len(a["text"])): None
                    for a in row["answers"]
                }
                yield Asked(
                    "squad2_half",
                    article["title"],
                    row["question"],
                    paragraph["context"],
                    tuple(spans),
                )


def _qed(path: Path) -> Iterator[Asked]:
    """Natural Questions with the sentence and the span that answer (Lamm et al. 2021)."""
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        answers = row["annotation"].get("answer") or []
        spans = tuple(
            Span(a["paragraph_reference"]["start"], a["paragraph_reference"]["end"])
            for a in answers
        )
        if spans:
            yield Asked(
                "qed", row["title_text"], row["question_text"], row["paragraph_text"], spans
            )


def _selqa(path: Path) -> Iterator[Asked]:
    """The sentences of a section, and which of them answer (Jurczyk et al. 2016)."""
    for row in json.loads(path.read_text(encoding="utf-8")):
        joined, spans = _joined(row["candidates"])
        answers = tuple(spans[place] for place in row["answers"])
        yield Asked("selqa", row["article"], row["question"], joined, answers, region=True)


def _joined(pieces: Iterable[str]) -> tuple[str, list[Span]]:
    text, spans = "", []
    for piece in pieces:
        start = len(text) + bool(text)
        text = f"{text} {piece}" if text else piece
        spans.append(Span(start, len(text)))
    return text, spans


QAMR_SENTENCES = "qamr/wiki-sentences.tsv"
QAMR_AROUND = 5
"""Sentences of the same article that stand with the one that answers, as far as it has them."""


def _qamr(path: Path) -> Iterator[Asked]:
    """Questions inside one sentence (Michael et al. 2018); the passage is that sentence among its article's others.

    An assignment asks up to a dozen questions of a sentence; the first two of each are taken.
    """
    tokens = dict(line.split("\t", 1) for line in _lines(path.with_name(Path(QAMR_SENTENCES).name)))
    articles: dict[str, list[str]] = defaultdict(list)
    for key in sorted(tokens, key=lambda key: [int(part) for part in key.split(":")[3:]]):
        articles[_article(key)].append(key)
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    for (key, _), group in groupby(rows, key=lambda row: (row[0], row[2])):
        for row in list(group)[:2]:
            yield _qamr_asked(row, articles[_article(key)], tokens)


def _qamr_asked(row: list[str], article: list[str], tokens: dict[str, str]) -> Asked:
    key, indices = row[0], sorted(int(place) for place in row[6].split())
    at = article.index(key)
    first = max(0, min(at - QAMR_AROUND // 2, len(article) - QAMR_AROUND))
    chosen = article[first : first + QAMR_AROUND]
    plain = [_detokenised(tokens[one].split()) for one in chosen]
    context, spans = _joined(text for text, _ in plain)
    place = chosen.index(key)
    offsets, begin = plain[place][1], spans[place].start
    answer = Span(begin + offsets[indices[0]].start, begin + offsets[indices[-1]].end)
    return Asked(
        "qamr",
        _article(key),
        row[5],
        context,
        (answer,),
        region=len(indices) < indices[-1] - indices[0] + 1,
    )


def _article(key: str) -> str:
    return ":".join(key.split(":")[:3])


_BRACKETS = {
    "-LRB-": "(",
    "-RRB-": ")",
    "-LSB-": "[",
    "-RSB-": "]",
    "-LCB-": "{",
    "-RCB-": "}",
    "``": "“",
    "''": "”",
}
_NO_SPACE_BEFORE = frozenset(".,;:?!)]}%”") | {"'s", "n't", "'re", "'ve", "'ll", "'d", "'m", "'"}
_NO_SPACE_AFTER = frozenset("([{$£€“#")


def _detokenised(words: list[str]) -> tuple[str, list[Span]]:
    """Penn Treebank tokens as a text, and where in it each token stands."""
    text, spans, open_before = "", [], True
    for raw in words:
        word = _BRACKETS.get(raw, raw)
        if text and not open_before and word not in _NO_SPACE_BEFORE:
            text += " "
        spans.append(Span(len(text), len(text) + len(word)))
        text += word
        open_before = word in _NO_SPACE_AFTER
    return text, spans


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def _of_reading(name: str, address: str, report_every: int | None = 8) -> Source:
    return Source((f"reading/{name}.jsonl",), _reading, address, report_every)


SOURCES: dict[str, Source] = {
    "squad2_half": Source(("squad2_half/dev-v2.0.json",), _squad, "chrischute/squad", 4),
    "squad_train_a": _of_reading("squad_train_a", "tomhosking/aqleaderboard"),
    "squad_train_b": _of_reading("squad_train_b", "sayondutta/Dynamic-Coattention-Network", None),
    "squad_train_d": _of_reading("squad_train_d", "liweijiang/QASystem", None),
    "squad2_train_unanswerable": _of_reading(
        "squad2_train_unanswerable", "antest1/SQuAD2-CR", None
    ),
    "squadshifts_new_wiki": _of_reading("squadshifts_new_wiki", "modestyachts/squadshifts-website"),
    "squadshifts_reddit": _of_reading(
        "squadshifts_reddit", "modestyachts/squadshifts-website", None
    ),
    "nq_oracle": _of_reading("nq_oracle", "nelson-liu/lost-in-the-middle"),
    "onestop_news": _of_reading("onestop_news", "berzak/onestop-qa", 4),
    "qadiscourse_wikinews": _of_reading("qadiscourse_wikinews", "ValentinaPy/QADiscourse", None),
    "fairytale": _of_reading("fairytale", "uci-soe/FairytaleQAData"),
    "multispan_list": _of_reading("multispan_list", "haonan-li/MultiSpanQA"),
    "qed": Source(("qed/qed-dev.jsonlines",), _qed, "google-research-datasets/QED", None),
    "selqa": Source(("selqa/ass-dev.json", "selqa/ass-test.json"), _selqa, "emorynlp/selqa", None),
    "qamr": Source(("qamr/dev.tsv", "qamr/test.tsv"), _qamr, "uwnlp/qamr", None),
}
