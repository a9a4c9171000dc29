"""The chain as a whole: what every answer keeps, whatever is asked of whatever text."""

import json
import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.answer.content import NOT_SURE, REFUSALS
from qa.answer.decision import MIN_NEAREST
from qa.bot import MAX_TURNS, QUESTION_CUT, Bot
from qa.config import Settings
from qa.errors import FootnoteError
from qa.types import MAX_QUESTION, Answer, Document, Event, Turn
from tests.properties import examples
from tests.qa.fakes import text_document, word_bot
from tests.qa.texts import NEWS, PIECES, texts

KEYS = [
    "question",
    "standalone_question",
    "answer",
    "abstained",
    "reason",
    "confidence",
    "sentences",
    "passages",
]
QUESTIONS = [
    "What did the bridge cost?",
    "Who said what?",
    "why",
    "日本語",
    "List the items and the sums.",
    "😀",
]


def _is_exact(answer: Answer, *documents: Document) -> None:
    """Citations are exact, and were read; sentences are given once, whole, in order; a refusal has none.

    Between the quoted words stand only spaces, ": " and "; ".
    """
    library = {document.name: document for document in documents}
    cited = [citation for sentence in answer.sentences for citation in sentence.citations]
    for citation in cited:
        document = library[citation.document]
        assert document.text[citation.start : citation.end] == citation.quote != ""
        assert citation.version == document.version
    for sentence in answer.sentences:
        quoted = {
            word.strip(":;|") for citation in sentence.citations for word in citation.quote.split()
        }
        assert {word.strip(":;|") for word in sentence.text.split()} <= quoted
        assert len(set(sentence.citations)) == len(sentence.citations)
    # Only the header of a table, or a question, introduces several sentences.
    given = [sentence.citations[-1] for sentence in answer.sentences]
    assert len(set(given)) == len(given)
    firsts = [
        (sentence.citations[-1].document, sentence.citations[-1].start)
        for sentence in answer.sentences
    ]
    assert firsts == sorted(firsts)
    assert len(answer.sentences) <= 3
    assert answer.abstained == (not answer.sentences)


@pytest.mark.slow
@examples(60)
@given(texts.filter(str.strip), st.booleans(), st.sampled_from(QUESTIONS))
def test_ask_any_text_has_exact_citations(
    tmp_path_factory: pytest.TempPathFactory, text: str, markdown: bool, question: str
) -> None:
    document = text_document(text, markdown=markdown)
    _is_exact(word_bot(tmp_path_factory.mktemp("exact"), document).ask(question), document)


@pytest.mark.slow
def test_ask_200_documents_has_exact_citations(tmp_path: Path) -> None:
    rng = random.Random(7)
    documents = [
        text_document(
            "Begin here. " + "".join(rng.choices(PIECES, k=rng.randint(1, 25))),
            f"{n}.md",
            markdown=n % 2 == 0,
        )
        for n in range(200)
    ]
    bot = word_bot(tmp_path, *documents)
    cited = 0
    for document in documents:
        for question in ("What did the bridge cost?", "Which items are first?"):
            answer = bot.ask(question, documents=[document.name])
            _is_exact(answer, document)
            cited += sum(len(sentence.citations) for sentence in answer.sentences)
    assert cited >= 300


def test_answer_json_has_the_contract_keys(seed_bot: Bot) -> None:
    told = seed_bot.ask("How much gold does Reko Diq hold?").as_json()
    assert list(told) == [*KEYS, "engine", "timings", "notices"]
    assert list(told["sentences"][0]) == ["text", "support", "citations", "span"]
    assert list(told["sentences"][0]["citations"][0]) == [
        "document",
        "title",
        "version",
        "start",
        "end",
        "quote",
    ]
    assert list(told["passages"][0]) == ["document", "start", "end", "text", "score", "why"]
    assert list(told["passages"][0]["why"]) == ["dense_rank", "lexical_rank", "fused", "reader"]
    assert list(told["timings"]) == ["retrieve", "read", "answer", "verify", "total"]
    assert json.loads(json.dumps(told, allow_nan=False)) == told


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("How much gold does Reko Diq hold?", "over 40 million ounces of gold"),
        (
            "What was Meyer’s visit to Islamabad meant to advance?",
            "was meant to advance US interests",
        ),
        ("how many participnats attended the mineral forum", "around 2,000 participants"),
        ("If the US invests here, what could the impact be?", "“If the US invests here"),
    ],
)
def test_ask_seed_article_is_answered_exactly(seed_bot: Bot, question: str, words: str) -> None:
    answer = seed_bot.ask(question)
    _is_exact(answer, *seed_bot.index.documents())
    assert words in answer.text


def test_ask_below_threshold_is_refused_with_reason(tmp_path: Path) -> None:
    answer = word_bot(tmp_path, text_document(NEWS), threshold=0.5).ask("Quelle?")
    assert (answer.reason, answer.text, answer.sentences) == (
        "not_in_documents",
        REFUSALS["not_in_documents"],
        (),
    )
    assert 0 < answer.confidence < MIN_NEAREST
    assert answer.nearest is None
    assert "nearest" not in answer.as_json()
    assert answer.passages


def test_ask_just_below_threshold_shows_the_nearest(tmp_path: Path) -> None:
    """It is a refusal, which says so; the nearest sentence has exact citations."""
    document = text_document(NEWS)
    bot = word_bot(tmp_path, document, threshold=1.0)
    answer = bot.ask("What did the bridge cost?")
    assert (answer.reason, answer.text, answer.sentences) == ("not_in_documents", NOT_SURE, ())
    assert answer.nearest
    assert "48 million" in answer.nearest.text
    assert answer.nearest.support == "verbatim"
    for citation in answer.nearest.citations:
        assert document.text[citation.start : citation.end] == citation.quote
        spans = [ranked.passage.span for ranked in answer.passages]
        assert any(span.start <= citation.start < span.end for span in spans)
    assert answer.as_json()["nearest"] == answer.nearest.as_json()
    assert answer.as_json()["abstained"]


def test_ask_sure_answer_has_no_nearest(tmp_path: Path) -> None:
    answer = word_bot(tmp_path, text_document(NEWS), threshold=0.5).ask("What did the bridge cost?")
    assert answer.sentences
    assert answer.nearest is None


def test_ask_unrelated_question_is_refused_by_default(seed_bot: Bot, tmp_path: Path) -> None:
    careful = Bot(seed_bot.index, seed_bot._embedder, seed_bot._reader, Settings(home=tmp_path))
    assert careful.ask("How long should I boil an egg?").reason == "not_in_documents"
    assert careful.ask("How much gold and copper does Reko Diq hold?").reason is None


def test_ask_empty_library_has_its_own_reason(tmp_path: Path) -> None:
    answer = word_bot(tmp_path).ask("What did the bridge cost?")
    assert (answer.reason, answer.confidence, answer.passages) == ("no_documents", 0.0, ())


@pytest.mark.parametrize("question", ["Hello", "Which documents do you have?", "thanks"])
def test_ask_small_talk_is_replied_to(tmp_path: Path, question: str) -> None:
    """Nothing is searched, cited or counted as an answer."""
    events: list[Event] = []
    answer = word_bot(tmp_path, text_document(NEWS)).ask(question, on_event=events.append)
    assert (answer.reason, answer.abstained, answer.confidence) == ("conversation", True, 0.0)
    assert (answer.sentences, answer.passages, events) == ((), (), [])
    assert answer.text
    assert answer.text not in REFUSALS.values()
    assert answer.as_json()["reason"] == "conversation"


@pytest.mark.slow
@pytest.mark.parametrize("thing", ["population", "GDP", "capital", "inflation"])
def test_thing_that_the_article_lacks_is_refused(seed_bot: Bot, tmp_path: Path, thing: str) -> None:
    """A number next to the right name is not enough: "around 2,000 participants" is neither."""
    bot = Bot(seed_bot.index, seed_bot._embedder, seed_bot._reader, Settings(home=tmp_path))
    answer = bot.ask(f"What is the {thing} of Pakistan?")
    assert answer.reason == "not_in_documents"


def test_follow_up_leans_on_the_question_before_thanks(tmp_path: Path) -> None:
    history = [Turn("What did the harbor bridge cost?", "48 million."), Turn("Thanks!", "Welcome.")]
    answer = word_bot(tmp_path, text_document(NEWS)).ask("Who opened it?", history)
    assert "Thanks" not in answer.standalone_question


def test_ask_summary_quotes_a_selection(tmp_path: Path) -> None:
    document = text_document(NEWS)
    events: list[Event] = []
    answer = word_bot(tmp_path, document).ask("Summarise this document", on_event=events.append)
    _is_exact(answer, document)
    assert (len(answer.sentences), answer.reason, answer.engine) == (3, None, "built-in")
    assert "selection" in answer.notices[0]
    assert [event.stage for event in events] == ["read"]
    cited = {citation for sentence in answer.sentences for citation in sentence.citations}
    for citation in cited:
        spans = [ranked.passage.span for ranked in answer.passages]
        assert any(span.start <= citation.start < span.end for span in spans)


def test_ask_summary_means_the_document_cited_before(tmp_path: Path) -> None:
    ferry = text_document("The ferry stops in May. A ticket costs three euros.", "b.txt", "Ferry")
    history = [Turn("When does the ferry stop?", "In May.", ("b.txt",))]
    bot = word_bot(tmp_path, text_document(NEWS), ferry)
    answer = bot.ask("What is this document about?", history)
    assert {sentence.citations[0].document for sentence in answer.sentences} == {"b.txt"}


def test_ask_about_a_topic_quotes_every_document(tmp_path: Path) -> None:
    ferry = text_document("The ferry across the bay costs three euros.", "b.txt", "Ferry")
    bot = word_bot(tmp_path, text_document(NEWS), ferry)
    answer = bot.ask("What do the documents say about the ferry across the bay?")
    assert {sentence.citations[0].document for sentence in answer.sentences} == {"a.txt", "b.txt"}


def test_ask_about_a_topic_of_no_document_is_an_ordinary_question(tmp_path: Path) -> None:
    answer = word_bot(tmp_path, text_document(NEWS), threshold=1.0).ask("List all volcanoes")
    assert answer.reason == "not_in_documents"


@pytest.mark.parametrize("question", ["", " \n"])
def test_ask_empty_question_raises(tmp_path: Path, question: str) -> None:
    with pytest.raises(FootnoteError, match="empty"):
        word_bot(tmp_path).ask(question)


def test_ask_half_a_character_raises(tmp_path: Path) -> None:
    """In the question it is our error; in an earlier turn it does no harm."""
    bot = word_bot(tmp_path, text_document(NEWS))
    with pytest.raises(FootnoteError, match="not valid UTF-8"):
        bot.ask("What did the \ud800 bridge cost?")
    turns = [Turn("Who opened the \ud800 bridge?", "The \udfff mayor.")]
    assert bot.ask("What did it cost?", turns).sentences


@pytest.mark.parametrize(
    "question", ["?" * 50, "the of and", "😀😀", "x" * 5000, "what " * 1000, "日本語は？", "<b>&"]
)
def test_ask_odd_question_is_answered_or_refused(seed_bot: Bot, question: str) -> None:
    _is_exact(seed_bot.ask(question), *seed_bot.index.documents())


def test_ask_reports_stages_in_order(tmp_path: Path) -> None:
    told: list[Event] = []
    word_bot(tmp_path, text_document(NEWS)).ask("What did the bridge cost?", on_event=told.append)
    assert [event.stage for event in told] == ["retrieve", "read", "answer"]


def test_ask_some_documents_cites_only_these(tmp_path: Path) -> None:
    documents = [
        text_document(f"The bridge in town {n} cost {n} euros.", f"{n}.txt") for n in range(5)
    ]
    answer = word_bot(tmp_path, *documents).ask("What did the bridge cost?", documents=["3.txt"])
    assert {one.passage.document.name for one in answer.passages} == {"3.txt"}
    assert answer.text == "The bridge in town 3 cost 3 euros."


def test_ask_follow_up_is_made_standalone(tmp_path: Path) -> None:
    bot = word_bot(tmp_path, text_document(NEWS))
    answer = bot.ask("Whom did she thank?", [Turn("What did Ines Prado open?", "The bridge.")])
    assert (answer.question, answer.standalone_question) == (
        "Whom did she thank?",
        "Whom did Ines Prado thank?",
    )


def test_ask_follow_up_is_completed_from_the_last_question(tmp_path: Path) -> None:
    text = "The bridge cost 48 million euros.\nThe ferry stops in May.\n"
    bot = word_bot(tmp_path, text_document(text))
    history = [Turn("What did the harbor bridge cost?", "48 million euros.")]
    assert bot.ask("And the ferry?", history).standalone_question == "What did the ferry cost?"
    assert bot.ask("Where is it?", history).standalone_question == "Where is the harbor bridge?"


def test_ask_new_subject_does_not_get_the_last_answer_again(tmp_path: Path) -> None:
    """The form with the last question is sure of the last answer, which nobody asked for."""
    rent = "The rent is 900 euros a month."
    bot = word_bot(tmp_path, text_document(f"{rent}\nThe cellar is dry.\n"), threshold=0.5)
    answer = bot.ask("Who is the landlord?", [Turn("How much is the rent?", rent)])
    assert answer.standalone_question == "Who is the landlord?"
    assert answer.reason == "not_in_documents"


def test_ask_why_does_not_get_the_last_answer_again(tmp_path: Path) -> None:
    rent = "The rent is 900 euros a month."
    bot = word_bot(tmp_path, text_document(f"{rent}\nThe cellar is dry.\n"), threshold=0.5)
    answer = bot.ask("Why?", [Turn("How much is the rent?", rent)])
    assert answer.reason == "not_in_documents"


def test_ask_twice_returns_the_same_answer(seed_bot: Bot) -> None:
    one, other = (seed_bot.ask("Who spoke with Ishaq Dar?").as_json() for _ in range(2))
    assert {**one, "timings": None} == {**other, "timings": None}


def test_ask_in_threads_returns_each_its_answer(seed_bot: Bot) -> None:
    questions = [
        "How much gold does Reko Diq hold?",
        "Who spoke with Ishaq Dar?",
        "How many people attended?",
    ] * 4
    alone = [seed_bot.ask(question).text for question in questions]
    with ThreadPoolExecutor(6) as pool:
        assert [answer.text for answer in pool.map(seed_bot.ask, questions)] == alone


def test_ask_sees_a_change_of_the_library(tmp_path: Path) -> None:
    bot = word_bot(tmp_path, text_document("The bridge cost 3 euros."))
    bot.ask("What did the bridge cost?")
    bot.index.add(text_document("The bridge cost 4 euros."))
    assert bot.ask("What did the bridge cost?").text == "The bridge cost 4 euros."


def test_answering_with_other_settings_shares_the_checking_model(tmp_path: Path) -> None:
    """The model that checks sentences takes 44 MB: all choices on the page use the same one."""
    bot = word_bot(tmp_path)
    assert bot.answering(bot._settings)._model_engine is None
    first, second = (
        bot.answering(replace(bot._settings, llm="ollama/tiny", top_k=top_k))._model_engine
        for top_k in (3, 4)
    )
    assert first
    assert second
    assert first.verifier._entailment is second.verifier._entailment


def test_long_question_is_cut_with_a_notice(tmp_path: Path) -> None:
    """A question is read to its limit; the answer has the part that was read and says so."""
    bot = word_bot(tmp_path, text_document(NEWS))
    fits = bot.ask("word " * (MAX_QUESTION // 5))
    assert QUESTION_CUT not in fits.notices
    cut = bot.ask("word " * 20_000)
    assert cut.question == fits.question
    assert cut.notices == (QUESTION_CUT,)
    assert "2,000 characters" in QUESTION_CUT


def test_long_history_is_bounded(tmp_path: Path) -> None:
    """Of a long conversation the last turns are read, and of each turn its beginning."""
    bot = word_bot(tmp_path, text_document(NEWS))
    question = "What did the bridge of the harbour cost? " * 5_000
    turns = [Turn(question, question)] * (MAX_TURNS + 100)
    answer = bot.ask("And why?", turns)
    assert len(answer.standalone_question) <= 2 * MAX_QUESTION
