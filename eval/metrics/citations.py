"""Citation metrics: whether an answer cites the gold quotes, in the exact words of the documents.

The score is None if the question has no gold quotes, and precision is None if nothing is cited.
What is cited twice counts once. A refusal of an answerable question cites nothing: recall and F1
are 0.

Of a quote that stands in several places, any counts. Where characters are counted, these are those
of the place that is cited most; its other places count neither for nor against the answer.
"""

from collections.abc import Iterable, Sequence

from eval.dataset import DocumentSpan
from eval.metrics.example import Example, cited, holds_quote
from eval.metrics.metric import Metric
from qa.types import Citation, Document, Support

Characters = set[tuple[str, int]]
"""Characters of the library, each by document name and offset."""


def citation_precision(example: Example) -> float | None:
    """Returns the share of the cited characters that are gold."""
    citations, gold = _compared_characters(example)
    return len(citations & gold) / len(citations) if citations and gold else None


def citation_recall(example: Example) -> float | None:
    """Returns the share of the gold characters that are cited."""
    citations, gold = _compared_characters(example)
    return len(citations & gold) / len(gold) if gold else None


def citation_f1(example: Example) -> float | None:
    """Returns the F1 of cited and gold characters; 0 if nothing is cited (Dice's coefficient)."""
    citations, gold = _compared_characters(example)
    return 2 * len(citations & gold) / (len(citations) + len(gold)) if gold else None


def cited_quote_precision(example: Example) -> float | None:
    """Returns the share of the citations that agree with a gold quote.

    They agree if they share at least half of the shorter of the two, so that a comma more or less
    does not matter (the paper asks for half of the union).
    """
    citations = cited(example.sentences)
    if not citations or not example.gold:
        return None
    agreeing = 0
    for citation in citations:
        agreeing += any(holds_quote(citation, quote) for quote in example.gold)
    return agreeing / len(citations)


def cited_quote_recall(example: Example) -> float | None:
    """Returns the share of the gold quotes that agree with a citation."""
    if not example.gold:
        return None
    citations = cited(example.sentences)
    agreeing = 0
    for quote in example.gold:
        agreeing += any(holds_quote(citation, quote) for citation in citations)
    return agreeing / len(example.gold)


def cited_quote_f1(example: Example) -> float | None:
    """Returns the F1 of agreeing citations and gold quotes; 0 if nothing is cited."""
    recall = cited_quote_recall(example)
    # None without gold quotes; 0 also if nothing is cited, where precision is None.
    if not recall:
        return recall
    precision = cited_quote_precision(example) or 0.0
    return 2 * precision * recall / (precision + recall)


def quotes_exact(example: Example) -> float | None:
    """Returns the share of the citations that quote the document to the letter, in its version."""
    citations: list[Citation] = []
    for sentence in example.answer.sentences:
        citations += sentence.citations
    if not citations:
        return None
    exact = 0
    for citation in citations:
        exact += _is_exact(citation, example.documents.get(citation.document))
    return exact / len(citations)


def supported_sentences(example: Example) -> float | None:
    """Returns the share of the answer's sentences that are verbatim or supported."""
    return _share_with_support(example, ("verbatim", "supported"))


def unsupported_sentences(example: Example) -> float | None:
    """Returns the share of the answer's sentences that the documents do not support."""
    return _share_with_support(example, ("unsupported",))


def _compared_characters(example: Example) -> tuple[Characters, Characters]:
    """Returns the cited characters that count, and the gold characters.

    The gold characters of a quote are those of its span that is cited most.
    """
    citations = _characters(cited(example.sentences))
    gold: Characters = set()
    of_all_spans: Characters = set()
    for quote in example.gold:
        most_shared = -1
        most_cited: Characters = set()
        for span in quote:
            characters = _characters([span])
            of_all_spans |= characters
            shared = len(characters & citations)
            # Of equal spans the first counts.
            if shared > most_shared:
                most_shared = shared
                most_cited = characters
        gold |= most_cited

    uncounted = of_all_spans - gold
    return citations - uncounted, gold


def _characters(spans: Iterable[DocumentSpan]) -> Characters:
    """Returns the characters of the spans, each once."""
    # A set, so that overlapping spans count once.
    characters: Characters = set()
    for document, span in spans:
        characters.update((document, offset) for offset in range(span.start, span.end))
    return characters


def _share_with_support(example: Example, supports: Sequence[Support]) -> float | None:
    sentences = example.sentences
    if not sentences:
        return None
    matching = sum(sentence.support in supports for sentence in sentences)
    return matching / len(sentences)


def _is_exact(citation: Citation, document: Document | None) -> bool:
    if document is None or citation.version != document.version:
        return False
    # A negative offset would count from the text's end.
    if citation.start < 0 or not citation.quote:
        return False
    return document.text[citation.start : citation.end] == citation.quote


METRICS = (
    Metric(
        name="citation_precision",
        label="citation precision",
        section="Citations",
        score=citation_precision,
        paper="DeYoung et al. 2020, by characters",
    ),
    Metric(
        name="citation_recall",
        label="citation recall",
        section="Citations",
        score=citation_recall,
        paper="DeYoung et al. 2020, by characters",
    ),
    Metric(
        name="citation_f1",
        label="citation F1",
        section="Citations",
        score=citation_f1,
        paper="DeYoung et al. 2020, by characters",
    ),
    Metric(
        name="cited_quote_precision",
        label="cited quotes precision",
        section="Citations",
        score=cited_quote_precision,
        in_tables=False,
        paper="DeYoung et al. 2020, with half of the shorter",
    ),
    Metric(
        name="cited_quote_recall",
        label="cited quotes recall",
        section="Citations",
        score=cited_quote_recall,
        in_tables=False,
        paper="DeYoung et al. 2020, with half of the shorter",
    ),
    Metric(
        name="cited_quote_f1",
        label="cited quotes F1",
        section="Citations",
        score=cited_quote_f1,
        paper="DeYoung et al. 2020, with half of the shorter",
    ),
    Metric(
        name="quotes_exact",
        label="quotes exact",
        section="Citations",
        score=quotes_exact,
    ),
    Metric(
        name="supported_sentences",
        label="sentences supported",
        section="Citations",
        score=supported_sentences,
        in_tables=False,
    ),
    Metric(
        name="unsupported_sentences",
        label="sentences not supported",
        section="Citations",
        score=unsupported_sentences,
        better="lower",
    ),
)
