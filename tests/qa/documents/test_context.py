"""What gives a sentence its meaning: headings, lead-ins, questions."""

import pytest

from qa.documents.sentences import Sentence, segment
from tests.qa.fakes import text_document, with_furniture_lines

POLICY = """# Travel

## Costs

You may book. The following are not refunded:

- alcohol
- fines

Hotels cost 90 euros.

### Rail

Take the train.

## Can I fly?

No.

Ask the office first.
"""


def _contexts(text: str, markdown: bool = False) -> dict[str, list[str]]:
    document = text_document(text, markdown=markdown)
    contexts = {}
    for sentence in segment(document):
        words = document.text_of(sentence.span)
        contexts[words] = [document.text_of(span) for span in sentence.context]
    return contexts


def _sentence(text: str, words: str, markdown: bool = False) -> Sentence:
    document = text_document(text, markdown=markdown)
    (sentence,) = [s for s in segment(document) if document.text_of(s.span) == words]
    return sentence


def test_context_markdown_has_headings_and_lead_in() -> None:
    contexts = _contexts(POLICY, markdown=True)
    lead_in = "The following are not refunded:"
    assert contexts["You may book."] == ["Travel", "Costs"]
    assert contexts["alcohol"] == contexts["fines"] == ["Travel", "Costs", lead_in]
    assert contexts["Hotels cost 90 euros."] == ["Travel", "Costs"]
    assert contexts["Take the train."] == ["Travel", "Costs", "Rail"]
    assert contexts["No."] == ["Travel", "Can I fly?"]


def test_context_plain_list_has_its_lead_in() -> None:
    lead_in = "The following expenses are not refunded:"
    contexts = _contexts(f"The trip is paid.\n{lead_in}\n- alcohol\n- fines\n\nThe rest is paid.\n")
    assert contexts["alcohol"] == contexts["fines"] == [lead_in]
    assert contexts["The rest is paid."] == []


def test_context_plain_label_with_colon_is_a_heading() -> None:
    text = "Mix it well.\nIngredients:\n- 400 g flour\n- 3 eggs\n"
    assert not _sentence(text, "Ingredients:").may_answer
    assert _contexts(text)["3 eggs"] == ["Ingredients:"]


def test_context_of_a_section_is_one_tuple() -> None:
    """A book has a million sentences: each must not have a tuple of its own."""
    document = text_document(POLICY, markdown=True)
    items = [sentence for sentence in segment(document) if sentence.kind == "item"]
    assert items[0].context is items[1].context


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Q: Do you deliver?", "A: Yes, within eight days."),
        ("Moderator: Is it shrinking?", "Adler: It lost nine metres."),
        ("Can I send it back?", "No, never."),
    ],
)
def test_context_plain_answer_has_its_question(question: str, answer: str) -> None:
    text = f"{question}\n{answer}\n\nThe shop is in Bonn. It has a garden.\n"
    contexts = _contexts(text)
    assert contexts[answer] == [question]


def test_context_question_ends_with_its_answer() -> None:
    contexts = _contexts("Why now?\nBecause it rains.\nThe rain fell all day.\n")
    assert contexts["Because it rains."] == ["Why now?"]
    assert contexts["The rain fell all day."] == []


def test_context_plain_prose_has_none() -> None:
    """A paragraph that ends with a question does not ask for the paragraph after it."""
    text = "It rained for a week. Who could have known?\nThe bridge was closed on Monday.\n"
    assert not any(_contexts(text).values())


def test_context_numbered_clause_has_its_heading() -> None:
    text = "1. Term\n1.1 It begins in May.\n\n2. Rent\n2.1 The rent is 900 euros.\n"
    assert _contexts(text)["2.1 The rent is 900 euros."] == ["Rent"]
    assert _sentence(text, "Rent").kind == "heading"


def test_context_value_below_a_colon_is_not_a_heading() -> None:
    """The same line after an empty line is the heading of what follows."""
    opening = "This winter, give to:\nTruth and understanding\n"
    text = f"{opening}They all said so.\n\nThe bridge cost 48 million euros.\n"
    assert _contexts(text)["The bridge cost 48 million euros."] == []
    assert _sentence(text, "Truth and understanding").may_answer
    apart = text.replace("to:\n", "to:\n\n")
    assert _contexts(apart)["They all said so."] == ["Truth and understanding"]


def test_context_page_furniture_is_not_a_heading() -> None:
    """The same heading is context where no other page repeats it."""
    text = "The mayor opened the bridge.\n\nOur cause\n\nThe bridge cost 48 million euros.\n"
    page = text_document(text)
    *_, plain = segment(page)
    assert [page.text_of(span) for span in plain.context] == ["Our cause"]
    *_, marked = segment(with_furniture_lines(page, "Our cause"))
    assert marked.context == ()


def test_short_line_without_full_stop_may_answer() -> None:
    text = "The WiFi password is sunflower-77\n\nThe router stands in the hall.\n"
    assert _sentence(text, "The WiFi password is sunflower-77").may_answer


def test_label_above_values_is_a_heading() -> None:
    text = "Opening hours\n\nMonday: 8 to 18\nSunday: closed\n"
    assert not _sentence(text, "Opening hours").may_answer
    assert _contexts(text)["Sunday: closed"] == ["Opening hours"]


@pytest.mark.parametrize("following", ["", "\n## Next\n\nMore.\n"])
def test_heading_without_body_may_answer(following: str) -> None:
    text = f"# Notes\n\n## The pool is closed on Monday\n{following}"
    assert _sentence(text, "The pool is closed on Monday", markdown=True).may_answer
    assert not _sentence(text, "Notes", markdown=True).may_answer


def test_heading_with_body_may_not_answer() -> None:
    text = "# Notes\n\n## The pool is closed on Monday\n\nThe water is cold.\n"
    assert not _sentence(text, "The pool is closed on Monday", markdown=True).may_answer


def test_context_plain_table_has_its_lead_in() -> None:
    text = "These are the prices:\nPlan | Price\nPro | 12\n\nCancel at any time.\n"
    contexts = _contexts(text)
    assert contexts["Pro | 12"] == ["These are the prices:"]
    assert contexts["Cancel at any time."] == []
