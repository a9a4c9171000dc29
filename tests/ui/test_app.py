"""The page with a fake bot: what is asked of the bot and what the page then holds."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event as Gate
from threading import Timer

import pytest
from streamlit.testing.v1 import AppTest

from qa.config import BUILT_IN, Settings
from qa.errors import FootnoteError, LanguageModelError, ModelError
from qa.types import Answer, AnswerSentence, Citation, Document, Event, OnEvent, Passage, RankedPassage, Span, Turn, Why
from ui import loading

APP = str(Path(__file__).parents[2] / "ui" / "app.py")
PETS = Document("pets.txt", "/pets.txt", "Pets", "Cats sleep. Dogs bark.", "The Zoo", examples=("Do cats sleep?",))


@dataclass
class FakeIndex:
    library: list[Document] = field(default_factory=lambda: [PETS])

    def documents(self) -> list[Document]:
        return self.library


@dataclass
class FakeBot:
    """Answers with the first sentence; a "why" is refused, "fail" fails as ours and "break" as nobody's."""

    index: FakeIndex = field(default_factory=FakeIndex)
    asked: list[tuple[str, tuple[Turn, ...]]] = field(default_factory=list)

    engine: str = BUILT_IN

    def ask(
        self,
        question: str,
        history: Sequence[Turn] = (),
        on_event: OnEvent | None = None,
        built_in: bool = False,
        stop: Gate | None = None,
    ) -> Answer:
        self.asked.append((question, tuple(history)))
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
            return Answer(question, question, words, "not_in_documents", 0.1, (), ranked, "built-in")
        cited = Citation(PETS.name, PETS.title, PETS.version, 0, 11, "Cats sleep.")
        sentence = AnswerSentence("Cats sleep.", "verbatim", (cited,))
        standalone = f"{question} (cats)" if history else question
        return Answer(question, standalone, "Cats sleep.", None, 0.9, (sentence,), ranked, "built-in")


@pytest.fixture
def bot(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeBot]:
    fake = FakeBot()
    monkeypatch.setenv("QA_HOME", str(tmp_path))
    monkeypatch.setattr(loading, "open_bot", lambda settings: fake)
    monkeypatch.setattr("qa.providers.local_models", lambda: ())
    loading.local_models.clear()
    loading.opening.clear()
    loading.documents.clear()
    yield fake
    loading.local_models.clear()
    loading.opening.clear()
    loading.documents.clear()


@pytest.fixture
def page(bot: FakeBot) -> AppTest:
    loading.opening(Settings.from_environment()).result(5)
    return AppTest.from_file(APP, default_timeout=10).run()


def shown(page: AppTest) -> str:
    """All the page's HTML: Streamlit's own html elements and our components' data."""
    ours = [json.loads(element.proto.json)["html"] for element in page.get("bidi_component")]
    return "\n".join([*(element.proto.body for element in page.get("html")), *ours])


def ask(page: AppTest, question: str) -> AppTest:
    return page.chat_input[0].set_value(question).run()


def test_an_empty_chat_shows_the_examples_and_the_library(page: AppTest) -> None:
    assert not page.exception
    assert 'data-open="Do cats sleep?"' in shown(page)
    assert 'aria-label="Read Pets"' in shown(page)


def test_an_answer_replaces_the_examples_and_is_not_asked_again(page: AppTest, bot: FakeBot) -> None:
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


def test_an_unexpected_exception_is_raised_and_the_chat_goes_on(page: AppTest, bot: FakeBot) -> None:
    ask(page, "break")
    assert [raised.message for raised in page.exception] == ["by nought"]
    ask(page, "Do cats sleep?")
    assert not page.exception
    assert "ZeroDivisionError: by nought" in shown(page)
    assert "Footnote 1" in shown(page)
    assert bot.asked[-1] == ("Do cats sleep?", ())


def test_a_follow_up_passes_the_history_and_shows_how_it_was_understood(page: AppTest, bot: FakeBot) -> None:
    ask(page, "Do cats sleep?")
    ask(page, "fail")
    ask(page, "And now?")
    assert bot.asked[-1] == ("And now?", (Turn("Do cats sleep?", "Cats sleep."),))
    assert "Understood as: And now? (cats)" in shown(page)
    assert shown(page).count('aria-label="Footnote 1') == 2


def test_a_blank_question_is_not_asked(page: AppTest, bot: FakeBot) -> None:
    ask(page, "   ")
    assert not bot.asked


def test_a_new_chat_forgets(page: AppTest, bot: FakeBot) -> None:
    ask(page, "Do cats sleep?")
    page.button(key="new-chat").click().run()
    assert "Footnote 1" not in shown(page)
    assert 'class="example"' in shown(page)
    ask(page, "And now?")
    assert bot.asked[-1] == ("And now?", ())


def test_an_empty_library_says_how_to_add(bot: FakeBot) -> None:
    bot.index.library = []
    loading.opening(Settings.from_environment()).result(5)
    page = AppTest.from_file(APP).run()
    assert "python -m qa add PATH" in page.info[0].value
    assert "python -m qa add PATH" in shown(page)


def test_the_page_waits_for_the_models_and_goes_on_by_itself(bot: FakeBot, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = Gate()

    def slow(settings: Settings) -> FakeBot:
        gate.wait(10)
        return bot

    monkeypatch.setattr(loading, "open_bot", slow)
    Timer(0.5, gate.set).start()
    page = AppTest.from_file(APP, default_timeout=10).run()
    assert gate.is_set()
    assert "Loading" not in shown(page)
    assert 'class="example"' in shown(page)


def test_a_bot_that_does_not_open_is_an_error_and_tried_again(bot: FakeBot, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(settings: Settings) -> FakeBot:
        raise FootnoteError("The index was built with other settings. Rebuild it: python -m qa rebuild")

    with monkeypatch.context() as patched:
        patched.setattr(loading, "open_bot", failing)
        assert loading.opening(Settings.from_environment()).exception(5)
        page = AppTest.from_file(APP).run()
        assert "python -m qa rebuild" in shown(page)
    loading.opening(Settings.from_environment()).result(5)
    page.button[1].click().run()
    assert "python -m qa rebuild" not in shown(page)
    assert 'class="example"' in shown(page)


def test_bad_settings_are_an_error(bot: FakeBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QA_TOP_K", "many")
    page = AppTest.from_file(APP).run()
    assert not page.exception
    assert 'class="error"' in shown(page)


def test_where_a_model_fails_its_words_are_kept_and_the_documents_may_answer(page: AppTest, bot: FakeBot) -> None:
    bot.engine = "ollama/x"
    ask(page, "Do cats sleep?")
    assert "The model is not there. Start it." in shown(page)
    assert "Cats &lt;b&gt;" in shown(page)
    (button,) = [button for button in page.button if button.label == "Answer from the documents instead"]
    button.click().run()
    assert "Cats sleep." in shown(page)
    assert [question for question, _ in bot.asked] == ["Do cats sleep?", "Do cats sleep?"]


def test_a_language_model_of_this_machine_is_offered_and_not_taken(
    bot: FakeBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("qa.providers.local_models", lambda: ("ollama/llama3.2", "ollama/other"))
    loading.opening(Settings.from_environment()).result(5)
    loading.local_models().result(5)
    page = AppTest.from_file(APP, default_timeout=10).run()
    assert "QA_LLM=ollama/llama3.2" in shown(page)
    ask(page, "Do cats sleep?")
    assert "Cats sleep." in shown(page)
