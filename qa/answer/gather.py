"""Overviews, step 3 of 3: a language model writes the overview part by part, and joins the parts.

Without a language model, or if nothing supports its sentences, the sentences of step 2
(`selection.py`) are the answer.

Each part is as many passages as fit the model's window, and is drafted like any answer. The claims
of the parts are then given to the model as passages, and the claims that it joins from them cite
what the claims of the parts cited.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from qa.answer.generate import Claim, DraftAnswer
from qa.answer.marker_grammar import unique
from qa.answer.overview_request import OverviewRequest
from qa.answer.prompts import COMPARISON_TASK, SUMMARY_TASK, TOPIC_TASK
from qa.answer.selection import short_title
from qa.types import Document, Event, OnEvent, Passage, RankedPassage, Span

Draft = Callable[[str, Sequence[RankedPassage]], DraftAnswer]
"""Lets the model answer a question from the passages that fit; the first of them are seen."""

MAX_CALLS = 8
"""Calls of the model for an overview, with the call that joins the parts."""
PART_PASSAGES = 40
"""Passages that are offered for a part; fewer may fit."""
PART_CLAIMS = 8
"""Claims of a part that are joined."""
NOT_READ = "The language model read {read} of {total} passages. Not read to the end: {titles}."


def gather(
    request: OverviewRequest, passages: Sequence[RankedPassage], draft: Draft, on_event: OnEvent
) -> DraftAnswer:
    """Returns the draft of an overview from all passages, in the order in which they are given.

    Raises what `draft` raises. Without a claim, the model declined.
    """
    task = _task(request)
    parts: list[DraftAnswer] = []
    read = 0
    while read < len(passages) and len(parts) < MAX_CALLS - 1:
        part = draft(task, passages[read : read + PART_PASSAGES])
        parts.append(part)
        read += len(part.seen)
        # The words of the parts follow each other on the page.
        on_event(Event("words", "\n\n"))

    notices = _not_read(passages, read)
    if len(parts) == 1:
        # What this draft says of passages that did not fit is said for all parts together.
        return replace(parts[0], notices=notices)

    claims: list[Claim] = []
    seen: list[RankedPassage] = []
    for part in parts:
        claims += part.claims[:PART_CLAIMS]
        seen += part.seen
    joined = _joined(task, claims, draft) if claims else []
    text = " ".join(claim.text for claim in joined or claims)
    used = {passage.id for claim in claims for passage in claim.passages}
    # Only the cited passages stay: the verifier would try all passages for each doubtful claim.
    cited = [ranked for ranked in seen if ranked.passage.id in used]
    return DraftAnswer(tuple(joined or claims), tuple(cited), text, notices)


def _task(request: OverviewRequest) -> str:
    """Returns the question that the model gets for each part."""
    if request.kind == "topic":
        return TOPIC_TASK.format(topic=request.topics[0])
    if request.kind == "comparison":
        # A title comes from a file: a long one has room for instructions.
        titles = [short_title(document) for document in request.documents]
        first, second = request.topics or titles
        return COMPARISON_TASK.format(first=first, second=second)
    return SUMMARY_TASK


def _joined(task: str, claims: Sequence[Claim], draft: Draft) -> list[Claim]:
    """Returns what the model makes of the claims of all parts, with their passages."""
    text = "\n\n".join(claim.text for claim in claims)
    document = Document.of_text(text)
    notes = []
    passages_at: dict[int, tuple[Passage, ...]] = {}
    start = 0
    for claim in claims:
        span = Span(start, start + len(claim.text))
        notes.append(RankedPassage.unranked(Passage(document, span)))
        passages_at[start] = claim.passages
        start = span.end + len("\n\n")

    joined = []
    for claim in draft(task, notes).claims:
        cited: dict[str, Passage] = {}
        for note in claim.passages:
            cited |= {passage.id: passage for passage in passages_at[note.span.start]}
        joined.append(Claim(claim.text, tuple(cited.values())))
    return joined


def _not_read(passages: Sequence[RankedPassage], read: int) -> tuple[str, ...]:
    left_out = passages[read:]
    if not left_out:
        return ()
    titles = "; ".join(unique(ranked.passage.document.title for ranked in left_out))
    return (NOT_READ.format(read=read, total=len(passages), titles=titles),)
