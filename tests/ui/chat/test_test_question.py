"""An answer becomes a question that the evaluation accepts."""

from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from eval.dataset import check_evidence, read_questions
from qa.types import Document
from tests.ui.texts import PETS, answer, refusal
from ui.chat.test_question import FILE, Draft, draft_of, pick
from ui.chat.transcript import Told

TOLD = Told.of(answer(), 0.5)


def page(home: str, good: bool, refused: bool) -> None:
    """Runs in Streamlit: the form, by itself."""
    from pathlib import Path

    import streamlit as st

    from tests.ui.texts import PETS, answer, refusal
    from ui.chat import test_question as questions
    from ui.chat.transcript import Told

    told = Told.of(refusal("Do fish?") if refused else answer(), 0.5)
    draft = st.session_state.setdefault("draft", questions.draft_of("e", told, good))
    if questions.show(draft, Path(home), [PETS]):
        st.session_state["done"] = True


@pytest.fixture
def form(tmp_path: Path) -> Any:
    def opened(good: bool = True, refused: bool = False) -> AppTest:
        kwargs = {"home": str(tmp_path), "good": good, "refused": refused}
        return AppTest.from_function(page, kwargs=kwargs, default_timeout=10).run()

    return opened


def press(form: AppTest, label: str) -> AppTest:
    (button,) = [button for button in form.button if button.label == label]
    return button.click().run()


def said(form: AppTest) -> str:
    return "\n".join(element.proto.body for element in form.get("html"))


def test_a_draft_begins_with_what_is_known() -> None:
    assert draft_of("e", TOLD, good=True) == Draft("e", "Do cats sleep?", True, ["Cats sleep."])
    assert draft_of("e", TOLD, good=False).evidence == []
    refused = Told.of(refusal("Do fish?"), 0.5)
    assert not draft_of("e", refused, good=True).answerable
    assert draft_of("e", refused, good=False).answerable


@pytest.mark.parametrize(
    ("quote", "problem"),
    [
        (" Dogs bark. ", ""),
        ("Cats sleep.", ""),
        ("dogs bark", "No document has these words"),
        ("s", "3 times"),
        ("  ", "Select or paste"),
    ],
)
def test_evidence_is_words_that_stand_once_in_the_documents(quote: str, problem: str) -> None:
    draft = Draft("e", "Q?", True, ["Cats sleep."])
    pick(draft, quote, [PETS])
    assert problem in draft.problem
    assert bool(draft.problem) == bool(problem)
    assert draft.evidence == ["Cats sleep.", *(["Dogs bark."] if "Dogs" in quote else [])]


def test_words_in_two_documents_are_no_evidence() -> None:
    draft = Draft("e", "Q?", True)
    pick(draft, "Dogs bark.", [PETS, Document("other.txt", "/other.txt", "Other", "Dogs bark.")])
    assert "2 times" in draft.problem


def test_a_saved_question_is_one_that_the_evaluation_takes(form: Any, tmp_path: Path) -> None:
    shown = form()
    shown.text_area[0].set_value("they sleep\n\n yes ").run()
    press(shown, "Save the question")
    assert "done" in shown.session_state
    again = form(refused=True)
    press(again, "Save the question")
    first, second = read_questions(tmp_path / FILE)
    assert (first.question, first.answers, first.evidence) == (
        "Do cats sleep?",
        ("they sleep", "yes"),
        ("Cats sleep.",),
    )
    assert (second.question, second.answerable) == ("Do fish?", False)
    assert len(check_evidence([first, second], [PETS])[first.id]) == 1


def test_what_is_missing_is_said_and_nothing_saved(form: Any, tmp_path: Path) -> None:
    shown = press(form(), "Save the question")
    assert "at least one right answer" in said(shown)
    bad = form(good=False)
    bad.text_area[0].set_value("yes").run()
    assert "prove the answer" in said(press(bad, "Save the question"))
    bad.text_input[1].set_value("Cats dance.").run()
    assert "No document has these words" in said(bad)
    bad.text_input[1].set_value("Dogs bark.").run()
    press(bad, "Save the question")
    (saved,) = read_questions(tmp_path / FILE)
    assert saved.evidence == ("Dogs bark.",)


def test_it_can_be_left(form: Any, tmp_path: Path) -> None:
    assert "done" in press(form(), "Cancel").session_state
    assert not (tmp_path / FILE).exists()
