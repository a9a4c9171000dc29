"""BEIR folders: documents relevant as a whole, by grade."""

from pathlib import Path

import pytest

from eval.formats import ImportOptions, read
from qa.errors import QuestionFileError
from tests.eval.formats.fixtures import ODD, mistakes, put, put_lines, reads_back

HEADER = "query-id\tcorpus-id\tscore\n"
QRELS = f"{HEADER}q1\td1\t2\r\nq1\t../d2\t1\nq1\td3\t0\nq2\td4\t1\nq3\td1\t-1\nq9\td1\t1\nq2\td5\t1.0\n\n"


def folder(path: Path, qrels: str = QRELS, name: str = "test") -> Path:
    put_lines(
        path / "corpus.jsonl",
        {"_id": "d1", "title": "Cats", "text": f"Cats sleep.\r\n{ODD}", "metadata": {"url": "x"}},
        {"_id": "../d2", "title": "", "text": "Dogs bark."},
        {"_id": "d3", "title": "Only a title", "text": ""},
        {"_id": "d4", "title": None, "text": "\x00 "},
        {"_id": "d5", "text": "Dogs bark."},
        {"_id": "D1", "title": "Cats", "text": "Cats purr."},
    )
    put_lines(
        path / "queries.jsonl",
        {"_id": "q1", "text": "what do\ncats do"},
        {"_id": "q2", "text": "dogs", "metadata": {}},
        {"_id": "q3", "text": "birds"},
        {"_id": 4, "text": "fish"},
    )
    put(path / "qrels" / f"{name}.tsv", qrels)
    return path


def test_documents_are_named_by_id_and_queries_have_their_grades(tmp_path: Path) -> None:
    found = reads_back(read("beir", folder(tmp_path / "set"), ImportOptions()), tmp_path)
    assert [(each.name, each.source, each.title, each.text) for each in found.documents] == [
        ("d1.txt", "beir/d1.txt", "Cats", f"Cats sleep.\n{ODD}"),
        ("_d2.txt", "beir/_d2.txt", "../d2", "Dogs bark."),
        ("d3.txt", "beir/d3.txt", "Only a title", "Only a title"),
        ("D1-2.txt", "beir/D1-2.txt", "Cats", "Cats purr."),
    ]
    told = [
        (each.id, each.question, each.kind, each.relevant, each.split) for each in found.questions
    ]
    assert told == [
        ("q1", "what do\ncats do", "several-documents", {"d1.txt": 2, "_d2.txt": 1}, "test"),
        ("q2", "dogs", "one-document", {"_d2.txt": 1}, "test"),
    ]
    assert all(
        each.answerable and not each.answers and not each.evidence for each in found.questions
    )
    assert found.notes == (
        "Questions left out, no document is judged relevant, so the answer is unknown: 2 (q3, 4).",
        "Blank documents, left out: 1.",
        "Texts that another document already has, kept only there: 1.",
        "Judgements of blank documents, left out: 1.",
        "Queries with judgements that the file of queries lacks: 1.",
    )


def test_several_files_of_judgements_are_chosen_from(tmp_path: Path) -> None:
    path = folder(tmp_path / "set")
    put(path / "qrels" / "train.tsv", "q2\td1\t1\n")
    for wanted in ("train", "train.tsv"):
        found = read("beir", path, ImportOptions(qrels=wanted))
        assert [(each.id, each.relevant, each.split) for each in found.questions] == [
            ("q2", {"d1.txt": 1}, "dev")
        ]
    for wanted, told in [
        ("", "has several files of judgements"),
        ("../qrels/test", r"has no judgements '\.\./qrels"),
    ]:
        with pytest.raises(QuestionFileError, match=rf"{told}.*Choose: --qrels test\|train"):
            read("beir", path, ImportOptions(qrels=wanted))


def test_all_mistakes_are_told_at_once_with_line_numbers(tmp_path: Path) -> None:
    path = folder(
        tmp_path / "set",
        f"{HEADER}q1\tnone\t1\nq1\tnone\t0\nq1 d1 1\nq1\td1\thigh\nq1\td1\t0.5\nq1\td1\tinf\n",
    )
    with (path / "corpus.jsonl").open("ab") as file:
        file.write(b'{"_id": "d1", "text": "Again."}\n{"text": 7}\nnonsense\n')
    with (path / "queries.jsonl").open("ab") as file:
        file.write(b'{"_id": "q1", "text": "Again."}\n{"_id": true}\n')
    told = mistakes("beir", path)
    assert told == [
        "corpus.jsonl line 7: an earlier line has the \"_id\" 'd1' too",
        'corpus.jsonl line 8: "_id" is missing',
        'corpus.jsonl line 8: "text" must be a text',
        "corpus.jsonl line 9: invalid JSON: Expecting value: line 1 column 1 (char 0)",
        "queries.jsonl line 5: an earlier line has the \"_id\" 'q1' too",
        'queries.jsonl line 6: "_id" must be a text that is not empty, or a whole number',
        'queries.jsonl line 6: "text" is missing',
        "test.tsv line 2: there is no document 'none'",
        "test.tsv line 4: must be query-id, corpus-id, score, with tabs between them",
        "test.tsv line 5: the grade must be a whole number, not 'high'",
        "test.tsv line 6: the grade must be a whole number, not '0.5'",
        "test.tsv line 7: the grade must be a whole number, not 'inf'",
    ]


def test_a_folder_that_lacks_a_file_says_which(tmp_path: Path) -> None:
    with pytest.raises(QuestionFileError, match=r"qrels holds no file of judgements"):
        read("beir", tmp_path, ImportOptions())
    path = folder(tmp_path / "set")
    (path / "corpus.jsonl").unlink()
    with pytest.raises(QuestionFileError, match=r"corpus\.jsonl cannot be read"):
        read("beir", path, ImportOptions())
