"""An answer becomes a question that the evaluation accepts."""

from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from eval.dataset import check_evidence, read_questions
from tests.ui.answers import PETS, stored_answer, stored_refusal
from tests.ui.pages import button, shown
from ui.chat.question_form import FILE, QuestionDraft, add_evidence, draft_question


def page(home: str, good: bool, refused: bool) -> None:
    """Runs in Streamlit: the form by itself."""
    from pathlib import Path

    import streamlit as st

    from tests.ui.answers import PETS, stored_answer, stored_refusal
    from ui.chat import question_form

    answer = stored_refusal("Do fish?") if refused else stored_answer()
    draft = question_form.draft_question("e", answer, good)
    draft = st.session_state.setdefault("draft", draft)
    if question_form.show(draft, Path(home), PETS.text.count):
        st.session_state["done"] = True


@pytest.fixture
def form(tmp_path: Path) -> Any:
    def open_form(good: bool = True, refused: bool = False) -> AppTest:
        kwargs = {"home": str(tmp_path), "good": good, "refused": refused}
        return AppTest.from_function(page, kwargs=kwargs, default_timeout=10).run()

    return open_form


def press(form: AppTest, label: str) -> AppTest:
    pressed: AppTest = button(form, label).click().run()
    return pressed


def test_draft_of_a_good_answer_has_its_quotes() -> None:
    draft = draft_question("e", stored_answer(), good=True)
    assert draft == QuestionDraft("e", "Do cats sleep?", True, ["Cats sleep."])
    assert draft_question("e", stored_answer(), good=False).evidence == []


def test_draft_of_a_good_refusal_is_unanswerable() -> None:
    assert not draft_question("e", stored_refusal("Do fish?"), good=True).answerable
    assert draft_question("e", stored_refusal("Do fish?"), good=False).answerable


@pytest.mark.parametrize("quote", [" Dogs bark. ", "Cats sleep."])
def test_evidence_that_occurs_once_is_added(quote: str) -> None:
    draft = QuestionDraft("e", "Q?", True, ["Cats sleep."])
    add_evidence(draft, quote, PETS.text.count)
    assert draft.problem == ""
    assert draft.evidence == ["Cats sleep.", *(["Dogs bark."] if "Dogs" in quote else [])]


@pytest.mark.parametrize(
    ("quote", "problem"),
    [
        ("dogs bark", "No document contains exactly these words"),
        ("s", "3 times"),
        ("  ", "Select or paste"),
    ],
)
def test_evidence_missing_or_ambiguous_is_refused(quote: str, problem: str) -> None:
    draft = QuestionDraft("e", "Q?", True, ["Cats sleep."])
    add_evidence(draft, quote, PETS.text.count)
    assert problem in draft.problem
    assert draft.evidence == ["Cats sleep."]


def test_form_saves_questions_that_the_evaluation_reads(form: Any, tmp_path: Path) -> None:
    answerable = form()
    answerable.text_area[0].set_value("they sleep\n\n yes ").run()
    press(answerable, "Save test question")
    assert "done" in answerable.session_state
    press(form(refused=True), "Save test question")

    first, second = read_questions(tmp_path / FILE)
    assert (first.question, first.answers) == ("Do cats sleep?", ("they sleep", "yes"))
    assert first.evidence == ("Cats sleep.",)
    assert (second.question, second.answerable) == ("Do fish?", False)
    assert len(check_evidence([first, second], [PETS])[first.id]) == 1


def test_form_incomplete_says_what_is_missing(form: Any, tmp_path: Path) -> None:
    incomplete = press(form(), "Save test question")
    assert "at least one correct answer" in shown(incomplete)

    without_evidence = form(good=False)
    without_evidence.text_area[0].set_value("yes").run()
    assert "Add the words of a document" in shown(press(without_evidence, "Save test question"))
    without_evidence.text_input[1].set_value("Cats dance.").run()
    assert "No document contains exactly these words" in shown(without_evidence)
    assert not (tmp_path / FILE).exists()

    without_evidence.text_input[1].set_value("Dogs bark.").run()
    press(without_evidence, "Save test question")
    (saved,) = read_questions(tmp_path / FILE)
    assert saved.evidence == ("Dogs bark.",)


def test_form_cancelled_saves_nothing(form: Any, tmp_path: Path) -> None:
    assert "done" in press(form(), "Cancel").session_state
    assert not (tmp_path / FILE).exists()
