"""The page with a fake bot: what the bot is asked, and what the page then shows."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event as Gate
from threading import Timer
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from qa.config import BUILT_IN, Settings
from qa.errors import FootnoteError, LanguageModelError, ModelError
from qa.library.catalog import Entry
from qa.llm import local
from qa.llm.local import LocalModel, LocalModels
from qa.llm.providers import PROVIDERS
from qa.types import (
    MAX_QUESTION,
    Answer,
    AnswerSentence,
    Document,
    Event,
    OnEvent,
    Passage,
    RankedPassage,
    Span,
    Turn,
    Why,
)
from qa.users import Users
from tests.qa.fakes import entry_of
from tests.ui.answers import CITED, PETS
from tests.ui.pages import button, shown, text_input
from ui import state
from ui.chat.engine_menu import EngineChoice
from ui.chat.transcript import AnswerOptions
from ui.state import AppState

APP = str(Path(__file__).parents[2] / "ui" / "shell.py")
QUESTION = "Do cats sleep?"
CHIP = "Footnote 1: Cats sleep."


@dataclass
class FakeIndex:
    library: list[Document] = field(default_factory=lambda: [PETS])
    generation: str = "1"

    def entries(self) -> list[Entry]:
        return [entry_of(document) for document in self.library]

    def document(self, name: str) -> Document | None:
        return {document.name: document for document in self.library}.get(name)

    def occurrences(self, quote: str) -> int:
        return sum(document.text.count(quote) for document in self.library)


@dataclass
class FakeBot:
    """Answers with the first sentence.

    A question with "why" is refused, "fail" raises our error, "break" an unexpected one.
    """

    index: FakeIndex = field(default_factory=FakeIndex)
    calls: list[tuple[str, tuple[Turn, ...]]] = field(default_factory=list)
    restricted: list[Collection[str] | None] = field(default_factory=list)
    settings: list[Settings] = field(default_factory=list)
    """The settings that other ways of answering were requested with."""
    engine: str = BUILT_IN

    def answering(self, settings: Settings) -> "FakeBot":
        self.settings.append(settings)
        return self

    def ask(
        self,
        question: str,
        history: Sequence[Turn] = (),
        on_event: OnEvent | None = None,
        documents: Collection[str] | None = None,
        built_in: bool = False,
        stop: Gate | None = None,
    ) -> Answer:
        # The search for example questions has no listener.
        if on_event:
            self.calls.append((question, tuple(history)))
            self.restricted.append(documents)
        if self.engine != BUILT_IN and not built_in:
            raise LanguageModelError("The model is not there. Start it.", streamed="Cats <b>")
        if on_event:
            on_event(Event("retrieve"))
        if "fail" in question:
            raise ModelError("The model is not there. Install it: pip install model")
        if "break" in question:
            raise ZeroDivisionError("by nought")
        if question == "Hello":
            return replace(refuse(question), text="Hello. Ask.", reason="conversation")
        if "perhaps" in question:
            nearest = AnswerSentence("Cats sleep.", "verbatim", (CITED,))
            return replace(refuse(question), text="Not sure.", nearest=nearest)
        return refuse(question) if "why" in question else answer(question, history)


def answer(question: str, history: Sequence[Turn]) -> Answer:
    return Answer(
        question=question,
        standalone_question=f"{question} (cats)" if history else question,
        text="Cats sleep.",
        reason=None,
        confidence=0.9,
        sentences=(AnswerSentence("Cats sleep.", "verbatim", (CITED,)),),
        passages=(RankedPassage(Passage(PETS, Span(0, 22)), 1.0, Why(1, 1, 0.5)),),
        engine="built-in",
    )


def refuse(question: str) -> Answer:
    return Answer(
        question=question,
        standalone_question=question,
        text="I couldn't find the answer in your documents.",
        reason="not_in_documents",
        confidence=0.1,
        sentences=(),
        passages=(RankedPassage(Passage(PETS, Span(0, 22)), 1.0, Why(1, 1, 0.5)),),
        engine="built-in",
    )


@pytest.fixture
def bot(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeBot:
    fake = FakeBot()
    monkeypatch.setenv("QA_HOME", str(tmp_path))
    monkeypatch.setattr(state, "open_bot", lambda settings: fake)
    monkeypatch.setattr(local, "find_local_models", LocalModels)
    monkeypatch.setattr(state, "_process", state._Process())
    state._entries.clear()
    return fake


def open_state() -> AppState:
    """Returns the state of the page, with the bot open."""
    opened = state.app_state(Settings.from_environment())
    opened.opening.result(5)
    return opened


def new_tab() -> AppTest:
    return AppTest.from_file(APP, default_timeout=10)


@pytest.fixture
def page(bot: FakeBot) -> AppTest:
    open_state().suggestions([entry_of(PETS)]).result(5)
    return new_tab().run()


def ask(page: AppTest, question: str) -> AppTest:
    return page.chat_input[0].set_value(question).run()


def conversation_id(page: AppTest) -> str:
    """Returns the conversation in the page's address."""
    parameter = page.query_params["chat"]
    return parameter if isinstance(parameter, str) else parameter[0]


def test_empty_chat_shows_example_questions(page: AppTest) -> None:
    assert not page.exception
    assert f'data-open="{QUESTION}"' in shown(page)
    assert "Your chats will appear here." in shown(page)


def test_answer_replaces_the_examples_and_comes_once(page: AppTest, bot: FakeBot) -> None:
    """A rerun asks nothing again."""
    ask(page, QUESTION)
    page.run()
    assert bot.calls == [(QUESTION, ())]
    assert f'aria-label="{CHIP}"' in shown(page)
    assert 'class="example"' not in shown(page)


def test_refusal_is_neither_answer_nor_error(page: AppTest) -> None:
    ask(page, "why?")
    assert 'class="refusal"' in shown(page)
    assert "Closest passages" in shown(page)
    assert 'class="error"' not in shown(page)
    assert 'class="chip"' not in shown(page)


def test_reply_to_a_greeting_is_not_rated(page: AppTest) -> None:
    """It does not look like a refusal, and makes no test question."""
    ask(page, "Hello")
    assert '<p class="reply">Hello. Ask.</p>' in shown(page)
    assert 'class="refusal"' not in shown(page)
    assert not page.feedback
    assert "Save as test question" not in [button.label for button in page.button]
    ask(page, QUESTION)
    assert len(page.feedback) == 1


def test_nearest_sentence_opens_its_source_and_is_not_rated(page: AppTest) -> None:
    ask(page, "perhaps?")
    assert "Not sure. The nearest is:" in shown(page)
    assert f'aria-label="{CHIP}"' in shown(page)
    assert not page.feedback
    button(page, "Save as test question").click().run()
    assert not page.exception


def test_failure_shows_its_message_and_is_no_refusal(page: AppTest) -> None:
    ask(page, "fail")
    assert 'class="error"' in shown(page)
    assert "Install it: pip install model" in shown(page)
    assert 'class="refusal"' not in shown(page)


def test_unexpected_error_is_shown_and_the_chat_goes_on(page: AppTest, bot: FakeBot) -> None:
    ask(page, "break")
    assert "ZeroDivisionError: by nought. The log in the terminal shows where." in shown(page)
    ask(page, QUESTION)
    assert not page.exception
    assert "Footnote 1" in shown(page)
    assert bot.calls[-1] == (QUESTION, ())


def test_follow_up_passes_history_and_shows_its_meaning(page: AppTest, bot: FakeBot) -> None:
    """Failed questions are not part of the history."""
    ask(page, QUESTION)
    ask(page, "fail")
    ask(page, "And now?")
    assert bot.calls[-1] == ("And now?", (Turn(QUESTION, "Cats sleep.", (PETS.name,)),))
    assert "Understood as: And now? (cats)" in shown(page)
    assert shown(page).count('aria-label="Footnote 1') == 2


def test_blank_question_is_not_asked(page: AppTest, bot: FakeBot) -> None:
    ask(page, "   ")
    assert not bot.calls


def test_new_chat_has_no_history_and_keeps_the_old_one(page: AppTest, bot: FakeBot) -> None:
    ask(page, QUESTION)
    page.button(key="new-chat").click().run()
    assert "Footnote 1" not in shown(page)
    assert 'class="example"' in shown(page)
    ask(page, "And now?")
    assert bot.calls[-1] == ("And now?", ())
    listed = re.findall(r'aria-current="(\w+)">([^<]+)<', shown(page))
    assert listed == [("true", "And now?"), ("false", QUESTION)]


def test_link_opens_its_conversation(page: AppTest) -> None:
    """So a reload loses nothing."""
    ask(page, QUESTION)
    tab = new_tab()
    tab.query_params["chat"] = conversation_id(page)
    assert CHIP in shown(tab.run())


def test_link_to_an_unknown_conversation_opens_a_new_one(page: AppTest) -> None:
    tab = new_tab()
    tab.query_params["chat"] = "0" * 32
    assert 'class="example"' in shown(tab.run())
    assert "chat" not in tab.query_params


def test_two_tabs_have_their_own_conversations(page: AppTest, bot: FakeBot) -> None:
    second = new_tab().run()
    ask(page, QUESTION)
    ask(second, "Do dogs bark?")
    assert bot.calls == [(QUESTION, ()), ("Do dogs bark?", ())]
    assert "You asked: </span>Do dogs bark?" not in shown(page.run())
    assert f"You asked: </span>{QUESTION}" not in shown(second.run())


def test_empty_library_says_where_to_add_documents(bot: FakeBot) -> None:
    bot.index.library = []
    open_state()
    assert "Add a document first" in shown(new_tab().run())


def test_page_waits_for_the_models_by_itself(bot: FakeBot, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = Gate()

    def open_slowly(settings: Settings) -> FakeBot:
        gate.wait(10)
        return bot

    monkeypatch.setattr(state, "open_bot", open_slowly)
    Timer(0.5, gate.set).start()
    page = new_tab().run()
    assert gate.is_set()
    assert not page.exception
    assert "Loading" not in shown(page)


def test_bot_that_does_not_open_is_tried_again(
    bot: FakeBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(settings: Settings) -> FakeBot:
        raise FootnoteError("The index has other settings. Rebuild it: footnote rebuild")

    with monkeypatch.context() as patched:
        patched.setattr(state, "open_bot", fail)
        failed = state.app_state(Settings.from_environment())
        assert failed.opening.exception(5)
        patched.setattr(state, "open_bot", lambda settings: bot)
        page = new_tab().run()
        assert "footnote rebuild" in shown(page)
    open_state()
    page.run()
    assert "footnote rebuild" not in shown(page)


def test_cleared_caches_leave_bot_and_pending_work(bot: FakeBot) -> None:
    """A message of any open page clears Streamlit's caches, for everybody."""
    opened = open_state()
    state.look_for_local_models()
    search = state.local_models()
    st.cache_resource.clear()
    st.cache_data.clear()
    assert state.app_state(Settings.from_environment()) is opened
    assert state.local_models() is search


def test_bad_settings_are_shown_as_an_error(bot: FakeBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QA_TOP_K", "many")
    page = new_tab().run()
    assert not page.exception
    assert 'class="error"' in shown(page)


def test_failed_model_keeps_its_words_and_offers_quotes(
    bot: FakeBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a language model fails, the built-in engine may answer instead."""
    monkeypatch.setenv("QA_LLM", "ollama/x")
    bot.engine = "ollama/x"
    open_state()
    page = ask(new_tab().run(), QUESTION)
    assert "The model is not there. Start it." in shown(page)
    assert "Cats &lt;b&gt;" in shown(page)
    button(page, "Answer with exact quotes instead").click().run()
    assert CHIP in shown(page)
    assert [question for question, _ in bot.calls] == [QUESTION, QUESTION]


LLAMA = LocalModel("ollama/llama3.2", "http://127.0.0.1:11434")
QWEN = LocalModel("openai-like/qwen", "http://127.0.0.1:1234/v1", 8192)


def offer(monkeypatch: pytest.MonkeyPatch, *models: LocalModel, **more: Any) -> list[str]:
    """Lets the search find these models; returns a list with an entry for each search."""
    searches = []

    def find() -> LocalModels:
        searches.append("search")
        return LocalModels(models, **more)

    monkeypatch.setattr(local, "find_local_models", find)
    return searches


def open_menu(page: AppTest, is_open: bool = True) -> AppTest:
    """Opens or closes the menu "Answer with"."""
    conversation = page.session_state["conversation"]
    page.session_state[f"engine-{conversation.id}"] = is_open
    page.run()
    return page


def choose(page: AppTest, model: LocalModel) -> AppTest:
    return open_menu(page).radio[0].set_value(EngineChoice(model.name, model.url)).run()


def test_models_are_looked_for_only_when_the_menu_is_opened(
    page: AppTest, bot: FakeBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    searches = offer(monkeypatch, QWEN)
    ask(page.run(), QUESTION)
    assert searches == []
    assert page.radio[0].options == ["Exact quotes (built in)"]
    assert "When you open this menu, Footnote looks for language models on this machine" in shown(
        page
    )

    open_menu(page).run()
    assert searches == ["search"]
    assert page.radio[0].options[1:] == [r"openai-like/qwen at 127.0.0.1\:1234"]
    open_menu(page, False)
    assert searches == ["search"]
    open_menu(page)
    assert searches == ["search", "search"]


def test_local_model_is_asked_at_its_address_without_the_key(
    page: AppTest, bot: FakeBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The key belongs to the configured server, also where both models have the same name."""
    monkeypatch.setattr(state, "_process", state._Process())
    monkeypatch.setenv("QA_LLM", QWEN.name)
    monkeypatch.setenv("QA_LLM_URL", "https://models.example/v1")
    monkeypatch.setenv("QA_LLM_KEY", "secret of another server")
    monkeypatch.setenv("QA_LLM_CONTEXT", "4096")
    offer(monkeypatch, QWEN, LLAMA)
    open_state()
    page = new_tab().run()
    assert "are sent to models.example" in shown(page)
    for model in (QWEN, LLAMA):
        choose(page, model)
        assert "The model runs on this machine. Nothing is sent anywhere." in shown(page)
        ask(page, QUESTION)
        chosen = bot.settings[-1]
        assert (chosen.llm, chosen.llm_url) == (model.name, model.url)
        assert (chosen.llm_key, chosen.llm_context) == (None, None)


def test_configured_model_that_is_found_is_offered_once(
    bot: FakeBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its own settings, such as a key."""
    monkeypatch.setenv("QA_LLM", QWEN.name)
    monkeypatch.setenv("QA_LLM_URL", "http://localhost:1234/v1")
    offer(monkeypatch, QWEN, LLAMA)
    open_state()
    page = open_menu(new_tab().run())
    assert [option.partition(" at ")[0] for option in page.radio[0].options] == [
        QWEN.name,
        "Exact quotes (built in)",
        LLAMA.name,
    ]


def test_choice_of_engine_is_that_of_the_next_conversation(
    page: AppTest, bot: FakeBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also in another tab, and after the server was started again; the documents are not."""
    offer(monkeypatch, QWEN)
    page.multiselect[0].set_value(["pets.txt"]).run()
    choose(page, QWEN)
    button(page, "New chat").click().run()
    monkeypatch.setattr(state, "_process", state._Process())
    open_state()
    for tab in (page.run(), new_tab().run()):
        options = tab.session_state["conversation"].options
        assert options == AnswerOptions(llm=QWEN.name, llm_url=QWEN.url)
        ask(tab, QUESTION)
        assert bot.settings[-1].llm_url == QWEN.url


def test_menu_stays_open_when_an_engine_is_chosen(
    page: AppTest, bot: FakeBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The person sees what the engine sends where; nothing is looked for again."""
    searches = offer(monkeypatch, QWEN, LLAMA)
    for model in (LLAMA, QWEN):
        choose(page, model)
        conversation = page.session_state["conversation"]
        assert page.session_state[f"engine-{conversation.id}"] is True
        names = [option.partition(" at ")[0] for option in page.radio[0].options]
        assert names == ["Exact quotes (built in)", QWEN.name, LLAMA.name]
    assert searches == ["search"]


def test_chosen_model_that_does_not_run_now_stays_chosen(
    page: AppTest, bot: FakeBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer(monkeypatch, QWEN)
    choose(page, QWEN)
    open_menu(page, False)
    offer(monkeypatch, LLAMA)
    open_menu(page)
    assert page.radio[0].value == EngineChoice(QWEN.name, QWEN.url)
    assert len(page.radio[0].options) == 3


def test_menu_says_how_to_install_what_a_model_needs(
    page: AppTest, bot: FakeBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    without = replace(PROVIDERS["ollama"], module="no_such_package.ollama")
    monkeypatch.setattr("qa.llm.client.PROVIDERS", {**PROVIDERS, "ollama": without})
    offer(monkeypatch, LLAMA)
    open_menu(page)
    assert "pip install" not in shown(page)
    choose(page, LLAMA)
    assert "pip install -c constraints.txt -e &#39;.[ollama]&#39;" in shown(page)


def test_menu_says_what_the_search_found(
    page: AppTest, bot: FakeBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer(monkeypatch, notices=("The server at 127.0.0.1:8080 is still starting.",))
    open_menu(page)
    assert "No model was found there." in shown(page)
    assert "The server at 127.0.0.1:8080 is still starting." in shown(page)


def test_page_with_users_says_that_models_run_on_the_server(
    page: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer(monkeypatch, QWEN)
    Users(tmp_path).add("ann", "correct horse")
    monkeypatch.setattr("ui.access.login.logged_in", lambda *_: "ann")
    page.run()
    assert "language models on the server of this page, not on your computer," in shown(page)
    choose(page, QWEN)
    assert "The model runs on the server of this page." in shown(page)


def test_name_of_a_local_model_is_shown_as_it_is(
    page: AppTest, bot: FakeBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Streamlit reads labels as Markdown; a word joiner keeps an address from being a link."""
    offer(monkeypatch, LocalModel("ollama/[x](http://h):red_a_", "http://127.0.0.1:1"))
    (_, label) = open_menu(page).radio[0].options
    assert label.replace("\u2060", "") == r"ollama/\[x\]\(http\://h\)\:red\_a\_ at 127.0.0.1\:1"
    assert "://" not in label


def test_question_is_asked_of_the_chosen_documents(page: AppTest, bot: FakeBot) -> None:
    ask(page, QUESTION)
    page.multiselect[0].set_value(["pets.txt"]).run()
    ask(page, QUESTION)
    assert bot.restricted == [None, ("pets.txt",)]


def test_rating_is_stored_and_taken_back(page: AppTest) -> None:
    ask(page, QUESTION)
    history = open_state().history
    for value, rating in ((0, "bad"), (1, "good"), (None, None)):
        page.feedback[0].set_value(value).run()
        (exchange,) = history.exchanges(conversation_id(page), "")
        assert exchange.rating == rating


def test_conversation_is_renamed_found_and_deleted(page: AppTest) -> None:
    ask(page, QUESTION)
    text_input(page, "Title").set_value("Of cats").run()
    assert ">Of cats</button>" in shown(page)
    text_input(page, "Search chats").set_value("nothing like it").run()
    assert "No chats found." in shown(page)
    text_input(page, "Search chats").set_value("SLEEP").run()
    assert ">Of cats</button>" in shown(page)

    (sure,) = [box for box in page.checkbox if box.label.startswith("Yes, delete")]
    sure.check().run()
    button(page, "Delete chat").click().run()
    assert "Of cats" not in shown(page)
    assert "chat" not in page.query_params


def test_interrupted_question_can_be_asked_again(page: AppTest, bot: FakeBot) -> None:
    ask(page, QUESTION)
    open_state().history.ask(conversation_id(page), "", "And dogs?", AnswerOptions())
    page.run()
    assert "The answer was interrupted." in shown(page)
    button(page, "Ask again").click().run()
    assert "The answer was interrupted." not in shown(page)
    assert bot.calls[-1] == ("And dogs?", (Turn(QUESTION, "Cats sleep.", (PETS.name,)),))


def test_page_with_users_asks_to_log_in(
    bot: FakeBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even where `ui/app.py` with its login is not in front of it."""
    monkeypatch.setattr("streamlit.runtime.context.ContextProxy.cookies", {})
    Users(tmp_path).add("ann", "correct horse")
    page = new_tab().run()
    assert '<a href="/login">Log in</a>' in shown(page)
    assert not page.chat_input


def test_long_question_is_stored_so_that_its_cut_is_stated(page: AppTest, bot: FakeBot) -> None:
    """The bot says that it cut a question only if it gets more than it reads."""
    ask(page, "long " * MAX_QUESTION)
    (exchange,) = open_state().history.exchanges(conversation_id(page), "")
    assert len(exchange.question) == MAX_QUESTION + 1
    # The browser itself accepts any length.
    assert page.chat_input[0].proto.max_chars == 0


def test_bots_of_many_choices_do_not_pile_up(bot: FakeBot) -> None:
    opened = open_state()
    for top_k in range(1, 2 * state.MAX_BOTS):
        opened._bot(opened.settings_for(AnswerOptions(top_k=top_k)))
    assert len(opened._bots) == state.MAX_BOTS
