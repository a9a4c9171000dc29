"""A block of code answers with its lines, exactly cited."""

from pathlib import Path

import pytest

from qa.answer.code_answer import MAX_CODE
from qa.answer.content import AnswerContent, add_nearest
from qa.answer.extractive import compose
from qa.library.snapshot import Snapshot
from qa.reader.reader import Candidate, Reading
from qa.types import AnswerSentence, Passage, RankedPassage, Span, Why
from tests.qa.fakes import snapshot_of, text_document, word_bot

README = """# Tool

## Install

Build it with a toolchain:

```sh
make build

  make test      # 40 seconds
```

1. In a list:

       make one
       make two

## Use

~~~
tool run
"""


def _read(text: str, words: str) -> tuple[Reading, Snapshot]:
    """Returns a reading whose only candidate is the sentence with these words."""
    document = text_document(text, "a.md", "Tool", markdown=True)
    passage = Passage(document, Span(0, len(text)))
    snapshot = snapshot_of([passage], [document])
    sentences = snapshot.sentences_of(document)
    sentence = next(each for each in sentences if words in document.text_of(each.span))
    ranked = RankedPassage(passage, 1.0, Why(1, 1, 1.0))
    return Reading((Candidate(ranked, sentence, 1.0),), (ranked,), 1.0), snapshot


def _compose(text: str, words: str, question: str) -> tuple[AnswerSentence, ...]:
    reading, snapshot = _read(text, words)
    answer = compose(question, reading, snapshot)
    for shown in answer:
        for citation in shown.citations:
            assert text[citation.start : citation.end] == citation.quote
    return answer


def _show(text: str, words: str) -> AnswerSentence:
    (shown,) = _compose(text, words, "How do I build it?")
    return shown


def _parts(sentence: AnswerSentence) -> list[tuple[str, str]]:
    return [(part.role, sentence.text[part.start : part.end]) for part in sentence.parts]


@pytest.mark.parametrize("words", ["make build", "Build it with"])
def test_code_is_shown_with_the_line_that_introduces_it(words: str) -> None:
    """Whether the line or the code is the best candidate."""
    shown = _show(README, words)
    code = "make build\n\n  make test      # 40 seconds"
    assert _parts(shown) == [("lead-in", "Build it with a toolchain:"), ("code", code)]
    assert shown.text == f"Build it with a toolchain:\n{code}"
    assert [citation.quote for citation in shown.citations] == ["Build it with a toolchain:", code]


def test_code_without_lead_in_is_shown_alone() -> None:
    """Its fence is not closed."""
    shown = _show(README, "tool run")
    assert _parts(shown) == [("code", "tool run")]
    assert [citation.quote for citation in shown.citations] == ["tool run"]


def test_code_loses_the_indentation_of_all_lines() -> None:
    (*_, code) = _parts(_show(README, "make one"))
    assert code == ("code", "make one\nmake two")


def test_long_code_is_shown_whole_up_to_a_limit() -> None:
    """The reader gets a long block in pieces."""
    block = "\n".join(f"step {number} of the installation" for number in range(50))
    shown = _show(f"Run:\n\n```\n{block}\n```\n", "step 49")
    assert _parts(shown)[-1] == ("code", block)
    longer = "\n".join(f"step {number} of the installation" for number in range(200))
    piece = _show(f"Run:\n\n```\n{longer}\n```\n", "step 100")
    assert len(piece.text) < MAX_CODE
    assert "step 100" in piece.text


RESTORE = """# Tool

## Restoring

```sh
tool restore
```

This works only for a week. Then it is gone.

## Other

Nothing is changed. Read on.

```sh
tool else
```
"""


@pytest.mark.parametrize(
    ("words", "question", "texts"),
    [
        ("This works", "How do I restore it?", ["tool restore", "This works only for a week."]),
        ("Nothing is", "How can I change it?", ["Nothing is changed.", "tool else"]),
        ("This works", "When does it work?", ["This works only for a week."]),
    ],
)
def test_how_to_gets_the_code_next_to_the_sentence(
    words: str, question: str, texts: list[str]
) -> None:
    """In the order of the document; not the code of another section, and only for a how-to."""
    answer = _compose(RESTORE, words, question)
    assert [sentence.text for sentence in answer] == texts


def test_refused_how_to_shows_the_sentence_alone() -> None:
    """The code next to it is before the sentence, and is not what came nearest."""
    reading, snapshot = _read(RESTORE, "This works")
    refusal = AnswerContent("built-in", (), (), 0.4, "not_in_documents")
    content = add_nearest(refusal, "How do I restore it?", reading, snapshot)
    assert content.nearest is not None
    assert content.nearest.text == "This works only for a week."


def test_how_to_is_answered_by_code(tmp_path: Path) -> None:
    document = text_document(README, "a.md", "Tool", markdown=True)
    answer = word_bot(tmp_path, document).ask("How do I make a test?")
    assert "make test" in answer.text
    assert answer.sentences[0].parts[-1].role == "code"
