"""A conversation as Markdown and as JSON, with its citations."""

import json
import re
from collections.abc import Sequence
from typing import Any

from qa.types import Citation
from ui.chat.history import Exchange
from ui.chat.render import DOUBTS, SUPPORT, notes
from ui.chat.transcript import OUTCOME, Told

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~])")


def as_markdown(title: str, exchanges: Sequence[Exchange]) -> str:
    """The conversation to read: each answer with numbered footnotes, and below it the quotes and where they are."""
    parts = [f"# {_plain(title)}", *(_exchange(exchange) for exchange in exchanges)]
    return "\n\n".join(parts) + "\n"


def as_json(title: str, exchanges: Sequence[Exchange]) -> str:
    """The conversation whole: everything that the page shows, with every citation's offsets."""
    rows = [
        {
            "question": exchange.question,
            "rating": exchange.rating,
            **(
                OUTCOME.dump_python(exchange.outcome, mode="json") if exchange.outcome else _NOTHING
            ),
        }
        for exchange in exchanges
    ]
    return json.dumps({"title": title, "exchanges": rows}, ensure_ascii=False, indent=1) + "\n"


_NOTHING: dict[str, Any] = {"told": None, "failure": None}


def _exchange(exchange: Exchange) -> str:
    lines = [f"## {_plain(exchange.question)}"]
    outcome = exchange.outcome
    if outcome and outcome.told:
        lines += _answer(exchange.question, outcome.told)
    elif outcome and outcome.failure:
        failure = outcome.failure
        lines.append(
            "*Stopped.*" if failure.stopped else f"*This failed: {_plain(failure.message)}*"
        )
    else:
        lines.append("*Not answered.*")
    return "\n\n".join(lines)


def _answer(question: str, told: Told) -> list[str]:
    lines = [f"*Note: {_plain(notice)}*" for notice in told.notices]
    if told.standalone_question != question:
        lines.insert(0, f"*Understood as: {_plain(told.standalone_question)}*")
    if told.abstained:
        return [*lines, _plain(told.text)]
    numbered = notes(told)
    numbers = {note.citation: note.number for note in numbered}
    sentences = []
    for sentence in told.sentences:
        marks = "".join(f"[{numbers[citation]}]" for citation in dict.fromkeys(sentence.citations))
        doubt = f" *({SUPPORT[sentence.support][1]})*" if sentence.support in DOUBTS else ""
        sentences.append(f"{_plain(sentence.text)}{marks.replace('[', chr(92) + '[')}{doubt}")
    listed = "\n".join(f"- \\[{note.number}] {_place(note.citation)}" for note in numbered)
    return [*lines, " ".join(sentences), *([listed] if listed else [])]


def _place(citation: Citation) -> str:
    page = f"page {citation.page}, " if citation.page else ""
    where = f"{_plain(citation.document)}, {page}characters {citation.start}–{citation.end}"
    return f"{_plain(citation.title)} ({where}): “{_plain(citation.quote)}”"


def _plain(text: str) -> str:
    """A text in one line, with nothing in it that Markdown or HTML would act on."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split())).replace("&", "&amp;")
