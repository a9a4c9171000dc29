"""The page with a fake bot: what is asked of the bot and what the page then holds."""

import json
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event as Gate
from threading import Timer

import pytest
from streamlit.testing.v1 import AppTest

from qa.config import BUILT_IN, Settings
from qa.errors import FootnoteError, LanguageModelError, ModelError
from qa.types import (
    Answer,
    AnswerSentence,
    Citation,
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
from ui import state as service
from ui.chat.transcript import Choice
from ui.state import Service

APP = str(Path(__file__).parents[2] / "ui" / "shell.py")
PETS = Document(
    "pets.txt",
    "/pets.txt",
    "Pets",
    "Cats sleep. Dogs bark.",
    "The Zoo",
    examples=("Do cats sleep?",),
)


@dataclass
class FakeIndex:
    library: list[Document] = field(default_factory=lambda: [PETS])

    generation: str = "1"

    def documents(self) -> list[Document]:
        return self.library


@dataclass
class FakeBot:
    """Answers with the first sentence; a "why" is refused, "fail" fails as ours and "break" as nobody's."""

    index: FakeIndex = field(default_factory=FakeIndex)
    asked: list[tuple[str, tuple[Turn, ...]]] = field(default_factory=list)
    restricted: list[Collection[str] | None] = field(default_factory=list)
    settings: list[Settings] = field(default_factory=list)
    """Those that another way of answering was asked for with."""

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
        # Who looks for suggestions does not listen.
        if on_event:
            self.asked.append((question, tuple(history)))
            self.restricted.append(documents)
        if self.engine != BUILT_IN and not built_in:
            raise LanguageModelError("The model is not there. Start it.", streamed="Cats <b>")
        if on_event:
            on_event(Event("retrieve"))
        if "fail" in question:
            raise ModelError("The model is not there. Install it: pip install model")
        if "break" in question:
            raise ZeroDivisionError("by nought")
        ranked = (RankedPassage(Passage(PETS, Span(0, 22)), 1.0, Why(1, 1, 0.5)),)
        if "why" in question:
            words = "The documents do not answer this question."
            return Answer(
                question, question, words, "not_in_documents", 0.1, (), ranked, "built-in"
            )
        cited = Citation(PETS.name, PETS.title, PETS.version, 0, 11, "Cats sleep.")
        sentence = AnswerSentence("Cats sleep.", "verbatim", (cited,))
        standalone = f"{question} (cats)" if history else question
        return Answer(
            question, standalone, "Cats sleep.", None, 0.9, (sentence,), ranked, "built-in"
        )


@pytest.fixture
def bot(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeBot]:
    fake = FakeBot()
    monkeypatch.setenv("QA_HOME", str(tmp_path))
    monkeypatch.setattr(service, "open_bot", lambda settings: fake)
    monkeypatch.setattr("qa.llm.providers.local_models", lambda: ())
    clear()
    yield fake
    clear()


def clear() -> None:
    for made in (service.service, service.local_models, service._documents):
        made.clear()


def shared() -> Service:
    """The service of the page, with the bot open."""
    made = service.service(Settings.from_environment())
    made.opening.result(5)
    return made


@pytest.fixture
def page(bot: FakeBot) -> AppTest:
    made = shared()
    made.suggestions([PETS]).result(5)
    return AppTest.from_file(APP, default_timeout=10).run()


def shown(page: AppTest) -> str:
    """All the page's HTML: Streamlit's own html elements and our components' data."""
    ours = [json.loads(element.proto.json)["html"] for element in page.get("bidi_component")]
    return "\n".join([*(element.proto.body for element in page.get("html")), *ours])


def ask(page: AppTest, question: str) -> AppTest:
    return page.chat_input[0].set_value(question).run()


def address(page: AppTest) -> str:
    """The conversation that the page's address names."""
    told = page.query_params["chat"]
    return told if isinstance(told, str) else told[0]


def test_an_empty_chat_shows_the_suggestions(page: AppTest) -> None:
    assert not page.exception
    assert 'data-open="Do cats sleep?"' in shown(page)
    assert "Your questions will be kept here." in shown(page)


def test_an_answer_replaces_the_examples_and_is_not_asked_again(
    page: AppTest, bot: FakeBot
) -> None:
    ask(page, "Do cats sleep?")
    page.run()
    assert bot.asked == [("Do cats sleep?", ())]
    assert 'aria-label="Footnote 1: Cats sleep."' in shown(page)
    assert 'class="example"' not in shown(page)


def test_a_refusal_is_neither_an_answer_nor_an_error(page: AppTest) -> None:
    ask(page, "why?")
    assert 'class="refusal"' in shown(page)
    assert "Nearest passages" in shown(page)
    assert 'class="error"' not in shown(page)
    assert 'class="chip"' not in shown(page)


def test_a_failure_is_shown_with_its_message(page: AppTest) -> None:
    ask(page, "fail")
    assert 'class="error"' in shown(page)
    assert "Install it: pip install model" in shown(page)
    assert 'class="refusal"' not in shown(page)


def test_an_unexpected_exception_is_told_and_the_chat_goes_on(page: AppTest, bot: FakeBot) -> None:
    ask(page, "break")
    assert "ZeroDivisionError: by nought. The terminal says where." in shown(page)
    ask(page, "Do cats sleep?")
    assert not page.exception
    assert "Footnote 1" in shown(page)
    assert bot.asked[-1] == ("Do cats sleep?", ())


def test_a_follow_up_passes_the_history_and_shows_how_it_was_understood(
    page: AppTest, bot: FakeBot
) -> None:
    ask(page, "Do cats sleep?")
    ask(page, "fail")
    ask(page, "And now?")
    assert bot.asked[-1] == ("And now?", (Turn("Do cats sleep?", "Cats sleep."),))
    assert "Understood as: And now? (cats)" in shown(page)
    assert shown(page).count('aria-label="Footnote 1') == 2


def test_a_blank_question_is_not_asked(page: AppTest, bot: FakeBot) -> None:
    ask(page, "   ")
    assert not bot.asked


def test_a_new_chat_begins_anew_and_the_old_one_is_kept(page: AppTest, bot: FakeBot) -> None:
    ask(page, "Do cats sleep?")
    page.button(key="new-chat").click().run()
    assert "Footnote 1" not in shown(page)
    assert 'class="example"' in shown(page)
    ask(page, "And now?")
    assert bot.asked[-1] == ("And now?", ())
    assert re.findall(r'aria-current="(\w+)">([^<]+)<', shown(page)) == [
        ("true", "And now?"),
        ("false", "Do cats sleep?"),
    ]


def test_a_link_opens_a_conversation_and_a_reload_loses_nothing(page: AppTest) -> None:
    ask(page, "Do cats sleep?")
    name = address(page)
    again = AppTest.from_file(APP, default_timeout=10)
    again.query_params["chat"] = name
    assert "Footnote 1: Cats sleep." in shown(again.run())
    unknown = AppTest.from_file(APP, default_timeout=10)
    unknown.query_params["chat"] = "0" * 32
    assert 'class="example"' in shown(unknown.run())
    assert "chat" not in unknown.query_params


def test_two_tabs_mix_nothing(page: AppTest, bot: FakeBot) -> None:
    other = AppTest.from_file(APP, default_timeout=10).run()
    ask(page, "Do cats sleep?")
    ask(other, "Do dogs bark?")
    assert bot.asked == [("Do cats sleep?", ()), ("Do dogs bark?", ())]
    assert "You asked: </span>Do dogs bark?" not in shown(page.run())
    assert "You asked: </span>Do cats sleep?" not in shown(other.run())


def test_an_empty_library_says_where_to_add(bot: FakeBot) -> None:
    bot.index.library = []
    shared()
    assert "Add documents on the" in shown(AppTest.from_file(APP, default_timeout=10).run())


def test_the_page_waits_for_the_models_and_goes_on_by_itself(
    bot: FakeBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate()

    def slow(settings: Settings) -> FakeBot:
        gate.wait(10)
        return bot

    monkeypatch.setattr(service, "open_bot", slow)
    Timer(0.5, gate.set).start()
    page = AppTest.from_file(APP, default_timeout=10).run()
    assert gate.is_set()
    assert not page.exception
    assert "Loading" not in shown(page)


def test_a_bot_that_does_not_open_is_an_error_and_tried_again(
    bot: FakeBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(settings: Settings) -> FakeBot:
        raise FootnoteError(
            "The index was built with other settings. Rebuild it: python -m qa rebuild"
        )

    with monkeypatch.context() as patched:
        patched.setattr(service, "open_bot", failing)
        made = service.service(Settings.from_environment())
        assert made.opening.exception(5)
        patched.setattr(service, "open_bot", lambda settings: bot)
        page = AppTest.from_file(APP, default_timeout=10).run()
        assert "python -m qa rebuild" in shown(page)
    shared()
    page.run()
    assert "python -m qa rebuild" not in shown(page)


def test_bad_settings_are_an_error(bot: FakeBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QA_TOP_K", "many")
    page = AppTest.from_file(APP, default_timeout=10).run()
    assert not page.exception
    assert 'class="error"' in shown(page)


def test_where_a_model_fails_its_words_are_kept_and_the_documents_may_answer(
    bot: FakeBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QA_LLM", "ollama/x")
    bot.engine = "ollama/x"
    shared()
    page = ask(AppTest.from_file(APP, default_timeout=10).run(), "Do cats sleep?")
    assert "The model is not there. Start it." in shown(page)
    assert "Cats &lt;b&gt;" in shown(page)
    (button,) = [
        button for button in page.button if button.label == "Answer from the documents instead"
    ]
    button.click().run()
    assert "Cats sleep." in shown(page)
    assert [question for question, _ in bot.asked] == ["Do cats sleep?", "Do cats sleep?"]


def test_a_language_model_of_this_machine_is_offered_and_not_taken(
    bot: FakeBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QA_LLM_KEY", "secret of another provider")
    monkeypatch.setattr(
        "qa.llm.providers.local_models", lambda: ("ollama/llama3.2", "ollama/other")
    )
    shared()
    service.local_models().result(5)
    page = AppTest.from_file(APP, default_timeout=10).run()
    assert page.radio[0].options == [
        "The documents’ own sentences",
        "ollama/llama3.2",
        "ollama/other",
    ]
    assert "Nothing leaves this machine." in shown(page)
    ask(page, "Do cats sleep?")
    assert bot.settings == []
    page.radio[0].set_value("ollama/llama3.2").run()
    assert "The model runs on this machine" in shown(page)
    ask(page, "Do cats sleep?")
    (chosen,) = bot.settings
    assert (chosen.llm, chosen.llm_key) == ("ollama/llama3.2", None)


def test_a_question_can_be_put_to_chosen_documents(page: AppTest, bot: FakeBot) -> None:
    ask(page, "Do cats sleep?")
    page.multiselect[0].set_value(["pets.txt"]).run()
    ask(page, "Do cats sleep?")
    assert bot.restricted == [None, ("pets.txt",)]


def test_a_conversation_is_renamed_found_and_deleted(page: AppTest) -> None:
    ask(page, "Do cats sleep?")
    (title,) = [field for field in page.text_input if field.label == "Title"]
    title.set_value("Of cats").run()
    assert ">Of cats</button>" in shown(page)
    (search,) = [field for field in page.text_input if field.label == "Search conversations"]
    search.set_value("nothing like it").run()
    assert "None has these words." in shown(page)
    (search,) = [field for field in page.text_input if field.label == "Search conversations"]
    search.set_value("SLEEP").run()
    assert ">Of cats</button>" in shown(page)
    (sure,) = [box for box in page.checkbox if box.label == "Delete it with all its answers"]
    sure.check().run()
    (delete,) = [button for button in page.button if button.label == "Delete"]
    delete.click().run()
    assert "Of cats" not in shown(page)
    assert "chat" not in page.query_params


def test_a_question_that_was_cut_off_says_so_and_is_asked_again(
    page: AppTest, bot: FakeBot
) -> None:
    made = shared()
    ask(page, "Do cats sleep?")
    name = address(page)
    made.history.ask(name, "", "And dogs?", Choice())
    page.run()
    assert "This question was cut off" in shown(page)
    (again,) = [button for button in page.button if button.label == "Ask again"]
    again.click().run()
    assert "This question was cut off" not in shown(page)
    assert bot.asked[-1] == ("And dogs?", (Turn("Do cats sleep?", "Cats sleep."),))


def test_users_are_asked_to_log_in_also_where_the_door_is_missing(
    bot: FakeBot, tmp_path: Path
) -> None:
    Users(tmp_path).add("ann", "correct horse")
    page = AppTest.from_file(APP, default_timeout=10).run()
    assert '<a href="/login">Log in</a>' in shown(page)
    assert not page.chat_input


def test_a_page_that_others_can_reach_wants_users(
    bot: FakeBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ui.auth.st.get_option", {"server.address": "192.0.2.1"}.get)
    page = AppTest.from_file(APP, default_timeout=10).run()
    assert "python -m qa user add NAME" in shown(page)
    assert not page.chat_input
