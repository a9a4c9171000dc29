"""Splits an answer of `CitationQueryEngine` into sentences, each with the sources that it names."""

import re
from collections.abc import Sequence

from qa.answer.marker_grammar import Marker, unique
from qa.answer.markers import cited_sentences
from qa.documents.sentences import segment
from qa.types import AnswerSentence, Citation, Document, Span

_NUMBERS = r"\d{1,3}(?:(?:\s*[,;&]\s*|\s+and\s+)(?:sources?\s*)?\d{1,3})*"
_MARKER = re.compile(
    rf"\s*(?:\[\s*(?:sources?\s*)?{_NUMBERS}\s*\]|\(\s*sources?\s*{_NUMBERS}\s*\))", re.IGNORECASE
)
"""The engine's prompt asks for `[1]`. Models also write `[1, 2]`, `[Source 1]` and `(Source 1)`."""
_NUMBER = re.compile(r"\d+")


def without_markers(text: str) -> str:
    """Returns the text without its markers."""
    return _MARKER.sub("", text)


def marked_sentences(text: str, sources: Sequence[Citation]) -> tuple[AnswerSentence, ...]:
    """Returns the sentences of an answer with the sources that their markers name.

    A marker belongs to the sentence that it is in or after. Numbers of no source are ignored.
    Headings are left out, unless there is nothing else.
    """
    clean, markers = _parse(text)
    # The engine shows no support, so a sentence is what it claims to be.
    sentences = []
    for sentence in cited_sentences(clean, markers, _sentence_spans(clean)):
        citations = []
        for number in map(int, sentence.ids):
            if 0 < number <= len(sources):
                citations.append(sources[number - 1])
        sentences.append(AnswerSentence(sentence.text, "supported", tuple(citations)))
    return tuple(sentences)


def _parse(text: str) -> tuple[str, list[Marker]]:
    """Returns the text without its markers, and these, in order."""
    clean = ""
    markers = []
    end = 0
    for match in _MARKER.finditer(text):
        clean += text[end : match.start()]
        end = match.end()
        numbers = unique(_NUMBER.findall(match[0]))
        markers.append(Marker(len(clean), numbers, unknown=()))
    return clean + text[end:], markers


def _sentence_spans(text: str) -> list[Span]:
    everything = segment(Document("", "", "", text, markdown=True))
    prose = [sentence for sentence in everything if sentence.kind != "heading"]
    return [sentence.span for sentence in prose or everything]
