"""Tables of questions, with the columns that a person names, over their own documents."""

from pathlib import Path

import pytest

from eval.dataset import check_evidence
from eval.formats import ImportOptions, read
from eval.formats.csv_table import columns
from qa.errors import FootnoteError, QuestionFileError
from tests.eval.formats.fixtures import ODD, mistakes, put, reads_back

ALL = {
    "question": "Q",
    "answers": "A",
    "evidence": "E",
    "documents": "D",
    "id": "Nr",
    "kind": "Sort",
    "group": "Of",
}
PETS = "Cats sleep 16 hours.\nDogs bark\nat night."


def options(folder: Path, named: dict[str, str], separator: str = "") -> ImportOptions:
    put(folder / "own" / "pets.txt", PETS)
    put(folder / "own" / "odd.txt", ODD)
    return ImportOptions(documents=(folder / "own",), columns=named, separator=separator)


def test_every_column_is_read_and_answers_are_separated(tmp_path: Path) -> None:
    table = (
        "Nr,Q,A,E,D,Sort,Of,More\r\n"
        'a,"Who ""barks""?",Dogs| dogs |Dogs,Dogs bark at night.|Cats sleep 16 hours.,,fact,Pets,x\r\n'
        '\r\n,"What\r\nis odd?",tea,It sold\x85 tea,,,,\r\n'
        "a,Who sings?,,,,,,\r\n"
        "d,Who sleeps?,Cats,,pets.txt,,,\r\n"
        "e,How long?,,Cats sleep 16 hours.,,,,\r\n"
    )
    path = put(tmp_path / "q.csv", table)
    found = reads_back(read("csv", path, options(tmp_path, ALL)), tmp_path)
    told = [
        (each.id, each.question, each.answers, each.evidence, each.kind) for each in found.questions
    ]
    assert told == [
        (
            "a",
            'Who "barks"?',
            ("Dogs", "dogs"),
            ("Dogs bark\nat night.", "Cats sleep 16 hours."),
            "fact",
        ),
        ("line-4", "What\nis odd?", ("tea",), ("It sold\x85 tea",), "what"),
        ("a-2", "Who sings?", (), (), "unanswerable"),
        ("d", "Who sleeps?", ("Cats",), (), "who"),
        ("e", "How long?", (), ("Cats sleep 16 hours.",), "how"),
    ]
    assert [(each.answerable, each.relevant, each.group) for each in found.questions] == [
        (True, {}, "Pets"),
        (True, {}, "odd.txt"),
        (False, {}, ""),
        (True, {"pets.txt": 1}, "pets.txt"),
        (True, {"pets.txt": 1}, "pets.txt"),
    ]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("separator", ["", "/", " or "])
def test_the_delimiter_is_found_by_the_headings(
    tmp_path: Path, delimiter: str, separator: str
) -> None:
    rows = [
        ["Frage, bitte?", "A", "D"],
        ["Who barks; or not?", (separator or "|").join(("Dogs", "16")), "pets.txt"],
    ]
    quoted = "\n".join(delimiter.join(f'"{cell}"' for cell in row) for row in rows)
    path = put(tmp_path / "q.csv", f"\ufeff{quoted}\n")
    named = {"question": "Frage, bitte?", "answers": "A", "documents": "D"}
    (found,) = read("csv", path, options(tmp_path, named, separator)).questions
    assert (found.question, found.answers) == ("Who barks; or not?", ("Dogs", "16"))


def test_what_cannot_be_used_is_left_out_and_counted(tmp_path: Path) -> None:
    rows = [
        "Q,A,E",
        "Who barks?,Dogs,Pigs bark.",
        "Who sleeps?,Cats,",
        "Who sings?,,",
        "Who digs?,Dogs,Cats sleep|Moles",
    ]
    table = "\n".join(rows)
    given = options(tmp_path, {"question": "Q", "answers": "A", "evidence": "E"})
    found = read("csv", put(tmp_path / "q.csv", table), given)
    assert [question.id for question in found.questions] == ["line-3", "line-4"]
    assert found.notes == (
        "Questions left out, its evidence is not in the documents: 2 (line-2, line-5).",
    )
    answered, _ = found.questions
    assert (answered.answerable, answered.answers, answered.evidence) == (True, ("Cats",), ())


def test_read_document_alone_is_unanswerable(tmp_path: Path) -> None:
    """A row that names a document, without answer or evidence, asks what it does not answer."""
    table = "Q,A,E,D\nWho sings?,,,pets.txt\n"
    named = {"question": "Q", "answers": "A", "evidence": "E", "documents": "D"}
    read_set = reads_back(
        read("csv", put(tmp_path / "q.csv", table), options(tmp_path, named)), tmp_path
    )
    (question,) = read_set.questions
    assert not question.answerable
    assert (question.kind, question.relevant, question.group) == ("unanswerable", {}, "pets.txt")


def test_read_evidence_in_two_documents_counts_in_both(tmp_path: Path) -> None:
    """A row that names the document has its evidence there; otherwise any place counts, once said."""
    table = "Q,E,D\nWho naps?,Cats sleep 16 hours.,\nWho rests?,Cats sleep 16 hours.,copy.txt\n"
    named = {"question": "Q", "evidence": "E", "documents": "D"}
    given = options(tmp_path, named)
    put(tmp_path / "own" / "copy.txt", f"Copied. {PETS}")
    read_set = reads_back(read("csv", put(tmp_path / "q.csv", table), given), tmp_path)
    anywhere, in_copy = read_set.questions
    assert (anywhere.document, in_copy.document) == ("", "copy.txt")
    assert read_set.notes == ("Questions with evidence in several places, any of which counts: 1.",)
    gold = check_evidence(read_set.questions, read_set.documents)
    assert {name for name, _ in gold[anywhere.id][0]} == {"pets.txt", "copy.txt"}
    assert [name for name, _ in gold[in_copy.id][0]] == ["copy.txt"]


def test_all_mistakes_are_told_at_once_with_line_numbers(tmp_path: Path) -> None:
    table = (
        'Q,D\nWho?\n"two\nlines", pets.txt|none.txt \n,pets.txt\nWho?,a,b\nWho?,none.txt\n"open,\n'
    )
    told = mistakes(
        "csv",
        put(tmp_path / "q.csv", table),
        options(tmp_path, {"question": "Q", "documents": "D"}),
    )
    assert told == [
        "q.csv line 2: has 1 cells, the headings 2",
        "q.csv line 5: has no question",
        "q.csv line 6: has 3 cells, the headings 2",
        "q.csv line 8: not a table from here on: unexpected end of data",
        "q.csv line 3: there is no document 'none.txt'",
        "q.csv line 7: there is no document 'none.txt'",
    ]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"Q;B\nx;y\n", "has no column A. Its columns: Q, B. Name"),
        (b"", "has no column Q, A. Its columns: . Name"),
        (b"Q,A\n", "holds no question that can be used"),
        (b"Q,A\n\xff,x\n", "is not UTF-8"),
    ],
)
def test_a_table_that_is_none_is_an_error(tmp_path: Path, content: bytes, told: str) -> None:
    with pytest.raises(QuestionFileError, match=told):
        read(
            "csv",
            put(tmp_path / "q.csv", content),
            options(tmp_path, {"question": "Q", "answers": "A"}),
        )
    with pytest.raises(QuestionFileError, match=r"none\.csv cannot be read"):
        read("csv", tmp_path / "none.csv", options(tmp_path, {"question": "Q"}))


def test_what_is_missing_is_asked_for(tmp_path: Path) -> None:
    path = put(tmp_path / "q.csv", "Q\nWho?\n")
    with pytest.raises(FootnoteError, match="Name the column"):
        read("csv", path, options(tmp_path, {"answers": "A"}))
    with pytest.raises(FootnoteError, match="Name their folder: --documents PATH"):
        read("csv", path, ImportOptions(columns={"question": "Q"}))


def test_columns_are_named_in_one_argument_or_several() -> None:
    expected = {"question": "Q, all", "answers": "A=B", "id": "Nr"}
    assert columns(["question=Q, all,answers=A=B,id=Nr"]) == expected
    assert columns(["question=Q, all", "answers=A=B", "id=Nr"]) == expected
    for wrong in (["Q"], ["colour=Q"], ["question="], ["question=Q", "question=R"]):
        with pytest.raises(FootnoteError, match="--columns takes FIELD=COLUMN"):
            columns(wrong)
