"""The built-in engine: which sentences answer, and which come with them."""

from pathlib import Path

import pytest

from qa.answer.extractive import asks_for_several, compose
from qa.reader.reader import Candidate, Reading
from qa.types import Answer, RankedPassage, Span, Why
from tests.qa.fakes import text_document, with_furniture_lines, word_bot
from tests.qa.texts import NEWS


def _ask(tmp_path: Path, question: str, text: str = NEWS) -> Answer:
    return word_bot(tmp_path, text_document(text, title="News")).ask(question)


def test_compose_cites_a_duplicate_where_the_speaker_is(tmp_path: Path) -> None:
    answer = _ask(tmp_path, "Whom does this bridge belong to, the people who waited?")
    assert answer.text.count("belongs to the people who waited") == 1
    assert "Prado told the crowd" in answer.text


def test_compose_never_uses_page_furniture(tmp_path: Path) -> None:
    lines = ("Subscribe to our newsletter", "Our reporters work for you every day.")
    page = with_furniture_lines(text_document(NEWS, title="News"), *lines)
    for question in ("Subscribe to which newsletter?", "What do our reporters work for every day?"):
        answer = word_bot(tmp_path / question[:4], page).ask(question).text
        assert "newsletter" not in answer
        assert "reporters" not in answer


@pytest.mark.parametrize(
    ("question", "several"),
    [
        ("What countries sent officials?", True),
        ("Which mining companies took part?", True),
        ("What are the three effects?", True),
        ("Name the provinces.", True),
        ("What did the bridge cost?", False),
        ("What is Pakistan’s wealth?", False),
        ("Who opened it?", False),
        ("What does the US want?", False),
        ("What causes rust?", False),
        ("What happens next?", False),
        ("Which bus goes there?", False),
    ],
)
def test_asks_for_several_recognises_lists(question: str, several: bool) -> None:
    assert asks_for_several(question) == several


def test_pronoun_brings_the_sentence_with_the_name(tmp_path: Path) -> None:
    (sentence,) = _ask(
        tmp_path, "Who were the 62 workers who finished the deck during the winter storms?"
    ).sentences
    before, own = sentence.citations
    assert own.quote.startswith("She thanked the 62 workers")
    assert "Prado" in before.quote


def test_he_said_at_the_end_brings_the_name_too(tmp_path: Path) -> None:
    text = "Omar Haddad runs the port.\n“The new cranes will lift forty tons,” he said.\n"
    (sentence,) = _ask(tmp_path, "What will the new cranes lift?", text).sentences
    assert [citation.quote[:4] for citation in sentence.citations] == ["Omar", "“The"]


def test_quotation_brings_the_sentence_with_the_speaker(tmp_path: Path) -> None:
    question = "What was signed by the time they told us in autumn: the contracts?"
    (sentence,) = _ask(tmp_path, question).sentences
    assert [citation.quote for citation in sentence.citations] == [
        "“They knew in spring,” Beck said.",
        "“They told us in autumn, and by then the contracts were signed.”",
    ]


def test_standalone_sentence_comes_alone(tmp_path: Path) -> None:
    answer = _ask(tmp_path, "What did the bridge cost?")
    assert answer.text.startswith("The bridge cost 48 million euros")
    assert [len(sentence.citations) for sentence in answer.sentences] == [1]


def test_list_question_takes_sentences_in_document_order(
    tmp_path: Path,
) -> None:
    text = (
        "The rain fell all day.\nThe fair showed apples from Norra and pears from Lagos.\n"
        "The fair showed plums from Senn and figs from Tarbet.\nThe gates closed at nine.\n"
    )
    answer = _ask(tmp_path, "Which fruits were shown at the fair: apples, plums?", text)
    assert [sentence.text.split()[3] for sentence in answer.sentences] == ["apples", "plums"]
    quotes = [citation.quote for sentence in answer.sentences for citation in sentence.citations]
    assert quotes == text.splitlines()[1:3]


def test_hand_wrapped_sentence_is_shown_on_one_line(tmp_path: Path) -> None:
    """The citation quotes it with its line ends."""
    text = (
        "The old ferry of the town will stop for good in May\nbecause its two boats are sold to the people of the\n"
        "island. The captain of the ferry will go with them to\nthe island. Nobody knows who comes next.\n"
    )
    (sentence,) = _ask(tmp_path, "Why will the old ferry stop?", text).sentences
    assert sentence.citations[0].quote == text[: text.index(" The captain")]
    assert sentence.text == sentence.citations[0].quote.replace("\n", " ")


def test_compose_marks_the_answering_words(tmp_path: Path) -> None:
    """Both in the document and in the answer's text."""
    text = "The old ferry of the town will stop for good in May\nbecause its two boats are sold.\n"
    document = text_document(text, name="a.md", markdown=True)
    bot = word_bot(tmp_path, document)
    snapshot = bot.index.snapshot()
    (passage,) = snapshot.all_passages()
    (sentence,) = snapshot.sentences_of(document)
    ranked = RankedPassage(passage, 1.0, Why(1, 1, 1.0))
    span = Span(text.index("May"), text.index(" its"))
    (given,) = compose(
        "When?", Reading((Candidate(ranked, sentence, 1.0, span),), (ranked,), 1.0), snapshot
    )
    assert given.answer_words is not None
    assert given.answer_words.quote == "May\nbecause"
    assert given.bold_span is not None
    assert given.text[given.bold_span.start : given.bold_span.end] == "May because"


@pytest.mark.parametrize(
    ("question", "sentences"),
    [
        ("Which laptop is waterproof?", 2),
        ("Which laptop costs 949 dollars?", 1),
        ("Which laptop is red?", 1),
    ],
)
def test_named_thing_comes_with_the_sentence_that_has_the_property(
    tmp_path: Path, question: str, sentences: int
) -> None:
    text = "The Stratos costs 949 dollars. It is waterproof.\n\nIt rained in May.\n"
    document = text_document(text, name="a.txt")
    snapshot = word_bot(tmp_path, document).index.snapshot()
    (passage,) = snapshot.all_passages()
    ranked = RankedPassage(passage, 1.0, Why(1, 1, 1.0))
    stored = snapshot.sentences_of(document)
    candidates = [Candidate(ranked, sentence, -index) for index, sentence in enumerate(stored)]
    answer = compose(question, Reading(tuple(candidates), (ranked,), 1.0), snapshot)
    shown = ["The Stratos costs 949 dollars.", "It is waterproof."]
    assert [sentence.text for sentence in answer] == shown[:sentences]


@pytest.mark.parametrize(
    ("question", "margins", "whole"),
    [
        ("What does an employee need?", (2.0, 0.5, -1.0), True),
        # The reader is sure of an item, and a question for a number or a yes has one answer.
        ("What does an employee need?", (3.0, -5.0, -6.0), False),
        ("How much does an employee need?", (2.0, 0.5, -1.0), False),
        ("Does an employee need a passport?", (2.0, 0.5, -1.0), False),
    ],
)
def test_list_is_shown_whole_where_its_items_answer_alike(
    tmp_path: Path, question: str, margins: tuple[float, ...], whole: bool
) -> None:
    text = (
        "# Travel\n\nFor each trip they bring:\n\n- a passport\n- an insurance card\n- the form\n"
    )
    document = text_document(text, name="a.md", markdown=True)
    snapshot = word_bot(tmp_path, document).index.snapshot()
    (passage,) = snapshot.all_passages()
    ranked = RankedPassage(passage, 1.0, Why(1, 1, 1.0))
    items = [sentence for sentence in snapshot.sentences_of(document) if sentence.kind == "item"]
    candidates = []
    for item, margin in zip(items, margins, strict=True):
        candidates.append(Candidate(ranked, item, margin, margin=margin))
    (answer,) = compose(question, Reading(tuple(candidates), (ranked,), 1.0), snapshot)
    assert ("the form" in answer.text) is whole


@pytest.mark.parametrize(("mark", "whole"), [("1.", True), ("-", False)])
def test_steps_below_the_title_are_shown_whole(tmp_path: Path, mark: str, whole: bool) -> None:
    lines = ("Fill the tank.", "Put coffee into the filter.", "Press the button.")
    steps = "".join(f"{mark} {line}\n" for line in lines)
    title = "Coffee machine manual"
    document = text_document(f"# {title}\n\n{steps}", name="a.md", title=title, markdown=True)
    snapshot = word_bot(tmp_path, document).index.snapshot()
    (passage,) = snapshot.all_passages()
    ranked = RankedPassage(passage, 1.0, Why(1, 1, 1.0))
    items = [sentence for sentence in snapshot.sentences_of(document) if sentence.kind == "item"]
    best = Candidate(ranked, items[1], 1.0)
    question = "How do I make coffee with the machine?"
    (answer,) = compose(question, Reading((best,), (ranked,), 1.0), snapshot)
    assert ("Press the button" in answer.text) is whole


def test_first_word_is_a_name_only_if_it_is_one_elsewhere(tmp_path: Path) -> None:
    text = (
        "Maria Lopez runs the bakery of the town. The oven broke in the spring of last year.\n"
        "She bought a second oven from a monastery.\n"
    )
    (sentence,) = _ask(tmp_path, "What was bought from a monastery?", text).sentences
    assert [citation.quote.split()[0] for citation in sentence.citations] == ["Maria", "She"]


def test_quotation_with_its_speaker_comes_alone(tmp_path: Path) -> None:
    text = "Rents in Oslo rose by 18 percent.\n“They were in the room when it was signed,” said Petra Lind.\n"
    (sentence,) = _ask(tmp_path, "Who was in the room when it was signed?", text).sentences
    assert [citation.quote.split()[0] for citation in sentence.citations] == ["“They"]


def test_antecedent_is_not_before_a_heading_or_in_a_table(tmp_path: Path) -> None:
    text = "# Faults\n\n| E7 | Call Ana Ruiz |\n|---|---|\n| E8 | Call Bo Lund |\n\n## Mira\n\nShe designed the head.\n"
    bot = word_bot(tmp_path, text_document(text, name="a.md", markdown=True))
    (sentence,) = bot.ask("Who designed the head?").sentences
    assert [citation.quote for citation in sentence.citations] == ["She designed the head."]


def test_answer_in_an_interview_brings_its_question(tmp_path: Path) -> None:
    text = "Q: When did you come to the island?\nA: In 1991, after the mill had closed.\nQ: And then?\nA: I fished.\n"
    (sentence,) = _ask(tmp_path, "What had closed in 1991, the mill?", text).sentences
    assert [citation.quote[:2] for citation in sentence.citations] == ["Q:", "A:"]


def test_every_citation_is_in_a_passage_of_the_answer(tmp_path: Path) -> None:
    text = f"Maria Lopez ran the yard.\n{'Filler stands here. ' * 60}\nShe sold the yard to a bank in the end.\n"
    text = text.replace("Filler stands here. ", "", 55)
    document = text_document("x " * 150 + ".\n" + text + "y " * 150 + ".\n")
    bot = word_bot(tmp_path, document, top_k=1)
    answer = bot.ask("What was sold to a bank in the end?")
    for sentence in answer.sentences:
        for citation in sentence.citations:
            assert any(
                one.passage.span.start <= citation.start < one.passage.span.end
                for one in answer.passages
            )
