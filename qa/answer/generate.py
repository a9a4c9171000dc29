"""Lets a language model answer from passages, and splits its words into claims.

The model cites passages with markers, such as [a1]. Its words are streamed without them. Each
sentence becomes a claim with the passages that it cites; `verify` checks the claims.
"""

import re
import threading
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass

from qa.answer.empty_words import declines, repeats_question, says_nothing
from qa.answer.marker_grammar import unique
from qa.answer.markers import MarkerParser, cited_sentences
from qa.answer.plaintext import plain_text
from qa.answer.prompts import answer_messages, passage_ids
from qa.documents.sentences import segment
from qa.documents.views import ViewOf, plain_view
from qa.errors import LanguageModelError
from qa.llm.model import LanguageModel, Message, prompt_tokens, without_thinking
from qa.reader.reader import Reading
from qa.types import Document, Event, OnEvent, Passage, RankedPassage, Span

ANSWER_TOKENS = 700
"""Tokens of an answer, at most; never more than a third of the model's context."""

MAX_ANSWER = 20_000
"""Characters of an answer that are read; ANSWER_TOKENS are far fewer."""
ANSWER_CUT = (
    f"The language model's answer has more than {MAX_ANSWER:,} characters. "
    "Only its beginning was read."
)
MAX_HINTS = 3
"""Sentences of the reader that the prompt repeats."""
MAX_CLAIMS = 60
"""Sentences of an answer that are checked; an answer of ANSWER_TOKENS has about 30."""
CLAIMS_CUT = (
    f"The language model's answer has more than {MAX_CLAIMS} sentences. "
    f"Only the first {MAX_CLAIMS} were checked and are shown."
)

_MARKDOWN_RULE = re.compile(r"^[ \t]*(?:-+|=+)[ \t]*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence that a language model wrote, as plain text, and the passages that it cites."""

    text: str
    passages: tuple[Passage, ...]
    """In the order of the markers; empty: it cites none."""
    question: str = ""
    """The question that it answers; empty: it is checked alone, as in an overview."""


@dataclass(frozen=True, slots=True)
class DraftAnswer:
    """A language model's answer before it is checked."""

    claims: tuple[Claim, ...]
    """Empty: the model declined."""
    seen: tuple[RankedPassage, ...]
    """The passages that were in the prompt."""
    text: str
    """The words of the model without markers, as they were streamed."""
    notices: tuple[str, ...]
    """What the person should know: which passages were left out, which markers were invalid."""


def draft_answer(
    question: str,
    reading: Reading,
    model: LanguageModel,
    on_event: OnEvent,
    stop: threading.Event,
    view_of: ViewOf = plain_view,
) -> DraftAnswer:
    """Returns what the model answers from the passages of a reading; streams its words as events.

    view_of: gives the text that the model gets of a passage.
    Raises StoppedError once `stop` is set and LanguageModelError for a failure, both with the
    words that had arrived, without markers.
    """
    prompt = _fit_prompt(question, reading, model, model.context_size(stop), view_of)
    parser = MarkerParser(prompt.passages)
    try:
        is_cut = _stream(prompt, parser, model, on_event, stop)
    except LanguageModelError as error:
        error.streamed = parser.text
        raise

    claims = _claims(question, parser, prompt.passages, model)
    left_out = reading.passages[len(prompt.seen) :]
    notices = _left_out_notice(left_out, model, prompt.context)
    notices += _unknown_ids_notice(parser)
    if is_cut:
        notices.append(ANSWER_CUT)
    if len(claims) > MAX_CLAIMS:
        notices.append(CLAIMS_CUT)
    return DraftAnswer(tuple(claims[:MAX_CLAIMS]), prompt.seen, parser.text, tuple(notices))


@dataclass(frozen=True, slots=True)
class _Prompt:
    """A prompt that fits into the model's context, with the passages in it."""

    messages: list[Message]
    seen: tuple[RankedPassage, ...]
    passages: Mapping[str, Passage]
    """The same passages, by the ids that the model cites them with."""
    context: int
    """Tokens of the model's context."""
    answer_tokens: int
    """Tokens that are left for the answer."""


def _stream(
    prompt: _Prompt,
    parser: MarkerParser,
    model: LanguageModel,
    on_event: OnEvent,
    stop: threading.Event,
) -> bool:
    """Feeds the answer to the parser, its words to `on_event`. Returns whether it was too long."""
    # Closed here: an error of `on_event` would keep the stream, and its connection, alive. So would
    # a variable for the model's own stream.
    words = without_thinking(model.stream(prompt.messages, prompt.answer_tokens, stop))
    with closing(words) as pieces:
        is_cut = _read(pieces, parser, on_event)
    last_words = parser.finish()
    on_event(Event("words", last_words))
    return is_cut


def _read(pieces: Iterable[str], parser: MarkerParser, on_event: OnEvent) -> bool:
    """Feeds the words of an answer to the parser. Returns whether the answer was too long."""
    room = MAX_ANSWER
    for piece in pieces:
        words = parser.feed(piece[:room])
        on_event(Event("words", words))
        room -= len(piece)
        if room < 0:
            return True
    return False


def _ids_for(question: str, ranked: Sequence[RankedPassage], view_of: ViewOf) -> list[str]:
    texts = [question]
    for shown in ranked:
        texts.append(view_of(shown.passage).text)
        texts.append(shown.passage.document.title)
    return passage_ids(len(ranked), texts)


def _fit_prompt(
    question: str,
    reading: Reading,
    model: LanguageModel,
    context: int,
    view_of: ViewOf,
) -> _Prompt:
    """Returns the prompt with as many of the best passages as fit into `context` tokens."""
    # A small context needs most of its tokens for the passages.
    answer_tokens = min(ANSWER_TOKENS, context // 3)
    max_tokens = context - answer_tokens
    ranked = reading.passages
    ids = _ids_for(question, ranked, view_of)
    pairs = []
    for passage_id, shown in zip(ids, ranked, strict=True):
        pairs.append((passage_id, shown.passage))
    # The best passages come first, so that the worst are left out.
    for number in range(len(ranked), 0, -1):
        passages = dict(pairs[:number])
        hints = _hints(reading, passages, view_of)
        messages = answer_messages(question, pairs[:number], hints, view_of)
        if prompt_tokens(model, messages) <= max_tokens:
            seen = tuple(ranked[:number])
            return _Prompt(messages, seen, passages, context, answer_tokens)
    raise LanguageModelError(
        f"The question and one passage are too long for {model.name}, which has {max_tokens} "
        "tokens for them. Ask a shorter question, or set QA_LLM_CONTEXT if its context is larger."
    )


def _hints(
    reading: Reading, passages: Mapping[str, Passage], view_of: ViewOf
) -> list[tuple[str, str]]:
    """Returns the sentences that the reader found best in these passages, each with its id.

    Small models search badly, and phrase a given sentence well.
    """
    ids = {passage.id: passage_id for passage_id, passage in passages.items()}
    hints: list[tuple[str, str]] = []
    for candidate in reading.candidates:
        if len(hints) == MAX_HINTS:
            break
        passage = candidate.ranked.passage
        passage_id = ids.get(passage.id)
        view = view_of(passage)
        view_span = view.to_view(candidate.sentence.span)
        if passage_id and view_span:
            words = view.text[view_span.start : view_span.end].split()
            hints.append((passage_id, " ".join(words)))
    return hints


def _left_out_notice(
    left_out: Sequence[RankedPassage], model: LanguageModel, context: int
) -> list[str]:
    if not left_out:
        return []
    passages = "passage" if len(left_out) == 1 else "passages"
    titles = unique(ranked.passage.document.title for ranked in left_out)
    listed = "; ".join(titles)
    return [
        f"{len(left_out)} {passages} did not fit into the context of {model.name} "
        f"({context} tokens): {listed}."
    ]


def _unknown_ids_notice(parser: MarkerParser) -> list[str]:
    names: list[str] = []
    for marker in parser.markers:
        names += marker.unknown
    if not names:
        return []
    listed = ", ".join(unique(names))
    return [f"The language model used footnotes that do not exist: {listed}."]


def _claims(
    question: str,
    parser: MarkerParser,
    passages: Mapping[str, Passage],
    model: LanguageModel,
) -> list[Claim]:
    """Returns the sentences of the answer that say something; none if the model declined.

    Raises LanguageModelError for an answer without a word.
    """
    if declines(parser.text):
        return []
    written = _cited_claims(parser, passages)
    if not written:
        raise LanguageModelError(
            f"{model.name} returned an empty answer. Ask again, or choose another model.",
            parser.text,
        )
    claims = []
    for claim in written:
        is_empty = says_nothing(claim.text) or repeats_question(claim.text, question)
        if not is_empty:
            claims.append(claim)
    return claims


def _cited_claims(parser: MarkerParser, passages: Mapping[str, Passage]) -> tuple[Claim, ...]:
    """Returns the sentences of the answer that have any word, with the passages they cite."""
    source_text = "\n".join(passage.text for passage in passages.values())
    spans = _sentence_spans(parser.text)
    claims = []
    for sentence in cited_sentences(parser.text, parser.markers, spans):
        text = plain_text(sentence.text, source_text)
        if any(map(str.isalnum, text)):
            cited = [passages[passage_id] for passage_id in sentence.ids]
            claims.append(Claim(text, tuple(cited)))
    return tuple(claims)


def _sentence_spans(text: str) -> list[Span]:
    """Returns the spans of the sentences; headings only if there is nothing else."""
    # The Markdown parser must not drop what it reads as markup. Each replacement has the same
    # length: a line of dashes makes a heading of the line before it, a tag begins a block of HTML,
    # and an image hides the end of its sentence.
    readable = _MARKDOWN_RULE.sub(_blank, text)
    readable = readable.replace("<", "‹").replace("![", "‹[")
    everything = segment(Document.of_text(readable, markdown=True))
    prose = [sentence for sentence in everything if sentence.kind != "heading"]
    return [sentence.span for sentence in prose or everything]


def _blank(match: re.Match[str]) -> str:
    return " " * len(match[0])
