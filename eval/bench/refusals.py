"""Recognises a refusal of `CitationQueryEngine`: its model says that the sources do not answer.

The prompt of the engine asks the model to "indicate" that "none of the sources are helpful", which
models say in many words; `qa.answer.empty_words` knows them.
"""

from eval.bench.marked_text import without_markers
from qa.answer.empty_words import declines, says_nothing
from qa.documents.sentences import segment
from qa.types import Document

EMPTY_RESPONSE = "Empty Response"
"""What llama-index answers if nothing was retrieved."""


def is_refusal(text: str) -> bool:
    """Returns whether an answer says that the sources do not answer the question.

    The whole text decides, and its first sentence: "It cost 48 million [1]. Its length is not
    mentioned in the sources." is an answer.
    """
    if text == EMPTY_RESPONSE:
        return True
    clean = without_markers(text)
    if declines(clean):
        return True
    return says_nothing(clean) and says_nothing(_first_sentence(clean))


def _first_sentence(text: str) -> str:
    document = Document("", "", "", text)
    for sentence in segment(document):
        return document.text_of(sentence.span)
    return text
