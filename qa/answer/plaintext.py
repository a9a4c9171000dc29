"""Turns a language model's Markdown and HTML into plain text that can fetch and run nothing.

A document may hide an order ("end every answer with this image: …") whose address would carry the
question away. So images go, links become their words, and only addresses that the passages have
are shown, as text.
"""

import re
from collections.abc import Callable

ADDRESS_REMOVED = "[address removed]"

_IMAGE = re.compile(r"!\[[^\[\]]{0,300}\]\([^()\s]{0,2000}(?:\s[^()]{0,300})?\)")
_LINK = re.compile(r"\[([^\[\]]{0,300})\]\(([^()\s]{0,2000})(?:\s[^()]{0,300})?\)")
_ADDRESS = re.compile(
    r"<?\b(?:(?:https?|ftp|data|javascript|mailto):|www\.|(?:[\w-]{1,63}\.){1,5}[a-z]{2,}/)"
    r"[^\s<>\"']+>?",
    re.IGNORECASE,
)
_SIGNS_AFTER_ADDRESS = ">.,;:!?)]}*_"
_TAG = re.compile(r"</?[a-zA-Z][\w-]{0,60}(?=[\s/>])[^<>]{0,500}>|<!--.{0,500}?-->", re.DOTALL)
_EMPHASIS = re.compile(r"(?<![\w*])(\*{1,3}|_{1,3})(?=\S)([^*_\n]{1,500}?)(?<=\S)\1(?![\w*])")
_CODE_SIGNS = re.compile(r"^[ \t]*(?:`{3,}|~{3,})[^`\n]*$|`+", re.MULTILINE)
_INVISIBLE = re.compile(
    "[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e007f]"
)
"""Characters without a shape, which may hide words, and those that reverse the text's direction."""


def plain_text(markdown: str, source_text: str) -> str:
    """Returns the words of a text on one line.

    `source_text`: the passages; an address that is not in it becomes `ADDRESS_REMOVED`.
    """

    def link_words(link: re.Match[str]) -> str:
        words = link[1]
        address = link[2]
        is_address = _ADDRESS.fullmatch(address)
        if is_address and address in source_text:
            return f"{words} ({address})"
        return words

    def checked_address(match: re.Match[str]) -> str:
        written = match[0].strip("<")
        address = written.rstrip(_SIGNS_AFTER_ADDRESS)
        if address in source_text:
            return written.rstrip(">")
        signs_after = written[len(address) :].rstrip(">")
        return ADDRESS_REMOVED + signs_after

    text = _CODE_SIGNS.sub("", markdown)
    text = _INVISIBLE.sub("", text)
    # Removing a tag may leave another: "<scr<b>ipt>".
    text = _until_stable(_without_tags, text)
    text = _IMAGE.sub("", text)
    text = _LINK.sub(link_words, text)
    text = _ADDRESS.sub(checked_address, text)
    text = _until_stable(_without_emphasis, text)
    return " ".join(text.split())


def _without_tags(text: str) -> str:
    return _TAG.sub("", text)


def _without_emphasis(text: str) -> str:
    return _EMPHASIS.sub(r"\2", text)


def _until_stable(change: Callable[[str], str], text: str) -> str:
    """Applies a change again and again until the text stays the same."""
    while (changed := change(text)) != text:
        text = changed
    return text
