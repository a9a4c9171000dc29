"""Writes an imported set as files, and reads them back before they are put in place."""

import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import mkdtemp

from eval.dataset import Question, read_questions
from eval.formats.base import ImportedSet
from eval.formats.canonical import TakenNames, file_name
from qa.documents.load import MARKDOWN_SUFFIXES, MAX_BYTES
from qa.errors import BrokenError, DocumentError, FootnoteError, NotWritableError
from qa.types import Document

DOCUMENTS = "documents"
QUESTIONS = "questions.jsonl"
FileNames = dict[str, str]
"""File names by document name."""


def write(imported: ImportedSet, out: Path) -> None:
    """Writes `out`/documents (texts and their titles) and `out`/questions.jsonl: all or nothing.

    Raises FootnoteError if `out` is not empty, DocumentError for a text that is too long to be read
    back, and NotWritableError.
    """
    names = _file_names(imported.documents)
    with _writable(out):
        is_empty = out.is_dir() and not any(out.iterdir())
        if out.exists() and not is_empty:
            raise FootnoteError(
                f"{out} exists already. Remove it, or use another folder: --out DIR"
            )
        out.parent.mkdir(parents=True, exist_ok=True)
        # In the same folder as `out`: only there is renaming one step.
        folder = Path(mkdtemp(prefix=f".{out.name}-", dir=out.parent))
        try:
            # mkdtemp makes a folder that only its owner can read.
            folder.chmod(0o755)
            _write_documents(imported.documents, names, folder / DOCUMENTS)
            _write_questions(imported.questions, names, folder / QUESTIONS)
            _check(imported, names, folder)
            if out.exists():
                out.rmdir()
            folder.rename(out)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _file_names(documents: Sequence[Document]) -> FileNames:
    """Returns the file names by document name.

    A person's own documents may be PDF files or in folders; here they are texts in one folder.
    """
    taken: TakenNames = {}
    names = {}
    for document in documents:
        suffix = MARKDOWN_SUFFIXES[0] if document.markdown else ".txt"
        stem = document.name.removesuffix(suffix).replace("/", "_")
        names[document.name] = file_name(stem, taken, suffix)
    return names


def _write_documents(documents: Sequence[Document], names: FileNames, folder: Path) -> None:
    folder.mkdir()
    for document in documents:
        text = document.text.encode()
        if len(text) > MAX_BYTES:
            megabytes = MAX_BYTES // 1_000_000
            raise DocumentError(
                f"{document.name} is larger than {megabytes} MB. Split its article."
            )
        file = folder / names[document.name]
        file.write_bytes(text)

        meta = {"title": document.title}
        if document.publisher:
            meta["publisher"] = document.publisher
        sidecar = file.with_name(f"{file.name}.meta.json")
        sidecar.write_text(f"{json.dumps(meta, ensure_ascii=False)}\n", encoding="utf-8")


def _write_questions(questions: Sequence[Question], names: FileNames, path: Path) -> None:
    with path.open("xb") as file:
        for question in questions:
            relevant = {}
            for name, grade in question.relevant.items():
                relevant[names[name]] = grade
            document = names[question.document] if question.document else ""
            row = replace(question, relevant=relevant, document=document).as_json()
            line = json.dumps(row, ensure_ascii=False)
            file.write(line.encode() + b"\n")


def _check(imported: ImportedSet, names: FileNames, folder: Path) -> None:
    """Raises BrokenError if the files do not read back as the set that was written."""
    # Imported here: it brings llama-index, which takes a second.
    from qa.documents.load import load

    loaded = load([folder / DOCUMENTS])
    questions = read_questions(folder / QUESTIONS)
    texts = {document.name: document.text for document in loaded.documents}
    expected = {names[document.name]: document.text for document in imported.documents}
    is_complete = len(questions) == len(imported.questions)
    if texts == expected and is_complete and not loaded.failures:
        return

    wrong = []
    for name in sorted(expected):
        if texts.get(name) != expected[name]:
            wrong.append(name)
    raise BrokenError(
        f"The files do not read back as they were written: {', '.join(wrong)}. Please report this."
    )


@contextmanager
def _writable(out: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise NotWritableError(
            f"{out} cannot be written: {error.strerror}. Use another folder: --out DIR"
        ) from error
