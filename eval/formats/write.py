"""A foreign set as files of ours, read back before they are put in place."""

import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import mkdtemp

from eval.dataset import Question, read_questions
from eval.formats.base import ForeignSet
from eval.formats.canonical import Taken, file_name
from qa.documents.load import MARKDOWN_SUFFIXES, MAX_BYTES
from qa.errors import BrokenError, DocumentError, FootnoteError, NotWritableError
from qa.types import Document

DOCUMENTS, QUESTIONS = "documents", "questions.jsonl"


def write(found: ForeignSet, out: Path) -> None:
    """Writes `out`/documents, a file each with its title beside it, and `out`/questions.jsonl: all of it or nothing.

    Raises FootnoteError if `out` holds anything, DocumentError for a text too long to be read back, NotWritableError.
    """
    names = _names(found.documents)
    with _writing(out):
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise FootnoteError(
                f"{out} is there already. Remove it, or give another folder: --out DIR"
            )
        out.parent.mkdir(parents=True, exist_ok=True)
        made = Path(mkdtemp(prefix=f".{out.name}-", dir=out.parent))
        try:
            made.chmod(0o755)  # mkdtemp makes it ours alone
            _write_documents(found.documents, names, made / DOCUMENTS)
            _write_questions(found.questions, names, made / QUESTIONS)
            _check(found, names, made)
            if out.exists():
                out.rmdir()
            made.rename(out)
        finally:
            shutil.rmtree(made, ignore_errors=True)


def _names(documents: Sequence[Document]) -> dict[str, str]:
    """The files' names, by the documents'. A person's own may be PDF or in folders; here they are texts in one."""
    taken: Taken = {}
    names = {}
    for document in documents:
        suffix = MARKDOWN_SUFFIXES[0] if document.markdown else ".txt"
        names[document.name] = file_name(
            document.name.removesuffix(suffix).replace("/", "_"), taken, suffix
        )
    return names


def _write_documents(documents: Sequence[Document], names: dict[str, str], folder: Path) -> None:
    folder.mkdir()
    for document in documents:
        text = document.text.encode()
        if len(text) > MAX_BYTES:
            raise DocumentError(
                f"{document.name} is larger than {MAX_BYTES // 1_000_000} MB. Split its article."
            )
        file = folder / names[document.name]
        file.write_bytes(text)
        meta = {"title": document.title} | (
            {"publisher": document.publisher} if document.publisher else {}
        )
        file.with_name(f"{file.name}.meta.json").write_text(
            f"{json.dumps(meta, ensure_ascii=False)}\n", encoding="utf-8"
        )


def _write_questions(questions: Sequence[Question], names: dict[str, str], path: Path) -> None:
    with path.open("xb") as file:
        for question in questions:
            renamed = {names[name]: grade for name, grade in question.relevant.items()}
            row = replace(question, relevant=renamed).as_json()
            file.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")


def _check(found: ForeignSet, names: dict[str, str], folder: Path) -> None:
    """Raises BrokenError if the files do not read back as what was written."""
    from qa.documents.load import load  # brings llama-index, which takes its time

    loaded = load([folder / DOCUMENTS])
    texts = {document.name: document.text for document in loaded.documents}
    written = {names[document.name]: document.text for document in found.documents}
    if (
        loaded.failures
        or texts != written
        or len(read_questions(folder / QUESTIONS)) != len(found.questions)
    ):
        wrong = sorted(name for name in written if texts.get(name) != written[name])
        raise BrokenError(
            f"What was written does not read back as it was. Report this: {', '.join(wrong)}"
        )


@contextmanager
def _writing(out: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise NotWritableError(
            f"{out} cannot be written: {error.strerror}. Give another folder: --out DIR"
        ) from error
