"""Public sets: parts that share no article, exact spans, and an error that names each file."""

import json
from pathlib import Path
from typing import Any

import pytest

from qa.errors import DocumentError
from qa.training import sources
from qa.training.sources import SOURCES, Source, TrainingQuestion, _detokenised, read_sources


def _row(
    group: str, question: str, context: str, answer: str | None, id: str = "x"
) -> dict[str, Any]:
    answers = [{"text": answer, "start": context.index(answer)}] if answer else []
    return {
        "id": id,
        "group": group,
        "question": question,
        "context": context,
        "answers": answers,
        "label": "span",
        "source": "s",
    }


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two sets of 16 articles; the second one has a passage of the first one's too."""
    folder = tmp_path / "reading"
    folder.mkdir()
    for name in ("one", "two"):
        rows = [
            _row(f"{name}:{n:02}", "Who?", f"Ann number {n} of {name} came.", "Ann")
            for n in range(16)
        ]
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    with (folder / "two.jsonl").open("a") as file:
        file.write(json.dumps(_row("two:99", "Who?", "Ann number 0 of one came.", "Ann")) + "\n")
    monkeypatch.setattr(
        sources,
        "SOURCES",
        {
            name: sources.prepared_source(name, "somewhere", 8 if name == "one" else None)
            for name in ("one", "two")
        },
    )
    return tmp_path


def test_article_is_in_one_part_and_no_passage_leaks(data: Path) -> None:
    found = read_sources(data)
    parts = {name: {asked.group: asked.part for asked in rows} for name, rows in found.items()}
    assert [group for group, part in parts["one"].items() if part == "report"] == [
        "one:00",
        "one:08",
    ]
    assert [group for group, part in parts["one"].items() if part == "fit"] == ["one:02", "one:10"]
    assert set(parts["two"].values()) == {"train"}
    assert "two:99" not in parts["two"]


def test_simplified_passage_is_only_trained_on(data: Path) -> None:
    rows = [
        _row(f"one:{n:02}", "Who?", f"Ann number {n} came.", "Ann", id=f"a-Ele-{n}")
        for n in range(16)
    ]
    (data / "reading" / "one.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert {asked.part for asked in read_sources(data)["one"]} == {"train"}


def test_missing_files_are_named_with_their_repository(tmp_path: Path) -> None:
    with pytest.raises(
        DocumentError, match=r"squad2_half/dev-v2\.0\.json \(GitHub: chrischute/squad\)"
    ):
        read_sources(tmp_path)


def test_readers_give_exact_spans(tmp_path: Path) -> None:
    squad = {
        "qas": [{"question": "Who?", "answers": [{"text": "Ann", "answer_start": 4}] * 2}],
        "context": "See Ann.",
    }
    _write(
        tmp_path / "squad2_half/dev-v2.0.json",
        json.dumps({"data": [{"title": "A", "paragraphs": [squad]}]}),
    )
    selqa = {
        "question": "Who?",
        "article": "A",
        "candidates": ["It rained.", "Ann came."],
        "answers": [1],
    }
    for part in ("dev", "test"):
        _write(tmp_path / f"selqa/ass-{part}.json", json.dumps([selqa]))
    answer = {"paragraph_reference": {"start": 0, "end": 3}}
    qed = {
        "title_text": "A",
        "question_text": "who",
        "paragraph_text": "Ann came .",
        "annotation": {"answer": [answer]},
    }
    _write(tmp_path / "qed/qed-dev.jsonlines", json.dumps(qed))
    _write(
        tmp_path / "qamr/wiki-sentences.tsv",
        "W:w:1:0:1\tAnn 's dog barked .\nW:w:1:0:0\tIt rained .\n",
    )
    for part in ("dev", "test"):
        _write(tmp_path / f"qamr/{part}.tsv", "W:w:1:0:1\t0\t7\t0\t2\tWhat barked?\t2 0 1\t2\t2\n")
    for name in ("squad2_half", "selqa", "qed", "qamr"):
        source = SOURCES[name]
        found = list(source.read(tmp_path / source.files[0]))
        assert [_answers(question) for question in found] == [_EXPECTED[name]], name


_EXPECTED = {"squad2_half": ["Ann"], "selqa": ["Ann came."], "qed": ["Ann"], "qamr": ["Ann's dog"]}


def _answers(question: TrainingQuestion) -> list[str]:
    return [question.context[answer.start : answer.end] for answer in question.answers]


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)


def test_detokenised_text_and_token_spans() -> None:
    text, spans = _detokenised("`` It -LRB- the dog 's -RRB- , '' she said .".split())
    assert text == "“It (the dog's),” she said."
    assert [text[span.start : span.end] for span in spans][:4] == ["“", "It", "(", "the"]


def test_every_source_names_its_files_and_repository() -> None:
    assert all(
        isinstance(source, Source) and source.files and "/" in source.repository
        for source in SOURCES.values()
    )
