"""llama-index's LabelledRagDataset: the contexts are the evidence, in documents of their own or in the sources."""

from pathlib import Path
from typing import Any

import pytest

from eval.formats import ImportOptions, read
from qa.errors import DocumentError, QuestionFileError
from tests.eval.formats.fixtures import ODD, mistakes, put, reads_back

AI = {"model_name": "gpt-4", "type": "ai"}
HUMAN = {"model_name": "", "type": "human"}
CATS, DOGS = "Cats sleep 16 hours.\nThey purr.", "Dogs bark at night."


def example(
    query: str, contexts: list[str] | None, answer: str | None, by: Any = AI
) -> dict[str, Any]:
    return {
        "query": query,
        "query_by": by,
        "reference_contexts": contexts,
        "reference_answer": answer,
        "reference_answer_by": by,
    }


def dataset(path: Path, *examples: dict[str, Any]) -> Path:
    return put(path, {"examples": list(examples)})


def test_each_context_is_a_document_and_evidence(tmp_path: Path) -> None:
    path = dataset(
        tmp_path / "rag_dataset.json",
        example("How long do cats sleep?", [CATS], "16 hours"),
        example("What do pets do?", [DOGS, CATS], "Bark and sleep", HUMAN),
        example("What is odd?", [f"\r\n{ODD}\x00"], "Tea\r\n", None),
        example("What barks?", [DOGS], ""),
    )
    found = reads_back(read("rag-dataset", path, ImportOptions()), tmp_path)
    assert [(each.name, each.title, each.text) for each in found.documents] == [
        ("Context 1.txt", "Context 1", CATS),
        ("Context 2.txt", "Context 2", DOGS),
        ("Context 3.txt", "Context 3", f"\n{ODD} "),
    ]
    told = [
        (each.id, each.answers, each.evidence, each.kind, each.group, each.relevant)
        for each in found.questions
    ]
    assert told == [
        ("q1", ("16 hours",), (CATS,), "ai", "Context 1.txt", {}),
        ("q2", ("Bark and sleep",), (DOGS, CATS), "human", "Context 2.txt", {}),
        ("q3", ("Tea",), (ODD.strip(),), "unknown", "Context 3.txt", {}),
        ("q4", (), (DOGS,), "ai", "Context 2.txt", {"Context 2.txt": 1}),
    ]


def test_with_the_sources_beside_it_the_contexts_are_found_in_them(tmp_path: Path) -> None:
    dataset(
        tmp_path / "set" / "rag_dataset.json",
        example("How long?", ["Cats sleep 16 hours. They purr."], "16"),
        example("Who flies?", ["Pigs fly."], "Pigs"),
        example("Who?", None, "Nobody"),
    )
    put(tmp_path / "set" / "source_files" / "pets.txt", f"Pets\n\n{CATS}\n\n{DOGS}")
    found = reads_back(read("rag-dataset", tmp_path / "set", ImportOptions()), tmp_path)
    assert [document.name for document in found.documents] == ["pets.txt"]
    assert [(each.id, each.evidence, each.group) for each in found.questions] == [
        ("q1", (CATS,), "pets.txt")
    ]
    assert found.notes == (
        "Questions left out, a reference context is not in the documents: 1 (q2).",
        "Questions left out, without a reference context: 1 (q3).",
    )


def test_a_persons_own_documents_come_before_the_sources(tmp_path: Path) -> None:
    dataset(tmp_path / "set" / "rag_dataset.json", example("Who barks?", [DOGS], "Dogs"))
    put(tmp_path / "set" / "source_files" / "pets.txt", CATS)
    own = put(tmp_path / "own.md", f"# Dogs\n\n{DOGS}\n")
    found = reads_back(
        read("rag-dataset", tmp_path / "set", ImportOptions(documents=(own,))), tmp_path
    )
    assert [(document.name, document.title) for document in found.documents] == [("own.md", "Dogs")]
    with pytest.raises(DocumentError, match=r"none\.txt does not exist"):
        read("rag-dataset", tmp_path / "set", ImportOptions(documents=(tmp_path / "none.txt",)))


def test_read_context_inside_another_counts_in_both(tmp_path: Path) -> None:
    path = dataset(
        tmp_path / "s.json", example("Long?", [CATS], "16"), example("Who?", ["They purr."], "Cats")
    )
    found = read("rag-dataset", path, ImportOptions())
    assert [question.id for question in found.questions] == ["q1", "q2"]
    assert found.notes == ("Questions with evidence in several places, any of which counts: 1.",)


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    path = put(
        tmp_path / "s.json",
        {
            "examples": [
                {"reference_contexts": "x"},
                [],
                example("", [], "x")
                | {"reference_contexts": [1], "reference_answer": 2, "query_by": 3},
            ]
        },
    )
    assert mistakes("rag-dataset", path) == [
        'examples[0]: "query" is missing',
        'examples[0]: "reference_contexts" must be a list of texts',
        "examples[1]: not a JSON object",
        'examples[2]: "query" must be a text that is not empty',
        'examples[2]: "query_by" must be an object',
        'examples[2]: "reference_contexts" must be a list of texts',
        'examples[2]: "reference_answer" must be a text',
    ]


def test_a_folder_without_the_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(QuestionFileError, match=r"rag_dataset\.json cannot be read"):
        read("rag-dataset", tmp_path, ImportOptions())
