"""What the tests of every foreign format do: write a small set, read it, and see that its files read back."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from eval.dataset import check_evidence, read_questions
from eval.formats import ImportedSet, ImportOptions, read
from eval.formats.write import DOCUMENTS, QUESTIONS, write
from qa.documents.load import load
from qa.errors import QuestionFileError

ODD = "Zoë’s  cafe\u0301 😀 opened.\u2028It sold\x85 tea \t"
"""White space at its end and inside, what str.splitlines would cut at, and letters of several code points."""


def put(path: Path, content: Any) -> Path:
    """The file, with bytes, a text as UTF-8, or anything else as JSON, which can spell half a surrogate pair."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not isinstance(content, (bytes, str)):
        content = json.dumps(content)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def put_lines(path: Path, *rows: Any) -> Path:
    """A file of JSON lines; a row that is bytes stands there as it is."""
    return put(
        path,
        b"".join(
            (row if isinstance(row, bytes) else json.dumps(row).encode()) + b"\n" for row in rows
        ),
    )


def reads_back(found: ImportedSet, folder: Path) -> ImportedSet:
    """The set, after its files were written and gave the same documents, questions and spans of the evidence."""
    out = folder / "written"
    write(found, out)
    loaded = load([out / DOCUMENTS])
    questions = read_questions(out / QUESTIONS)
    assert loaded.failures == ()
    given = {document.name: (document.text, document.title) for document in found.documents}
    assert {
        document.name: (document.text, document.title) for document in loaded.documents
    } == given
    assert [replace(question, line=0) for question in questions] == list(found.questions)
    assert check_evidence(questions, loaded.documents) == check_evidence(
        found.questions, found.documents
    )
    return found


def mistakes(name: str, path: Path, options: ImportOptions | None = None) -> list[str]:
    """What the one error for a set tells, line by line."""
    with pytest.raises(QuestionFileError) as caught:
        read(name, path, options or ImportOptions())
    heading, *rest = str(caught.value).split("\n")
    assert heading == f"{path} has mistakes. Fix them:"
    return [line.strip() for line in rest]
