"""SQuAD and XQuAD files: sentences that hold the answers, found by offsets that survive cleaning."""

from pathlib import Path
from typing import Any

import pytest

from eval.formats import ImportedSet, ImportOptions, read
from qa.errors import QuestionFileError
from tests.eval.formats.fixtures import ODD, mistakes, put, reads_back

PETS = "Cats sleep 16 hours. Dogs bark at night. Birds sing at dawn."


def answer(context: str, text: str, nth: int = 0) -> dict[str, Any]:
    """The answer at its nth occurrence in the context, from 0."""
    start = -1
    for _ in range(nth + 1):
        start = context.index(text, start + 1)
    return {"text": text, "answer_start": start}


def asked(key: Any, question: str, *answers: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"id": key, "question": question, "answers": list(answers), **more}


def paragraph(context: str, *questions: dict[str, Any]) -> dict[str, Any]:
    return {"context": context, "qas": list(questions)}


def article(title: Any, *paragraphs: dict[str, Any]) -> dict[str, Any]:
    return {"title": title, "paragraphs": list(paragraphs)}


def squad(folder: Path, *articles: dict[str, Any]) -> ImportedSet:
    path = put(folder / "set.json", {"version": "2.0", "data": list(articles)})
    return reads_back(read("squad", path, ImportOptions()), folder)


def test_an_article_is_a_document_and_the_sentence_with_the_answer_is_the_evidence(
    tmp_path: Path,
) -> None:
    fish = "Fish swim."
    found = squad(
        tmp_path,
        article(
            "Pets_of_Z%C3%BCrich",
            paragraph(
                PETS, asked("a", "What do dogs do?", answer(PETS, "bark"), answer(PETS, "bark"))
            ),
            paragraph(fish, asked("b", "Who swims?", answer(fish, "Fish"))),
        ),
        article(
            "Empty",
            paragraph(
                "Nothing here.", asked("c", "How many?", is_impossible=True, plausible_answers=[{}])
            ),
        ),
    )
    assert [(each.name, each.source, each.title, each.text) for each in found.documents] == [
        ("Pets of Zürich.txt", "squad/Pets of Zürich.txt", "Pets of Zürich", f"{PETS}\n\n{fish}"),
        ("Empty.txt", "squad/Empty.txt", "Empty", "Nothing here."),
    ]
    told = [
        (each.id, each.answers, each.evidence, each.kind, each.group, each.answerable)
        for each in found.questions
    ]
    assert told == [
        ("a", ("bark",), ("Dogs bark at night.",), "what", "Pets of Zürich", True),
        ("b", ("Fish",), ("Fish swim.",), "who", "Pets of Zürich", True),
        ("c", (), (), "unanswerable", "Empty", False),
    ]
    assert found.notes == ()


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("In what year did it end?", "what"),
        ("Whose cat is it?", "who"),
        ("how much did it cost", "how-many"),
        ("How did it end?", "how"),
        ("Name the cat.", "other"),
        ("¿Cuántos gatos hay?", "other"),
    ],
)
def test_the_kind_is_the_word_that_asks(tmp_path: Path, question: str, kind: str) -> None:
    found = squad(
        tmp_path, article("Pets", paragraph(PETS, asked("a", question, answer(PETS, "Cats"))))
    )
    assert found.questions[0].kind == kind


def test_annotators_who_chose_several_sentences_give_several_quotes(tmp_path: Path) -> None:
    answers = [
        answer(PETS, "bark"),
        answer(PETS, "sing"),
        answer(PETS, "night. Birds"),
        answer(PETS, "Cats"),
    ]
    found = squad(tmp_path, article("Pets", paragraph(PETS, asked("a", "What?", *answers))))
    assert found.questions[0].evidence == (
        "Dogs bark at night. Birds sing at dawn.",
        "Cats sleep 16 hours.",
    )
    assert found.questions[0].answers == ("bark", "sing", "night. Birds", "Cats")


def test_a_sentence_that_stands_twice_is_widened_until_it_is_unique(tmp_path: Path) -> None:
    twice = "It rained. Ann left. It rained. Bob left."
    last = "The end. Ann left."
    found = squad(
        tmp_path,
        article(
            "Rain",
            paragraph(
                twice,
                asked("next", "What fell?", answer(twice, "rained")),
                asked("second", "What fell then?", answer(twice, "rained", nth=1)),
            ),
            paragraph(last, asked("before", "Who left?", answer(last, "Ann"))),
        ),
    )
    assert [question.evidence for question in found.questions] == [
        ("It rained. Ann left.",),
        ("It rained. Bob left.",),
        ("The end. Ann left.",),
    ]


def test_a_paragraph_that_is_there_already_is_there_once_and_asked_there(tmp_path: Path) -> None:
    found = squad(
        tmp_path,
        article("One", paragraph(PETS, asked("a", "Who barks?", answer(PETS, "Dogs")))),
        article(
            "Two",
            paragraph(PETS, asked("b", "Who sings?", answer(PETS, "Birds"))),
            paragraph("More."),
        ),
        article("One", paragraph(PETS, asked("c", "Who sleeps?", answer(PETS, "Cats")))),
    )
    assert [(each.name, each.text) for each in found.documents] == [
        ("One.txt", PETS),
        ("Two.txt", "More."),
    ]
    assert [(each.id, each.group) for each in found.questions] == [
        ("a", "One"),
        ("b", "One"),
        ("c", "One"),
    ]
    assert found.notes == ("Texts that another document already has, kept only there: 1.",)


def test_what_cannot_be_used_is_left_out_and_counted(tmp_path: Path) -> None:
    inside = "Dogs bark at night."
    found = squad(
        tmp_path,
        article(
            "Pets",
            paragraph(
                PETS,
                asked(
                    "kept",
                    "Who sings?",
                    answer(PETS, "Birds"),
                    {"text": "Larks", "answer_start": 41},
                ),
            ),
            # Wholly part of another paragraph: no quote of it is unique.
            paragraph(
                inside,
                *(asked(f"inside-{n}", "Who barks?", answer(inside, "Dogs")) for n in range(7)),
            ),
            paragraph("Fish swim.", asked("moved", "Who?", {"text": "Fish", "answer_start": 5})),
            paragraph(
                "Owls hoot.", asked("hidden", "Who?", is_impossible=False), asked("old", "Why?")
            ),
        ),
    )
    assert [(each.id, each.answerable, each.answers) for each in found.questions] == [
        ("kept", True, ("Birds", "Larks")),
        ("old", False, ()),
    ]
    assert found.notes == (
        "Questions left out, without an answer, though not marked as impossible: 1 (hidden).",
        "Questions left out, the documents have the paragraph more than once: 7 "
        "(inside-0, inside-1, inside-2, inside-3, inside-4, …).",
        "Questions left out, no answer is where the file says: 1 (moved).",
        "Answers that are not where the file says, not used as evidence: 2.",
    )


def test_odd_characters_keep_their_offsets_through_the_file(tmp_path: Path) -> None:
    context = f"\ufeff\x07One\r\nline.\rAnother \ud800 line. {ODD}\r\n\r\nThe 😀 end. "
    wanted = ["One\r\nline", "Another \ud800", "sold\x85 tea", "😀 end"]
    found = squad(
        tmp_path,
        article(
            "Odd\u202e/../..\\x\n",
            paragraph(context, *(asked(w, "What?", answer(context, w)) for w in wanted)),
        ),
        article("", paragraph("Untitled text.")),
    )
    text = f" One\nline.\nAnother \ufffd line. {ODD}\n\nThe 😀 end. "
    assert [(each.name, each.title, each.text) for each in found.documents] == [
        ("Odd_.._.._x.txt", "Odd/../..\\x", text),
        ("document.txt", "document", "Untitled text."),
    ]
    kept = [question.answers[0] for question in found.questions]
    assert kept == ["One\nline", "Another \ufffd", "sold\x85 tea", "😀 end"]
    for question in found.questions:
        assert question.answers[0] in question.evidence[0]
    assert (
        "Texts with characters that a text file cannot hold, replaced by spaces or U+FFFD: 1."
        in found.notes
    )


def test_ids_and_names_that_repeat_get_numbers(tmp_path: Path) -> None:
    found = squad(
        tmp_path,
        article("cats", paragraph("Cats sleep.", asked(7, "Why?"), asked("7", "Why not?"))),
        article("Cats", paragraph("Cats purr.", asked("7", "How?"))),
        article("CON", paragraph("Cats run.", asked(" 7\n8 ", "When?"))),
        article("猫" * 200, paragraph("Cats eat.")),
    )
    names = [document.name for document in found.documents]
    assert names == ["cats.txt", "Cats-2.txt", "_CON.txt", "猫" * 66 + ".txt"]
    assert [question.id for question in found.questions] == ["7", "7-2", "7-3", "7 8"]


def test_all_mistakes_are_told_at_once_with_their_places(tmp_path: Path) -> None:
    path = put(
        tmp_path / "bad.json",
        {
            "data": [
                "text",
                article(7, {"context": 5, "qas": []}),
                {
                    "paragraphs": [
                        {"context": " ", "qas": []},
                        paragraph(PETS, {"id": "a"}, asked("b", "\x00")),
                    ]
                },
                article(
                    "x",
                    paragraph(
                        PETS,
                        asked("c", "Who?", {"text": "Cats"}, {"text": 1, "answer_start": -1}),
                        asked("d", "Who?", answer(PETS, "Cats"), is_impossible=True),
                    ),
                ),
            ]
        },
    )
    assert mistakes("squad", path) == [
        "data[0]: not a JSON object",
        'data[1]: "title" must be a text',
        'data[1].paragraphs[0]: "context" must be a text that is not empty',
        'data[2].paragraphs[0]: "context" must be a text that is not empty',
        'data[2].paragraphs[1].qas[0]: "question" is missing',
        'data[2].paragraphs[1].qas[0]: "answers" is missing',
        'data[2].paragraphs[1].qas[1]: "question" must be a text that is not empty',
        'data[3].paragraphs[0].qas[0].answers[0]: "answer_start" is missing',
        'data[3].paragraphs[0].qas[0].answers[1]: "text" must be a text',
        'data[3].paragraphs[0].qas[0].answers[1]: "answer_start" must be a whole number from 0',
        'data[3].paragraphs[0].qas[1]: "is_impossible", but with "answers"',
    ]


def test_a_set_that_is_wrong_throughout_does_not_flood_the_terminal(tmp_path: Path) -> None:
    told = mistakes("squad", put(tmp_path / "bad.json", {"data": [1] * 1234}))
    assert (len(told), told[0], told[-1]) == (201, "data[0]: not a JSON object", "and 1,034 more")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"{", "is not JSON: Expecting property name"),
        (b"[" * 100_000, "is not JSON"),
        (b'{"data": "\xff"}', r"is not UTF-8 \(byte 11\)"),
        (b"[]", "the file: not a JSON object"),
        (b'{"data": []}', "holds no question that can be used"),
    ],
)
def test_a_file_that_is_no_set_is_an_error(tmp_path: Path, content: bytes, told: str) -> None:
    with pytest.raises(QuestionFileError, match=told):
        read("squad", put(tmp_path / "bad.json", content), ImportOptions())


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(QuestionFileError, match=r"none\.json cannot be read: No such file"):
        read("squad", tmp_path / "none.json", ImportOptions())
