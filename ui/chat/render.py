"""What the engine gives becomes HTML. Pure, and every text is escaped: documents and questions are untrusted."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from qa.config import BUILT_IN
from qa.types import AnswerSentence, Citation, Span, Support
from ui.chat.transcript import Shown, Told
from ui.highlight import Mark, cropped, marked_html

SUPPORT: Final[dict[Support, tuple[str, str]]] = {
    "verbatim": ("❝", "the document’s words"),
    "supported": ("✓", "supported"),
    "weak": ("◐", "weakly supported by its footnotes"),
    "unsupported": ("✗", "not supported by the documents"),
}
"""How a sentence stands to its citations: a sign, and words."""
DOUBTS: Final = ("weak", "unsupported")
STAGE_LABELS: Final = {
    "waits": "Waiting for its turn…",
    "adding": "Adding the files to the library…",
    "understand": "Understanding the question…",
    "retrieve": "Searching the documents…",
    "read": "Reading the nearest passages…",
    "answer": "Writing the answer…",
    "words": "Writing the answer…",
    "verify": "Checking each sentence against the documents…",
}
CHECKED = "each sentence checked against the documents."
CONTEXT = 220
"""Characters of the passage shown on either side of the cited words."""
NEAREST = 3


@dataclass(frozen=True, slots=True)
class Note:
    """A footnote of an answer: its number, from 1 in order of first appearance, and what it cites."""

    number: int
    citation: Citation


def notes(told: Told) -> tuple[Note, ...]:
    """The answer's footnotes; words that are cited twice keep their first number."""
    cited = (citation for sentence in told.sentences for citation in sentence.citations)
    return tuple(Note(number, citation) for number, citation in enumerate(dict.fromkeys(cited), 1))


def question_html(question: str, standalone: str | None) -> str:
    """A question as the heading of its answer; `standalone` is how a follow-up was understood."""
    understood = (
        f'<p class="understood">Understood as: {escape(standalone)}</p>' if standalone else ""
    )
    return f'<h2 class="question"><span class="unseen">You asked: </span>{escape(question)}</h2>{understood}'


def stage_html(stage: str | None) -> str:
    """What is being done about a question; None: the models are not there yet."""
    label = STAGE_LABELS.get(stage, "Working…") if stage else "Loading the models…"
    return f'<p class="stage" role="status">{escape(label)}</p>'


def answer_html(told: Told) -> str:
    """An answer with its footnote chips and their cards, or a refusal; below it why it is this one."""
    notices = "".join(f'<p class="notice">{escape(notice)}</p>' for notice in told.notices)
    if told.abstained:
        return notices + _refusal_html(told) + why_html(told)
    numbered = notes(told)
    numbers = {note.citation: note.number for note in numbered}
    sentences = " ".join(_sentence_html(sentence, numbers) for sentence in told.sentences)
    cards = "".join(_card_html(note, told.passages) for note in numbered)
    by = (
        ""
        if told.engine == BUILT_IN
        else f'<p class="by">Written by {escape(told.engine)}, {CHECKED}</p>'
    )
    return f'{notices}<div class="answer"><p>{sentences}</p></div>{by}{cards}{why_html(told)}'


def why_html(told: Told) -> str:
    """The passages that were read with their ranks and scores, and the confidence beside what was asked for."""
    rows = "".join(_row_html(place, shown) for place, shown in enumerate(told.passages, 1))
    if not rows:
        return ""
    head = "".join(
        f'<th scope="col">{name}</th>'
        for name in ("#", "Passage", "Meaning", "Words", "Fused", "Reader")
    )
    verdict = "below" if told.confidence < told.threshold else "at or above"
    return (
        '<details class="why"><summary>Why this answer</summary>'
        f"<p>Confidence that the documents answer: <strong>{told.confidence:.2f}</strong>, {verdict} the threshold "
        f"of {told.threshold:.2f}. These passages were read, the nearest by meaning and by words, fused; the "
        "reader’s score says how sure it is that the answer is in them.</p>"
        f'<div class="scroll" tabindex="0" role="group" aria-label="Passages read"><table><thead><tr>{head}</tr>'
        f"</thead><tbody>{rows}</tbody></table></div>{_seconds_html(told)}</details>"
    )


def _row_html(place: int, shown: Shown) -> str:
    ranks = (str(rank) if rank else "–" for rank in (shown.dense_rank, shown.lexical_rank))
    reader = "–" if shown.reader is None else f"{shown.reader:.2f}"
    cells = "".join(f"<td>{value}</td>" for value in (*ranks, f"{shown.fused:.3f}", reader))
    page = f", page {shown.page}" if shown.page else ""
    where = f'<span class="title">{escape(cropped(shown.title, 60))}</span>{page}'
    return f"<tr><td>{place}</td><td>{where}<br>{escape(cropped(shown.text.strip(), 160))}</td>{cells}</tr>"


def _seconds_html(told: Told) -> str:
    spent = (
        f"{stage} {seconds:.2f} s" for stage, seconds in told.timings.items() if seconds >= 0.005
    )
    return f"<p>{escape(' · '.join(spent))}</p>" if told.timings else ""


def words_html(words: str) -> str:
    """What a language model has written so far, unchecked."""
    lines = (line for line in words.splitlines() if line.strip())
    return '<div class="words">' + "".join(f"<p>{escape(line)}</p>" for line in lines) + "</div>"


def error_html(message: str, streamed: str = "") -> str:
    """A failure: marked as one, and unlike a refusal; below it what a language model had written until then."""
    failed = f'<div class="error" role="alert"><p><strong>This failed.</strong> {escape(message)}</p></div>'
    return failed + _kept_html(streamed)


def stopped_html(streamed: str) -> str:
    """An answer that the person stopped, with what had been written."""
    return f'<p class="notice">You stopped this answer.</p>{_kept_html(streamed)}'


def _kept_html(streamed: str) -> str:
    if not streamed.strip():
        return ""
    return (
        f'<div class="kept"><p>Written until then, and not checked:</p>{words_html(streamed)}</div>'
    )


def examples_html(examples: Sequence[str]) -> str:
    """Questions to start with, each a button that asks it."""
    buttons = "".join(
        f'<li><button type="button" class="example" data-open="{escape(example)}">{escape(example)}</button></li>'
        for example in examples
    )
    return f'<ul class="examples" aria-label="Example questions">{buttons}</ul>'


def actions_html(rating: str | None) -> str:
    """What a person can do about an answer; `rating`: what they thought of it, "good" or "bad"."""
    buttons = "".join(
        f'<button type="button" class="act" data-open="{value}" aria-pressed="{str(rating == value).lower()}">'
        f'<span aria-hidden="true">{sign} </span>{label}</button>'
        for value, sign, label in (("good", "▲", "Good answer"), ("bad", "▼", "Bad answer"))
    )
    return (
        f'<div class="acts" role="group" aria-label="About this answer">{buttons}'
        '<button type="button" class="act" data-open="question">Make a test question</button></div>'
    )


def evidence_html(quotes: Sequence[str]) -> str:
    """Words picked as evidence, each with a button that takes it away."""
    items = "".join(
        f'<li><blockquote>{escape(quote)}</blockquote><button type="button" class="act" data-open="{place}" '
        f'aria-label="Remove this evidence: {escape(cropped(quote, 60))}">Remove</button></li>'
        for place, quote in enumerate(quotes)
    )
    return (
        f'<ul class="evidence" aria-label="Evidence">{items}</ul>'
        if items
        else '<p class="hint">No evidence yet.</p>'
    )


def conversations_html(entries: Sequence[tuple[str, str]], current: str) -> str:
    """Conversations as a list of buttons: ids and titles, the latest first; `current` is the one that is shown."""
    items = "".join(
        f'<li><button type="button" class="entry" data-open="{escape(key)}" '
        f'aria-current="{str(key == current).lower()}">{escape(title)}</button></li>'
        for key, title in entries
    )
    return f'<ul class="entries" aria-label="Conversations">{items}</ul>'


def announcement(told: Told) -> str:
    """What a screen reader says when an answer arrives: plain text, not HTML."""
    said = [*told.notices]
    if told.abstained:
        return " ".join([*said, told.text])
    for sentence in told.sentences:
        doubtful = f" ({SUPPORT[sentence.support][1]})" if sentence.support in DOUBTS else ""
        said.append(sentence.text + doubtful)
    count = len(notes(told))
    return f"{' '.join(said)} {count} {'footnote' if count == 1 else 'footnotes'}."


def _refusal_html(told: Told) -> str:
    nearest = "".join(
        f'<li><span class="title">{escape(shown.title)}</span>'
        f"<blockquote>{escape(shown.text.strip())}</blockquote></li>"
        for shown in told.passages[:NEAREST]
    )
    listed = (
        "<details><summary>Nearest passages – they do not answer the question</summary>"
        f'<ol tabindex="0" aria-label="Nearest passages">{nearest}</ol></details>'
        if nearest
        else ""
    )
    return f'<div class="refusal"><p>{escape(told.text)}</p>{listed}</div>'


def _sentence_html(sentence: AnswerSentence, numbers: dict[Citation, int]) -> str:
    sign, words = SUPPORT[sentence.support]
    flag = (
        f'<span class="support {sentence.support}"><span aria-hidden="true">{sign} </span>'
        f'<span class="unseen">(</span>{words}<span class="unseen">)</span></span>'
    )
    chips = "".join(
        _chip_html(Note(numbers[citation], citation))
        for citation in dict.fromkeys(sentence.citations)
    )
    # The chips stay on the line of the last word: a line that begins with a footnote reads badly.
    cut = sentence.text.rstrip().rfind(" ") + 1
    head, last = _with_bold(sentence, 0, cut), _with_bold(sentence, cut, len(sentence.text))
    return f'<span class="sentence">{head}<span class="tail">{last}{chips}</span> {flag}</span>'


def _with_bold(sentence: AnswerSentence, start: int, end: int) -> str:
    """`text[start:end]` with what is in it of the words that answer in bold."""
    bold = sentence.bold or Span(end, end)
    first, last = min(max(bold.start, start), end), max(min(bold.end, end), start)
    before, words, after = (
        sentence.text[a:b] for a, b in ((start, first), (first, last), (max(first, last), end))
    )
    return escape(before) + (f"<b>{escape(words)}</b>" if words else "") + escape(after)


def _chip_html(note: Note) -> str:
    start = cropped(note.citation.quote, 60)
    return (
        f'<button type="button" class="chip" data-open="{note.number}" data-card="card-{note.number}" '
        f'aria-describedby="card-{note.number}" aria-label="Footnote {note.number}: {escape(start)}">'
        f"{note.number}</button>"
    )


def _card_html(note: Note, passages: Sequence[Shown]) -> str:
    """The passage around the cited words, shown while its chip has the pointer or the focus."""
    citation = note.citation
    shown = next((one for one in passages if one.holds(citation)), None)
    text, start, publisher = (
        (shown.text, shown.start, shown.publisher)
        if shown
        else (citation.quote, citation.start, None)
    )
    body = marked_html(
        text, [Mark(note.number, citation.start - start, citation.end - start)], CONTEXT
    )
    page = f'<span class="publisher">Page {citation.page}</span>' if citation.page else ""
    return (
        f'<div class="card" id="card-{note.number}" role="tooltip" popover="manual">'
        f'<p class="of"><span class="title">{escape(citation.title)}</span>{_publisher_html(publisher)}{page}</p>'
        f'<p class="passage">{body}</p></div>'
    )


def _publisher_html(publisher: str | None) -> str:
    return f'<span class="publisher">{escape(publisher)}</span>' if publisher else ""
