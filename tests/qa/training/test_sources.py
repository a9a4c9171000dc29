"""The public sets: parts that share no article, spans that are exact, and what is missing named."""

import json
from pathlib import Path
from typing import Any

import pytest

from qa.errors import DocumentError
from qa.training import sources
from qa.training.sources import SOURCES, Asked, Source, _detokenised, read_sources


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
            name: sources._of_reading(name, "somewhere", 8 if name == "one" else None)
            for name in ("one", "two")
        },
    )
    return tmp_path


def test_an_article_is_in_one_part_only_and_no_kept_passage_is_trained_on(data: Path) -> None:
    found = read_sources(data)
    parts = {name: {asked.group: asked.part for asked in rows} for name, rows in found.items()}
    assert [group for group, part in parts["one"].items() if part == "report"] == [
        "one:00",
        "one:08",
    ]
    assert [group for group, part in parts["one"].items() if part == "fit"] == ["one:02", "one:10"]
    assert set(parts["two"].values()) == {"train"}
    assert "two:99" not in parts["two"]


def test_a_retold_passage_is_only_trained_on(data: Path) -> None:
    rows = [
        _row(f"one:{n:02}", "Who?", f"Ann number {n} came.", "Ann", id=f"a-Ele-{n}")
        for n in range(16)
    ]
    (data / "reading" / "one.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert {asked.part for asked in read_sources(data)["one"]} == {"train"}


def test_every_missing_file_is_named_with_where_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(
        DocumentError, match=r"squad2_half/dev-v2\.0\.json \(GitHub: chrischute/squad\)"
    ):
        read_sources(tmp_path)


def test_squad_selqa_qed_and_qamr_give_exact_spans(tmp_path: Path) -> None:
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
        assert [_told(asked) for asked in found] == [_EXPECTED[name]], name


_EXPECTED = {"squad2_half": ["Ann"], "selqa": ["Ann came."], "qed": ["Ann"], "qamr": ["Ann's dog"]}


def _told(asked: Asked) -> list[str]:
    return [asked.context[answer.start : answer.end] for answer in asked.answers]


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)


def test_treebank_tokens_become_a_text_with_their_places() -> None:
    text, spans = _detokenised("`` It -LRB- the dog 's -RRB- , '' she said .".split())
    assert text == "“It (the dog's),” she said."
    assert [text[span.start : span.end] for span in spans][:4] == ["“", "It", "(", "the"]


def test_every_source_names_its_files_and_address() -> None:
    assert all(
        isinstance(source, Source) and source.files and "/" in source.address
        for source in SOURCES.values()
    )
