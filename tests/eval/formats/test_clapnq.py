"""ClapNQ lines: the sentences that the annotators selected, in documents by title."""

from pathlib import Path
from typing import Any

import pytest

from eval.formats import ImportOptions, read
from qa.errors import QuestionFileError
from tests.eval.formats.fixtures import ODD, mistakes, put_lines, reads_back

SLEEP, PURR, EAT = "Cats sleep a lot .", "They purr .", "They eat fish ."
CATS = f"{SLEEP} {PURR} {EAT} "


def output(answer: Any, *selected: str, **meta: Any) -> dict[str, Any]:
    return {
        "answer": answer,
        "selected_sentences": list(selected),
        "meta": {"round": 2, "skip": False, **meta},
    }


def row(
    key: Any, question: str, passages: dict[str, str], *outputs: dict[str, Any]
) -> dict[str, Any]:
    given = [
        {"title": title, "text": text, "sentences": [text]} for title, text in passages.items()
    ]
    return {"id": key, "input": question, "passages": given, "output": list(outputs)}


def test_the_selected_sentences_of_all_annotators_are_the_evidence(tmp_path: Path) -> None:
    path = put_lines(
        tmp_path / "set.jsonl",
        row(
            "1",
            "what do cats do",
            {"Cat": CATS},
            output("Sleep, eat.", SLEEP, EAT),
            output("Eat.", EAT, PURR),
        ),
        b"",
        row(-2, "where do dogs come from", {"Dog": ODD}, output("")),
        row("3", "dogs", {"Dog": "Dogs bark ."}, {"answer": None, "meta": None}),
    )
    found = reads_back(read("clapnq", path, ImportOptions()), tmp_path)
    assert [(each.name, each.title, each.text) for each in found.documents] == [
        ("Cat.txt", "Cat", CATS),
        ("Dog.txt", "Dog", f"{ODD}\n\nDogs bark ."),
    ]
    told = [
        (each.id, each.answerable, each.answers, each.evidence, each.kind, each.group)
        for each in found.questions
    ]
    assert told == [
        ("1", True, ("Sleep, eat.", "Eat."), (SLEEP, EAT, PURR), "what", "Cat"),
        ("-2", False, (), (), "unanswerable", "Dog"),
        ("3", False, (), (), "unanswerable", "Dog"),
    ]
    assert found.notes == ()


def test_what_the_annotators_left_open(tmp_path: Path) -> None:
    path = put_lines(
        tmp_path / "set.jsonl",
        row("whole", "why", {"Cat": CATS}, output("Because.")),
        row("silent", "how", {"Cat": CATS}, output("", PURR)),
        row("skipped", "who", {"Cat": CATS}, output("Cats", SLEEP, skip=True)),
        row(
            "one",
            "who",
            {"Cat": CATS},
            output("Dogs", SLEEP, skip=True),
            output("Cats", "Cats  sleep a lot .\n"),
        ),
        row("elsewhere", "who", {"Cat": CATS}, output("Cats", SLEEP, "Dogs bark .")),
        row("bare", "who", {}, output("Cats")),
    )
    found = reads_back(read("clapnq", path, ImportOptions()), tmp_path)
    assert [(each.id, each.answers, each.evidence, each.relevant) for each in found.questions] == [
        ("whole", ("Because.",), (CATS,), {}),
        ("silent", (), (PURR,), {"Cat.txt": 1}),
        ("one", ("Cats",), (SLEEP,), {}),
    ]
    assert found.notes == (
        "Questions left out, every annotator skipped it: 1 (skipped).",
        "Questions left out, without a passage: 1 (bare).",
        "Questions left out, a selected sentence is not in its passage, or the passage is repeated: "
        "1 (elsewhere).",
    )


def test_a_selected_sentence_that_stands_elsewhere_too_is_widened(tmp_path: Path) -> None:
    path = put_lines(
        tmp_path / "set.jsonl",
        row("a", "who purrs", {"Cat": CATS}, output("Cats", PURR)),
        row("b", "who else purrs", {"Lynx": f"Lynxes hunt . {PURR}"}, output("Lynxes", PURR)),
    )
    found = reads_back(read("clapnq", path, ImportOptions()), tmp_path)
    assert [question.evidence for question in found.questions] == [
        (f"{PURR} {EAT}",),
        (f"Lynxes hunt . {PURR}",),
    ]


def test_all_mistakes_are_told_at_once_with_line_numbers(tmp_path: Path) -> None:
    path = put_lines(
        tmp_path / "set.jsonl",
        b"{",
        b'"\xff"',
        {"id": "", "input": "x", "output": []},
        row("a", "x", {})
        | {"passages": [1, {"text": ""}], "output": [{"answer": 1, "selected_sentences": "x"}]},
        row("fine", "x", {"Cat": CATS}, output("")),
    )
    told = mistakes("clapnq", path)
    assert told[0].startswith("set.jsonl line 1: invalid JSON: Expecting property name")
    assert told[1].startswith(
        "set.jsonl line 2: invalid JSON: 'utf-8' codec can't decode byte 0xff"
    )
    assert told[2:] == [
        'set.jsonl line 3: "id" must be a text that is not empty, or a whole number',
        'set.jsonl line 3: "passages" is missing',
        "set.jsonl line 4: passages[0]: not a JSON object",
        'set.jsonl line 4: passages[1]: "text" must be a text that is not empty',
        'set.jsonl line 4: output[0]: "answer" must be a text',
        'set.jsonl line 4: output[0]: "selected_sentences" must be a list of texts',
    ]


def test_an_empty_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(QuestionFileError, match="holds no question"):
        read("clapnq", put_lines(tmp_path / "set.jsonl"), ImportOptions())
