"""The other engine: a language model answers in its own words, from the passages, with marks that say which.

Here its words become claims, each a sentence with the passages it was marked with; `verification` checks them.
"""

import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass

from qa.answer import markers as marks
from qa.answer.prompts import DECLINE_SENTENCE, answer_messages, passage_ids
from qa.documents.sentences import segment
from qa.errors import LanguageModelError
from qa.llm.client import LanguageModel, Message, prompt_tokens, without_thinking
from qa.text.facts import folded
from qa.types import Document, Event, OnEvent, Passage, RankedPassage

ANSWER_TOKENS = 700
"""What an answer may have at most."""

_DECLINED = re.compile(
    r"^[\W_]*(?:(?:(?:(?:i am|i'm) (?:very )?)?(?:sorry|afraid)|unfortunately|i apologi[sz]e)\W+(?:(?:but|that) )?)?"
    r"(?:(?:the|these|provided|given)\s+)+(?:documents?|passages?)\s+do(?:es)?\s*(?:not|n't)\s+"
    r"answer\s+(?:this|that|the|your)(?:\s+question)?\s*(?:[^\w\s]|$)",
    re.IGNORECASE,
)
_IMAGE = re.compile(r"!\[[^\[\]]{0,300}\]\([^()\s]{0,2000}(?:\s[^()]{0,300})?\)")
_LINK = re.compile(r"\[([^\[\]]{0,300})\]\(([^()\s]{0,2000})(?:\s[^()]{0,300})?\)")
_ADDRESS = re.compile(
    r"<?\b(?:(?:https?|ftp|data|javascript|mailto):|www\.|(?:[\w-]{1,63}\.){1,5}[a-z]{2,}/)[^\s<>\"']+>?",
    re.IGNORECASE,
)
_AFTER_ADDRESS = ">.,;:!?)]}*_"
_TAG = re.compile(r"</?[a-zA-Z][\w-]{0,60}(?=[\s/>])[^<>]{0,500}>|<!--.{0,500}?-->", re.DOTALL)
_EMPHASIS = re.compile(r"(?<![\w*])(\*{1,3}|_{1,3})(?=\S)([^*_\n]{1,500}?)(?<=\S)\1(?![\w*])")
_CODE = re.compile(r"^[ \t]*(?:`{3,}|~{3,})[^`\n]*$|`+", re.MULTILINE)
_RULE = re.compile(r"^[ \t]*(?:-+|=+)[ \t]*$", re.MULTILINE)
_UNSEEN = re.compile(
    "[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e007f]"
)
"""Signs without a shape, or that turn the order of others around."""
ADDRESS_REMOVED = "[address left out]"


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence that a model wrote, as plain text, with the passages that it marked it with."""

    text: str
    passages: tuple[Passage, ...]


@dataclass(frozen=True, slots=True)
class DraftAnswer:
    """A model's answer before it is checked. No `claims`: it said that the passages do not answer."""

    claims: tuple[Claim, ...]
    seen: tuple[RankedPassage, ...]
    """The passages that were in the prompt."""
    notices: tuple[str, ...]


def draft_answer(
    question: str,
    ranked: Sequence[RankedPassage],
    model: LanguageModel,
    tell: OnEvent,
    stop: threading.Event,
) -> DraftAnswer:
    """What a model answers from these passages, told as it arrives.

    Raises LanguageModelError for a fault and StoppedError when stopped; both carry what had arrived, without marks.
    """
    ids = passage_ids(
        len(ranked), [question, *(one.passage.text + one.passage.document.title for one in ranked)]
    )
    context = model.context_size(stop)
    most = min(ANSWER_TOKENS, context // 3)
    seen, messages = _fitting(question, ranked, ids, model, context - most)
    passages = {key: one.passage for key, one in zip(ids, seen, strict=False)}
    parser = marks.MarkerParser(passages)
    try:
        for piece in without_thinking(model.stream(messages, most, stop)):
            tell(Event("words", parser.feed(piece)))
        tell(Event("words", parser.finish()))
    except LanguageModelError as error:
        error.streamed = parser.text
        raise
    declined = declines(parser.text)
    claims = () if declined else _claims(parser, passages)
    if not (declined or claims):
        raise LanguageModelError(
            f"{model.name} gave an empty answer. Ask again, or choose another model.", parser.text
        )
    return DraftAnswer(
        claims, seen, (*_dropped(ranked[len(seen) :], model, context), *_unknown(parser))
    )


def declines(text: str) -> bool:
    """Whether an answer begins with the words that a model is told to decline with, or nearly."""
    return bool(_DECLINED.match(folded(text))) or folded(text).startswith(folded(DECLINE_SENTENCE))


def plain(text: str, known: str) -> str:
    """A model's Markdown and HTML as plain text, without images; of links the words, of addresses those `known` has."""

    def address(match: re.Match[str]) -> str:
        bare = match[0].strip("<").rstrip(_AFTER_ADDRESS)
        return (
            match[0].strip("<>")
            if bare in known
            else ADDRESS_REMOVED + match[0].strip("<")[len(bare) :].rstrip(">")
        )

    def link(match: re.Match[str]) -> str:
        return (
            f"{match[1]} ({match[2]})"
            if _ADDRESS.fullmatch(match[2]) and match[2] in known
            else match[1]
        )

    text = _without(_TAG, "", _UNSEEN.sub("", _CODE.sub("", text)))
    text = _ADDRESS.sub(address, _LINK.sub(link, _IMAGE.sub("", text)))
    return " ".join(_without(_EMPHASIS, r"\2", text).split())


def _without(pattern: re.Pattern[str], left: str, text: str) -> str:
    """A text in which nothing matches, nor comes to match once the rest is gone; `left`: what stays of a match."""
    while (less := pattern.sub(left, text)) != text:
        text = less
    return text


def _fitting(
    question: str,
    ranked: Sequence[RankedPassage],
    ids: Sequence[str],
    model: LanguageModel,
    room: int,
) -> tuple[tuple[RankedPassage, ...], list[Message]]:
    """As many of the passages, best first, as go with the question into a prompt of `room` tokens."""
    for number in range(len(ranked), 0, -1):
        messages = answer_messages(
            question, [(key, one.passage) for key, one in zip(ids, ranked[:number], strict=False)]
        )
        if prompt_tokens(model, messages) <= room:
            return tuple(ranked[:number]), messages
    raise LanguageModelError(
        f"The question and one passage are more than {model.name} takes: {room} tokens beside the answer. "
        "Ask a shorter question, or set QA_LLM_CONTEXT if the model takes more."
    )


def _dropped(
    dropped: Sequence[RankedPassage], model: LanguageModel, context: int
) -> tuple[str, ...]:
    if not dropped:
        return ()
    passages = "passage" if len(dropped) == 1 else "passages"
    titles = "; ".join(dict.fromkeys(one.passage.document.title for one in dropped))
    return (
        f"{len(dropped)} {passages} did not fit what {model.name} takes ({context} tokens): {titles}.",
    )


def _unknown(parser: marks.MarkerParser) -> tuple[str, ...]:
    """What the model cited and was not given."""
    names = dict.fromkeys(name for mark in parser.marks for name in mark.unknown)
    return (
        (f"The language model cited what it was not given: {', '.join(names)}.",) if names else ()
    )


def _claims(parser: marks.MarkerParser, passages: dict[str, Passage]) -> tuple[Claim, ...]:
    """The sentences of the answer; headings left out, unless there is nothing else."""
    # Of the same length: a rule makes no heading of the line before, a tag no block of HTML, an image ends no sentence.
    text = (
        _RULE.sub(lambda match: " " * len(match[0]), parser.text)
        .replace("<", "‹")
        .replace("![", "‹[")
    )
    everything = segment(Document("", "", "", text, markdown=True))
    sentences = [sentence for sentence in everything if sentence.kind != "heading"] or everything
    known = "\n".join(passage.text for passage in passages.values())
    found = (
        Claim(plain(claim.text, known), tuple(passages[key] for key in claim.ids))
        for claim in marks.cited_sentences(
            parser.text, parser.marks, [sentence.span for sentence in sentences]
        )
    )
    return tuple(claim for claim in found if any(letter.isalnum() for letter in claim.text))
