"""Citations: whether an answer rests on the gold quotes, and on exact words of the documents.

None for a question without gold quotes, and where nothing is cited for what is a share of the citations. A refusal of
an answerable question cites nothing: its recall and F1 are 0.
"""

from collections.abc import Iterable, Sequence

from eval.dataset import Gold
from eval.metrics.example import Example, agree, cited
from qa.types import Citation, Document, Support


def citation_precision(example: Example) -> float | None:
    """The share of cited characters that are gold (DeYoung et al. 2020, there by tokens)."""
    found, gold = _both(example)
    return len(found & gold) / len(found) if found and gold else None


def citation_recall(example: Example) -> float | None:
    """The share of gold characters that are cited (DeYoung et al. 2020, there by tokens)."""
    found, gold = _both(example)
    return len(found & gold) / len(gold) if gold else None


def citation_f1(example: Example) -> float | None:
    """The harmonic mean of the two, by characters; 0 where nothing is cited (Dice's coefficient)."""
    found, gold = _both(example)
    return 2 * len(found & gold) / (len(found) + len(gold)) if gold else None


def cited_quote_precision(example: Example) -> float | None:
    """The share of citations that agree with a gold quote: they share at least half of the shorter of the two.

    By whole sentences, since that is what is cited and what is gold, so that a comma more or less does not matter
    (DeYoung et al. 2020, with half of the union in place of half of the shorter). What is cited twice counts once.
    """
    found = cited(example.sentences)
    return _share(found, example.gold) if found and example.gold else None


def cited_quote_recall(example: Example) -> float | None:
    """The share of gold quotes that a citation agrees with, as in `cited_quote_precision`."""
    return _share(example.gold, cited(example.sentences)) if example.gold else None


def cited_quote_f1(example: Example) -> float | None:
    """The harmonic mean of the two; 0 where either is 0 or nothing is cited."""
    precision, recall = cited_quote_precision(example) or 0.0, cited_quote_recall(example)
    if not recall:
        return recall
    return 2 * precision * recall / (precision + recall)


def quotes_exact(example: Example) -> float | None:
    """The share of citations that quote the document to the letter, in its version; None without any citation."""
    citations = [
        citation for sentence in example.answer.sentences for citation in sentence.citations
    ]
    exact = [
        _is_exact(citation, example.documents.get(citation.document)) for citation in citations
    ]
    return sum(exact) / len(exact) if exact else None


def supported_sentences(example: Example) -> float | None:
    """The share of the answer's sentences that are the documents' words or follow from them; None for a refusal."""
    return _in_states(example, ("verbatim", "supported"))


def unsupported_sentences(example: Example) -> float | None:
    """The share of the answer's sentences that the documents do not support; None for a refusal. Less is better."""
    return _in_states(example, ("unsupported",))


def _both(example: Example) -> tuple[set[tuple[str, int]], set[tuple[str, int]]]:
    """The characters that are cited, and those that are gold."""
    return _characters(cited(example.sentences)), _characters(example.gold)


def _characters(places: Iterable[Gold]) -> set[tuple[str, int]]:
    """The union of the spans, so that what is cited twice counts once."""
    return {(document, at) for document, span in places for at in range(span.start, span.end)}


def _share(places: Sequence[Gold], others: Sequence[Gold]) -> float:
    """Of the first, those that agree with one of the second."""
    return sum(any(agree(place, other) for other in others) for place in places) / len(places)


def _in_states(example: Example, states: Sequence[Support]) -> float | None:
    found = [sentence.support in states for sentence in example.sentences]
    return sum(found) / len(found) if found else None


def _is_exact(citation: Citation, document: Document | None) -> bool:
    if document is None or citation.version != document.version:
        return False
    # A negative offset would count from the text's end.
    return (
        citation.start >= 0 and document.text[citation.start : citation.end] == citation.quote != ""
    )
