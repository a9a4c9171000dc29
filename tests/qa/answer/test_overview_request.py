"""Summaries, comparisons and lists are recognised, and which documents they are about."""

from collections.abc import Sequence

import pytest

from qa.answer.overview_request import MAX_REQUEST, OverviewRequest, overview_request
from qa.types import Turn
from tests.qa.fakes import entry_of, text_document

BRIDGE = entry_of(text_document("Of the bridge.", "bridge-report.txt", "The harbor bridge"))
FERRY = entry_of(text_document("Of the ferry.", "ferry.txt", "The ferry over the wide bay"))
HANDBOOK = entry_of(
    text_document("Staff get 25 days.", "handbook-2024.txt", "Rules for the staff of Elm")
)
LIBRARY = (BRIDGE, FERRY, HANDBOOK)
QUOTED = [Turn("What did it cost?", "The harbor bridge cost 48 million euros.")]
CITED = [Turn("When does it stop?", "In May.", ("ferry.txt",))]


def _asked(question: str, history: Sequence[Turn] = ()) -> OverviewRequest | None:
    return overview_request(question, history, LIBRARY, _quoted)


def _quoted(answer: str) -> str | None:
    return BRIDGE.name if answer == QUOTED[0].answer else None


@pytest.mark.parametrize(
    "question",
    [
        "Summarise this document",
        "Please summarize the document.",
        "Can you summarise it in three sentences?",
        "Give me a short overview",
        "TL;DR",
        "What is this about?",
        "What is this document about?",
        "What are the main points?",
    ],
)
def test_this_document_is_the_last_cited(question: str) -> None:
    """Whether its name is known, or only its words."""
    assert _asked(question, CITED) == OverviewRequest("summary", (FERRY,))
    assert _asked(question, QUOTED) == OverviewRequest("summary", (BRIDGE,))


def test_this_document_is_the_only_one() -> None:
    request = overview_request("Summarise this document", [], [FERRY], _quoted)
    assert request == OverviewRequest("summary", (FERRY,))


def test_this_document_among_several_is_unclear() -> None:
    assert _asked("Summarise this document") == OverviewRequest("summary", LIBRARY, (), True)
    assert _asked("Summarise all documents") == OverviewRequest("summary", LIBRARY)


@pytest.mark.parametrize(
    "question",
    ["Summarise the bridge report", "What is the harbor bridge about?", "overview of the bridge"],
)
def test_document_is_named_by_title_or_file(question: str) -> None:
    assert _asked(question, CITED) == OverviewRequest("summary", (BRIDGE,))


@pytest.mark.parametrize(
    ("question", "topic"),
    [
        ("What do the documents say about tolls?", "tolls"),
        ("What do my files say about the new toll?", "the new toll"),
        ("List all companies that took part.", "companies that took part"),
        ("Which documents mention tolls?", "tolls"),
        ("Summarise the history of toll roads", "the history of toll roads"),
        ("Tell me everything about tolls", "tolls"),
    ],
)
def test_topic_is_looked_for_in_all_documents(question: str, topic: str) -> None:
    assert _asked(question) == OverviewRequest("topic", LIBRARY, (topic,))


def test_topic_is_looked_for_in_the_named_document() -> None:
    request = _asked("What does the handbook say about holidays?")
    assert request == OverviewRequest("topic", (HANDBOOK,), ("holidays",))


@pytest.mark.parametrize(
    "question",
    [
        "Compare the harbor bridge and the ferry",
        "Please compare the bridge report with the ferry",
        "What is the difference between the harbor bridge and the ferry?",
        "How does the harbor bridge differ from the ferry?",
    ],
)
def test_comparison_of_two_documents(question: str) -> None:
    assert _asked(question) == OverviewRequest("comparison", (BRIDGE, FERRY))


def test_comparison_of_the_only_two_documents() -> None:
    request = overview_request("Compare the two documents", [], [BRIDGE, FERRY], _quoted)
    assert request == OverviewRequest("comparison", (BRIDGE, FERRY))


def test_comparison_of_topics() -> None:
    request = _asked("Compare rent and wages")
    assert request == OverviewRequest("comparison", LIBRARY, ("rent", "wages"))


@pytest.mark.parametrize(
    "question",
    [
        "What is the treaty about the river?",
        "What is he worried about?",
        "What does the bay say?",
        "What do the people say about it?",
        "What do the documents say about it?",
        "What is in the box?",
        "What is the difference between rent and wages?",
        "How do the bridge and the tunnel differ?",
        "List the companies that took part.",
        "What is said about tolls?",
        "Compare the share of members who vote against their party in the House and the Senate",
        "Compared to the ferry, what does the bridge cost?",
        "Who wrote the summary?",
        "What are the main reasons for the delay?",
        f"Summarise {'x ' * MAX_REQUEST}",
    ],
)
def test_ordinary_question_is_no_request(question: str) -> None:
    assert _asked(question, [Turn("Who?", "Nobody.")]) is None


def test_empty_library_has_no_overview() -> None:
    assert overview_request("Summarise this document", [], [], _quoted) is None


def test_pronoun_after_an_answer_without_document_is_ordinary() -> None:
    """It may mean anything that was said."""
    assert _asked("What is it about?", [Turn("Who?", "Nobody.")]) is None


def test_same_named_documents_are_summarised_together() -> None:
    older = entry_of(
        text_document("Staff get 20 days.", "handbook-2022.txt", "Rules for the staff of Elm")
    )
    request = overview_request("Summarise the handbook", [], [BRIDGE, older, HANDBOOK], _quoted)
    assert request == OverviewRequest("summary", (older, HANDBOOK))
