"""Reads public question sets as questions over passages, each to train on, fit on or report on.

The sets are not part of the project. `SOURCES` names the files below the data folder and where
anyone gets them; the licences are in docs/model_card.md.
"""

import csv
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any, Literal

from qa.documents.sentences import Sentence, segment
from qa.errors import DocumentError
from qa.types import Document, Span

Part = Literal["train", "fit", "report"]
FIT_EVERY, FIT_REMAINDER = 8, 2
"""Of the groups of a source in order, the third and every eighth after it are fitted on."""
KEY_CHARACTERS = 80
"""Passages whose first letters and digits are the same are the same passage."""


@dataclass(frozen=True, slots=True)
class TrainingQuestion:
    """A question over a passage. Without `answers` the passage does not answer it."""

    source: str
    group: str
    """The article, or what stands for it: all questions of a group are in one part."""
    question: str
    context: str
    """The text of the passage."""
    answers: tuple[Span, ...]
    """Offsets in `context`."""
    region: bool = False
    """Whether the answers are sentences, in which the words that answer lie somewhere."""
    simplified: bool = False
    """Whether the passage is an easier version of another one: used in training only."""
    plausible: tuple[Span, ...] = ()
    """Offsets in `context`, where the passage does not answer: words that a careless reader takes
    for the answer."""
    part: Part = "train"

    @property
    def answer_texts(self) -> list[str]:
        """The words of the answers."""
        return [self.text_of(span) for span in self.answers]

    def text_of(self, span: Span) -> str:
        """Returns the words of a span of the passage."""
        return self.context[span.start : span.end]

    def sentences(self) -> tuple[Sentence, ...]:
        """Returns the sentences of the passage."""
        document = Document(name="", source="", title="", text=self.context)
        return segment(document)


QuestionsBySource = Mapping[str, Sequence[TrainingQuestion]]


@dataclass(frozen=True, slots=True)
class Source:
    """A public set: its files, how they are read, and which groups are for reporting."""

    files: tuple[str, ...]
    read: Callable[[Path], Iterable[TrainingQuestion]]
    repository: str
    """On GitHub."""
    report_every: int | None = 8
    """Of the groups in order, every how many-th is reported on; None: all are trained on."""


def read_sources(data: Path) -> dict[str, list[TrainingQuestion]]:
    """Returns each source's questions, with their parts.

    Raises DocumentError, naming every file that is missing.
    """
    missing = []
    for source in SOURCES.values():
        for file in source.files:
            if not (data / file).is_file():
                missing.append(f"{file} (GitHub: {source.repository})")
    if missing:
        raise DocumentError(
            f"Missing below {data}: {', '.join(missing)}. Download them; see docs/model_card.md."
        )

    questions: dict[str, list[TrainingQuestion]] = {}
    for name, source in SOURCES.items():
        rows: list[TrainingQuestion] = []
        for file in source.files:
            rows += source.read(data / file)
        questions[name] = list(_with_parts(rows, source.report_every))
    return _without_leaks(questions)


def of_part(questions: QuestionsBySource, part: Part) -> dict[str, list[TrainingQuestion]]:
    """Returns each source's questions of one part."""
    chosen = {}
    for name, rows in questions.items():
        chosen[name] = [row for row in rows if row.part == part]
    return chosen


def _with_parts(
    rows: Sequence[TrainingQuestion], report_every: int | None
) -> Iterator[TrainingQuestion]:
    groups = sorted({row.group for row in rows})
    part_of = {}
    for index, group in enumerate(groups):
        part_of[group] = part_of_index(index, report_every)

    for row in rows:
        part = part_of[row.group]
        if part == "train" or not row.simplified:
            yield replace(row, part=part)


def part_of_index(index: int, report_every: int | None) -> Part:
    """Returns the part of the group with this index in the order of a source's groups."""
    if not report_every:
        return "train"
    if index % report_every == 0:
        return "report"
    return "fit" if index % FIT_EVERY == FIT_REMAINDER else "train"


def _without_leaks(
    questions: Mapping[str, list[TrainingQuestion]],
) -> dict[str, list[TrainingQuestion]]:
    """Leaves out training questions over a passage that another source fits or reports on."""
    held_out: set[str] = set()
    for rows in questions.values():
        for row in rows:
            if row.part != "train":
                held_out.add(_passage_key(row.context))

    without_leaks: dict[str, list[TrainingQuestion]] = {}
    for name, rows in questions.items():
        chosen = []
        for row in rows:
            if row.part != "train" or _passage_key(row.context) not in held_out:
                chosen.append(row)
        without_leaks[name] = chosen
    return without_leaks


def _passage_key(context: str) -> str:
    letters = [letter for letter in context.casefold() if letter.isalnum()]
    return "".join(letters)[:KEY_CHARACTERS]


# The readers, one for each format.

SIMPLIFIED_LEVELS = ("-Int-", "-Ele-")
"""OneStop has each article at three levels; the original is "Adv"."""


def _read_prepared(path: Path) -> Iterator[TrainingQuestion]:
    """Reads an object a line: id, group, question, context, answers (text, start) and label."""
    for line in _lines(path):
        row = json.loads(line)
        spans = []
        for answer in row["answers"]:
            start = answer["start"]
            spans.append(Span(start, start + len(answer["text"])))
        simplified = any(level in row["id"] for level in SIMPLIFIED_LEVELS)
        yield TrainingQuestion(
            source=path.stem,
            group=row["group"],
            question=row["question"],
            context=row["context"],
            answers=tuple(spans),
            region=row["label"] == "sentence",
            simplified=simplified,
        )


def _read_squad(path: Path) -> Iterator[TrainingQuestion]:
    """Reads SQuAD 2.0's format (Rajpurkar et al. 2018)."""
    articles = json.loads(path.read_text(encoding="utf-8"))["data"]
    for article in articles:
        for paragraph in article["paragraphs"]:
            for row in paragraph["qas"]:
                yield TrainingQuestion(
                    source="squad2_half",
                    group=article["title"],
                    question=row["question"],
                    context=paragraph["context"],
                    answers=_squad_spans(row["answers"]),
                    plausible=_squad_spans(row.get("plausible_answers", ())),
                )


def _squad_spans(answers: Iterable[Mapping[str, Any]]) -> tuple[Span, ...]:
    """Returns the answers' spans. Annotators who agree count once."""
    spans: dict[Span, None] = {}
    for answer in answers:
        start = answer["answer_start"]
        span = Span(start, start + len(answer["text"]))
        spans[span] = None
    return tuple(spans)


def _read_qed(path: Path) -> Iterator[TrainingQuestion]:
    """Reads Natural Questions with the sentence and the span that answer (Lamm et al. 2021)."""
    for line in _lines(path):
        row = json.loads(line)
        spans = []
        for answer in row["annotation"].get("answer") or []:
            reference = answer["paragraph_reference"]
            spans.append(Span(reference["start"], reference["end"]))
        if spans:
            yield TrainingQuestion(
                source="qed",
                group=row["title_text"],
                question=row["question_text"],
                context=row["paragraph_text"],
                answers=tuple(spans),
            )


def _read_selqa(path: Path) -> Iterator[TrainingQuestion]:
    """Reads the sentences of a section, and which of them answer (Jurczyk et al. 2016)."""
    for row in json.loads(path.read_text(encoding="utf-8")):
        context, sentence_spans = _joined(row["candidates"])
        spans = [sentence_spans[index] for index in row["answers"]]
        yield TrainingQuestion(
            source="selqa",
            group=row["article"],
            question=row["question"],
            context=context,
            answers=tuple(spans),
            region=True,
        )


QAMR_SENTENCES = "wiki-sentences.tsv"
QAMR_CONTEXT = 5
"""Sentences of the article in a passage, with the sentence that answers in their middle."""
QAMR_QUESTIONS = 2
"""Questions taken of an assignment, which asks up to a dozen about one sentence."""


def _read_qamr(path: Path) -> Iterator[TrainingQuestion]:
    """Reads questions about one sentence (Michael et al. 2018).

    The passage is that sentence among others of its article.
    """
    tokens = {}
    for line in _lines(path.with_name(QAMR_SENTENCES)):
        key, words = line.split("\t", 1)
        tokens[key] = words

    def numbers_in_article(key: str) -> list[int]:
        return [int(number) for number in key.split(":")[3:]]

    articles: dict[str, list[str]] = defaultdict(list)
    for key in sorted(tokens, key=numbers_in_article):
        articles[_article(key)].append(key)

    def assignment_of(row: list[str]) -> tuple[str, str]:
        return row[0], row[2]

    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    for (key, _), assignment in groupby(rows, key=assignment_of):
        article = articles[_article(key)]
        for row in list(assignment)[:QAMR_QUESTIONS]:
            yield _qamr_question(row, article, tokens)


def _qamr_question(
    row: list[str], article: list[str], tokens: Mapping[str, str]
) -> TrainingQuestion:
    """Returns a row of QAMR as a question; `article`: the keys of all sentences of its article."""
    key = row[0]
    index_in_article = article.index(key)
    last_first = len(article) - QAMR_CONTEXT
    first = max(0, min(index_in_article - QAMR_CONTEXT // 2, last_first))
    chosen = article[first : first + QAMR_CONTEXT]

    texts = []
    token_spans = []
    for sentence in chosen:
        text, spans = _detokenised(tokens[sentence].split())
        texts.append(text)
        token_spans.append(spans)
    context, sentence_spans = _joined(texts)

    index_in_passage = chosen.index(key)
    sentence_start = sentence_spans[index_in_passage].start
    spans = token_spans[index_in_passage]
    answer_tokens = sorted(int(token) for token in row[6].split())
    first_token, last_token = answer_tokens[0], answer_tokens[-1]
    start = sentence_start + spans[first_token].start
    end = sentence_start + spans[last_token].end
    # An answer of tokens that do not follow each other lies somewhere between first and last.
    has_gaps = len(answer_tokens) < last_token - first_token + 1
    return TrainingQuestion(
        source="qamr",
        group=_article(key),
        question=row[5],
        context=context,
        answers=(Span(start, end),),
        region=has_gaps,
    )


def _article(key: str) -> str:
    return ":".join(key.split(":")[:3])


def _joined(pieces: Iterable[str]) -> tuple[str, list[Span]]:
    """Returns the pieces as one text, with a space between two, and where in it each stands."""
    text = ""
    spans = []
    for piece in pieces:
        if text:
            text += " "
        start = len(text)
        text += piece
        spans.append(Span(start, len(text)))
    return text, spans


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
    """Returns Penn Treebank tokens as a text, and where in it each token stands."""
    text = ""
    spans = []
    space_before = False
    for token in words:
        word = _BRACKETS.get(token, token)
        if space_before and word not in _NO_SPACE_BEFORE:
            text += " "
        start = len(text)
        text += word
        spans.append(Span(start, len(text)))
        space_before = word not in _NO_SPACE_AFTER
    return text, spans


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def prepared_source(name: str, repository: str, report_every: int | None = 8) -> Source:
    """Returns a source whose file is in the one format of `reading/`."""
    return Source((f"reading/{name}.jsonl",), _read_prepared, repository, report_every)


SOURCES: dict[str, Source] = {
    "squad2_half": Source(("squad2_half/dev-v2.0.json",), _read_squad, "chrischute/squad", 4),
    "squad_train_a": prepared_source("squad_train_a", "tomhosking/aqleaderboard"),
    "squad_train_b": prepared_source(
        "squad_train_b", "sayondutta/Dynamic-Coattention-Network", None
    ),
    "squad_train_d": prepared_source("squad_train_d", "liweijiang/QASystem", None),
    "squad2_train_unanswerable": prepared_source(
        "squad2_train_unanswerable", "antest1/SQuAD2-CR", None
    ),
    "squadshifts_new_wiki": prepared_source(
        "squadshifts_new_wiki", "modestyachts/squadshifts-website"
    ),
    "squadshifts_reddit": prepared_source(
        "squadshifts_reddit", "modestyachts/squadshifts-website", None
    ),
    "nq_oracle": prepared_source("nq_oracle", "nelson-liu/lost-in-the-middle"),
    "onestop_news": prepared_source("onestop_news", "berzak/onestop-qa", 4),
    "qadiscourse_wikinews": prepared_source(
        "qadiscourse_wikinews", "ValentinaPy/QADiscourse", None
    ),
    "fairytale": prepared_source("fairytale", "uci-soe/FairytaleQAData"),
    "multispan_list": prepared_source("multispan_list", "haonan-li/MultiSpanQA"),
    "qed": Source(("qed/qed-dev.jsonlines",), _read_qed, "google-research-datasets/QED", None),
    "selqa": Source(
        ("selqa/ass-dev.json", "selqa/ass-test.json"), _read_selqa, "emorynlp/selqa", None
    ),
    "qamr": Source(("qamr/dev.tsv", "qamr/test.tsv"), _read_qamr, "uwnlp/qamr", None),
}
