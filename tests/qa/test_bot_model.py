"""The chain with a language model: calls, checks, refusals, failures and stops."""

import json
import re
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.answer.content import (
    LEFT_OUT,
    MODEL_FOUND_NONE,
    NOT_SURE,
    NOTHING_SUPPORTED,
    REFUSALS,
)
from qa.answer.decision import MIN_NEAREST, confidence
from qa.answer.prompts import DECLINE_SENTENCE
from qa.answer.verify import Verifier
from qa.bot import Bot
from qa.chain import CHECKED_TOGETHER, ModelEngine
from qa.errors import LanguageModelError, StoppedError
from qa.llm.model import MESSAGE_TOKENS
from qa.models.embedding import EncodingCache
from qa.types import Answer, Event, Reason, Signals, Turn
from tests.properties import examples
from tests.qa.fakes import ScriptedModel, scripted_bot, text_document, word_bot
from tests.qa.texts import NEWS, texts

QUESTION = "What did the bridge cost?"
COST = "The bridge cost 48 million euros [{ID:The bridge cost}]."
FERRY = "The ferry will stop in May [{ID:The ferry}]."
FALSE = "Elephants can swim for hours [{ID:The bridge cost}]."
HISTORY = [Turn("What did Ines Prado open?", "The harbor bridge.")]


def _bot(folder: Path, *script: str, **options: Any) -> tuple[Bot, ScriptedModel]:
    model = ScriptedModel(*script, fails=options.pop("fails", None))
    return scripted_bot(folder, model, text_document(NEWS), **options), model


def _ask(folder: Path, *script: str, **options: Any) -> Answer:
    return _bot(folder, *script, **options)[0].ask(QUESTION)


def _signals(answer: Answer) -> Signals:
    assert answer.signals
    return answer.signals


def test_ask_with_model_cites_exact_quotes(tmp_path: Path) -> None:
    answer = _ask(tmp_path, f"{COST} {FERRY}")
    assert (answer.engine, answer.reason, answer.notices) == ("scripted/model", None, ())
    assert answer.text == "The bridge cost 48 million euros. The ferry will stop in May."
    assert [sentence.support for sentence in answer.sentences] == ["supported", "supported"]
    for sentence, begins in zip(
        answer.sentences, ["The bridge cost 48", "The ferry across"], strict=True
    ):
        (citation,) = sentence.citations
        assert NEWS[citation.start : citation.end] == citation.quote
        assert citation.quote.startswith(begins)


def test_ask_shows_the_passages_that_the_model_saw(tmp_path: Path) -> None:
    bot, model = _bot(tmp_path, COST)
    answer = bot.ask(QUESTION)
    assert answer.passages
    assert all(one.passage.text.strip() in model.prompts[0][1].content for one in answer.passages)


def test_ask_counts_the_tokens_of_prompt_and_answer(tmp_path: Path) -> None:
    bot, model = _bot(tmp_path, COST)
    answer = bot.ask(QUESTION)
    assert answer.usage
    (prompt,) = model.prompts
    assert answer.usage.prompt_tokens == sum(
        model.count_tokens(one.content) + MESSAGE_TOKENS for one in prompt
    )
    # The word in braces is the mark, which the model writes and nobody sees.
    assert 0 < answer.usage.answer_tokens <= model.count_tokens(COST) + 10
    assert 0 < answer.timings["first_words"] <= answer.timings["total"]
    assert answer.as_json()["usage"] == answer.usage.as_json()
    built_in = bot.ask(QUESTION, built_in=True)
    assert (built_in.usage, "usage" in built_in.as_json(), "first_words" in built_in.timings) == (
        None,
        False,
        False,
    )


def test_ask_below_threshold_calls_the_model(tmp_path: Path) -> None:
    """The reader is unsure: no word of the question is in the sentence that answers."""
    bot, model = _bot(tmp_path, FERRY, threshold=0.12)
    events: list[Event] = []
    answer = bot.ask("Quelle?", on_event=events.append)
    assert len(model.prompts) == 1
    signals = _signals(answer)
    assert signals == Signals(0.1, True, signals.support, agrees=False)
    assert (answer.engine, answer.reason) == ("scripted/model", None)
    assert answer.text == "The ferry will stop in May."


def test_ask_that_no_answer_could_save_does_not_call_the_model(tmp_path: Path) -> None:
    bot, model = _bot(tmp_path, threshold=1.0)
    events: list[Event] = []
    answer = bot.ask(QUESTION, on_event=events.append)
    assert (answer.reason, answer.engine, model.prompts) == ("not_in_documents", "built-in", [])
    assert [event.stage for event in events] == ["retrieve", "read", "answer"]
    assert answer.signals is None


def test_prompt_repeats_the_best_sentences(tmp_path: Path) -> None:
    bot, model = _bot(tmp_path, COST)
    bot.ask(QUESTION)
    _, hints = model.prompts[0][1].content.split("may answer best:\n")
    first = hints.splitlines()[0]
    assert re.fullmatch(r"\[\w+\] The bridge cost 48 million euros\b.*", first)


@pytest.mark.parametrize("question", ["Hello", "Thanks!", "Is that true?"])
def test_ask_small_talk_does_not_call_the_model(tmp_path: Path, question: str) -> None:
    bot, model = _bot(tmp_path)
    answer = bot.ask(question, HISTORY)
    assert (answer.reason, answer.engine, answer.usage) == ("conversation", "built-in", None)
    assert model.prompts == []


def test_ask_of_empty_library_does_not_call_the_model(tmp_path: Path) -> None:
    model = ScriptedModel()
    assert scripted_bot(tmp_path, model).ask(QUESTION).reason == "no_documents"
    assert model.prompts == []


@pytest.mark.parametrize(
    "words",
    [DECLINE_SENTENCE, f"{DECLINE_SENTENCE} But it cost 48 million [{{ID:The bridge cost}}]."],
)
def test_model_that_declines_gives_the_quotes_of_a_sure_reader(tmp_path: Path, words: str) -> None:
    answer = _ask(tmp_path, words, threshold=0.55)
    assert (answer.engine, answer.notices) == ("built-in", (MODEL_FOUND_NONE,))
    assert "48 million" in answer.text
    assert {sentence.support for sentence in answer.sentences} == {"verbatim"}
    assert answer.signals == Signals(0.9, answered=False)


@pytest.mark.parametrize(
    ("words", "reason"), [(DECLINE_SENTENCE, "model_declined"), (FALSE, "not_in_documents")]
)
def test_model_and_reader_without_answer_refuse(tmp_path: Path, words: str, reason: Reason) -> None:
    bot, _ = _bot(tmp_path, words, threshold=0.5)
    answer = bot.ask("Quelle?")
    assert (answer.reason, answer.text, answer.sentences) == (reason, REFUSALS[reason], ())
    assert answer.engine == "scripted/model"
    assert answer.passages
    assert answer.confidence < MIN_NEAREST
    assert answer.nearest is None


@pytest.mark.parametrize(
    ("words", "reason"), [(DECLINE_SENTENCE, "model_declined"), (FALSE, "not_in_documents")]
)
def test_model_and_unsure_reader_show_the_nearest(
    tmp_path: Path, words: str, reason: Reason
) -> None:
    """The model declines, or nothing supports it, and the reader is just below the threshold."""
    quoted = _ask(tmp_path / "quoted", words)
    bot, _ = _bot(tmp_path / "refused", words, threshold=quoted.confidence + 1e-6)
    answer = bot.ask(QUESTION)
    assert (answer.reason, answer.text, answer.sentences) == (reason, NOT_SURE, ())
    assert answer.nearest == quoted.sentences[0]
    assert answer.engine == "scripted/model"


def test_confidence_counts_all_signals(tmp_path: Path) -> None:
    """It is not the reader's; and below the threshold the question is refused."""
    bot, _ = _bot(tmp_path, COST, COST)
    answer = bot.ask(QUESTION)
    signals = _signals(answer)
    assert signals == Signals(0.9, True, signals.support, agrees=True)
    assert answer.confidence == confidence(signals)
    assert answer.as_json()["signals"] == signals.as_json()
    above = bot.answering(replace(bot._settings, threshold=answer.confidence + 1e-6))
    above._model_engine = bot._model_engine
    refused = above.ask(QUESTION)
    assert (refused.reason, refused.confidence) == ("not_in_documents", answer.confidence)


def test_unsupported_answer_gives_quotes_and_a_notice(tmp_path: Path) -> None:
    answer = _ask(tmp_path, FALSE)
    assert answer.engine == "built-in"
    assert answer.notices == (NOTHING_SUPPORTED,)
    assert "48 million" in answer.text
    assert {sentence.support for sentence in answer.sentences} == {"verbatim"}


def test_unsupported_sentence_has_no_citation(tmp_path: Path) -> None:
    answer = _ask(tmp_path, f"{COST} {FALSE}")
    assert [(one.support, len(one.citations)) for one in answer.sentences] == [
        ("supported", 1),
        ("unsupported", 0),
    ]
    assert answer.notices == ()


@pytest.mark.parametrize(("count", "counted"), [(1, "1 sentence"), (3, "3 sentences")])
def test_strict_leaves_out_unsupported_with_a_notice(
    tmp_path: Path, count: int, counted: str
) -> None:
    answer = _ask(tmp_path, " ".join([COST, *[FALSE] * count]), strict=True)
    assert answer.text == "The bridge cost 48 million euros."
    assert answer.notices == (LEFT_OUT.format(count=counted),)


def test_ask_built_in_does_not_call_the_model(tmp_path: Path) -> None:
    bot, model = _bot(tmp_path)
    answer = bot.ask("Whom did she thank?", HISTORY, built_in=True)
    plain = word_bot(tmp_path / "plain", text_document(NEWS)).ask("Whom did she thank?", HISTORY)
    assert (answer.text, answer.standalone_question) == (plain.text, plain.standalone_question)
    assert (answer.engine, model.prompts) == ("built-in", [])


def test_follow_up_is_the_one_that_the_model_writes(tmp_path: Path) -> None:
    bot, model = _bot(
        tmp_path, "Whom did Ines Prado thank for the deck?", "She thanked the 62 workers."
    )
    answer = bot.ask("Whom did she thank for it?", HISTORY)
    assert answer.question == "Whom did she thank for it?"
    assert answer.standalone_question == "Whom did Ines Prado thank for the deck?"
    assert len(model.prompts) == 2
    assert model.prompts[1][1].content.count("Question: Whom did Ines Prado thank for the deck?\n")


@pytest.mark.parametrize("bad", ["Whom did Angela Merkel thank?", "Sure!\nWhom did she thank?", ""])
def test_follow_up_is_by_rule_if_the_model_changes_it(tmp_path: Path, bad: str) -> None:
    bot, model = _bot(tmp_path, bad, "She thanked the 62 workers.")
    assert (
        bot.ask("Whom did she thank?", HISTORY).standalone_question == "Whom did Ines Prado thank?"
    )
    assert model.prompts[1][1].content.count("Question: Whom did Ines Prado thank?\n")


def test_follow_up_is_by_rule_if_the_model_fails(tmp_path: Path) -> None:
    bot, model = _bot(
        tmp_path, "", "She thanked the 62 workers.", fails=LanguageModelError("It said nothing.")
    )
    with pytest.raises(LanguageModelError):
        bot.ask("Whom did she thank?", HISTORY)
    assert model.prompts[1][1].content.count("Question: Whom did Ines Prado thank?\n")


def test_first_question_is_not_rewritten(tmp_path: Path) -> None:
    bot, model = _bot(tmp_path, COST)
    assert bot.ask(QUESTION).standalone_question == QUESTION
    assert len(model.prompts) == 1


@pytest.mark.parametrize("history", [[], HISTORY])
def test_stop_before_the_answer_raises(tmp_path: Path, history: list[Turn]) -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(StoppedError):
        _bot(tmp_path, "Words.")[0].ask(QUESTION, history, stop=stop)


def test_stop_in_mid_answer_keeps_words_and_bot_lives_on(tmp_path: Path) -> None:
    stop = threading.Event()
    events: list[Event] = []

    def tell(event: Event) -> None:
        events.append(event)
        if "48" in "".join(one.words for one in events):
            stop.set()

    bot, _ = _bot(tmp_path, f"{COST} {FERRY}", COST)
    with pytest.raises(StoppedError) as caught:
        bot.ask(QUESTION, on_event=tell, stop=stop)
    assert caught.value.streamed == "".join(event.words for event in events)
    assert "The bridge cost 48".startswith(caught.value.streamed[:18])
    assert "verify" not in {event.stage for event in events}
    assert bot.ask(QUESTION).text == "The bridge cost 48 million euros."


class _WatchedEntailment:
    """Supports every claim; does something before it reads the first ones."""

    def __init__(self, before: Callable[[], None]) -> None:
        self._before = before
        self.claims = 0
        """How many were read."""

    def log_odds(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        if not self.claims:
            self._before()
        self.claims += len(pairs)
        return [3.0] * len(pairs)


def _watched_bot(folder: Path, entailment: _WatchedEntailment, script: str) -> Bot:
    bot, model = _bot(folder, script)
    bot._model_engine = ModelEngine(model, Verifier(EncodingCache(bot._embedder), entailment))
    return bot


def test_stop_in_mid_check_raises_with_all_words(tmp_path: Path) -> None:
    """The claims that are being read are the last; the bot lives on."""
    stop = threading.Event()
    entailment = _WatchedEntailment(stop.set)
    bot = _watched_bot(tmp_path, entailment, " ".join([COST] * 30))
    with pytest.raises(StoppedError, match="was stopped") as caught:
        bot.ask(QUESTION, stop=stop)
    assert caught.value.streamed == " ".join(["The bridge cost 48 million euros."] * 30)
    assert entailment.claims <= CHECKED_TOGETHER
    assert bot.ask(QUESTION, built_in=True).sentences


def test_long_check_lets_another_question_in(tmp_path: Path) -> None:
    """A question waits for the claims that are being read, not for the whole answer."""
    checking = threading.Event()

    def wait_for_somebody() -> None:
        checking.set()
        while len(bot._lock._queue) < 2:
            time.sleep(0.001)

    entailment = _WatchedEntailment(wait_for_somebody)
    bot = _watched_bot(tmp_path, entailment, " ".join([COST] * 50))
    claims_before: list[int] = []
    with ThreadPoolExecutor(1) as pool:
        checked = pool.submit(bot.ask, QUESTION)
        assert checking.wait(20)
        bot.ask(QUESTION, on_event=lambda _: claims_before.append(entailment.claims), built_in=True)
        assert len(checked.result(timeout=20).sentences) == 50
    assert claims_before[0] <= 3 * CHECKED_TOGETHER


def test_failure_keeps_words_and_quotes_can_answer(tmp_path: Path) -> None:
    bot, _ = _bot(tmp_path, COST, fails=LanguageModelError("It was cut off."))
    with pytest.raises(LanguageModelError, match="cut off") as caught:
        bot.ask(QUESTION)
    assert caught.value.streamed.startswith("The bridge cost 48 million euros")
    assert "[" not in caught.value.streamed
    assert "48 million" in bot.ask(QUESTION, built_in=True).text


def test_events_of_model_come_in_order(tmp_path: Path) -> None:
    events: list[Event] = []
    _bot(tmp_path, COST)[0].ask(QUESTION, on_event=events.append)
    stages = list(dict.fromkeys(event.stage for event in events))
    assert stages == ["retrieve", "read", "answer", "words", "verify"]
    assert "".join(event.words for event in events) == "The bridge cost 48 million euros."
    assert all(event.stage == "words" for event in events if event.words)


def test_slow_model_does_not_block_other_threads(tmp_path: Path) -> None:
    writing, proceed = threading.Event(), threading.Event()

    def tell(event: Event) -> None:
        if event.stage == "words":
            writing.set()
            assert proceed.wait(20)

    bot, _ = _bot(tmp_path, COST)
    with ThreadPoolExecutor(2) as pool:
        slow = pool.submit(bot.ask, QUESTION, (), tell)
        assert writing.wait(20)
        quick = pool.submit(bot.ask, QUESTION, built_in=True)
        assert quick.result(timeout=20).engine == "built-in"
        assert not slow.done()
        proceed.set()
        assert slow.result(timeout=20).text == "The bridge cost 48 million euros."


def test_many_threads_get_their_own_answers(tmp_path: Path) -> None:
    bot, _ = _bot(tmp_path, *[COST] * 8)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: bot.ask(QUESTION), range(8)))
    assert {answer.text for answer in answers} == {"The bridge cost 48 million euros."}


def test_json_has_notices_and_usage(tmp_path: Path) -> None:
    answer = _ask(tmp_path, f"{COST} {FALSE}", strict=True).as_json()
    assert list(answer)[-4:] == ["timings", "notices", "usage", "signals"]
    assert answer["notices"] == [LEFT_OUT.format(count="1 sentence")]
    assert answer["timings"]["verify"] > 0
    assert json.loads(json.dumps(answer, allow_nan=False)) == answer


_SAID = st.one_of(
    texts,
    st.sampled_from(
        [COST, FERRY, FALSE, DECLINE_SENTENCE, "[a1]", "[z9]", "A1.", "48 [a1", "```[b2]```"]
    ),
)


@pytest.mark.slow
@examples(60)
@given(st.lists(_SAID, max_size=6).map(" ".join), st.booleans(), st.lists(texts, max_size=2))
def test_citations_of_any_model_words_are_exact_and_seen(
    tmp_path_factory: pytest.TempPathFactory, script: str, strict: bool, more: list[str]
) -> None:
    documents = [
        text_document(text, f"{n}.txt", markdown=n == 1)
        for n, text in enumerate([NEWS, *more, NEWS])
        if text.strip()
    ]
    model = ScriptedModel(script)
    bot = scripted_bot(tmp_path_factory.mktemp("any"), model, *documents, strict=strict, top_k=9)
    asked = {document.name: document for document in documents[:-1]}
    try:
        answer = bot.ask(QUESTION, documents=asked)
    except LanguageModelError:
        return  # an answer without a word
    assert answer.abstained == (not answer.sentences)
    for sentence in answer.sentences:
        assert bool(sentence.citations) == (sentence.support != "unsupported")
        for citation in sentence.citations:
            text = asked[citation.document].text
            assert text[citation.start : citation.end] == citation.quote != ""
            assert any(
                one.passage.document.name == citation.document
                and one.passage.span.start <= citation.start < citation.end <= one.passage.span.end
                for one in answer.passages
            )


@pytest.mark.parametrize(("words", "threshold"), [(COST, 0.0), (DECLINE_SENTENCE, 0.93)])
def test_passage_that_the_model_did_not_see_is_not_shown(
    tmp_path: Path, words: str, threshold: float
) -> None:
    """The answer carries only passages that fitted into the prompt."""
    model = ScriptedModel(words, context=500)
    bot = scripted_bot(tmp_path, model, text_document(NEWS), threshold=threshold)
    answer = bot.ask(QUESTION)
    assert "1 passage did not fit" in answer.notices[0]
    (ranked,) = answer.passages
    assert ranked.passage.text.strip() in model.prompts[0][-1].content


def test_ask_new_subject_is_not_mixed_with_the_last_question(tmp_path: Path) -> None:
    """What the model adds to a question that names its own subject is not asked."""
    written = "Who is the mayor, and what did Ines Prado open?"
    bot, model = _bot(tmp_path, written, COST)
    assert bot.ask("Who is the mayor?", HISTORY).standalone_question == "Who is the mayor?"
    assert len(model.prompts) == 2


def test_ask_complete_question_is_not_rewritten(tmp_path: Path) -> None:
    bot, model = _bot(tmp_path, COST)
    question = "What did the harbor bridge of the town cost?"
    assert bot.ask(question, HISTORY).standalone_question == question
    assert len(model.prompts) == 1
