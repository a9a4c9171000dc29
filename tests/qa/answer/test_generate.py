"""A model's words become claims: marks to passages, what fits, declines, plain text, errors."""

import threading
import time
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.answer.generate import (
    ADDRESS_REMOVED,
    ANSWER_TOKENS,
    DraftAnswer,
    declines,
    draft_answer,
    plain,
)
from qa.answer.prompts import DECLINE_SENTENCE, passage_ids
from qa.errors import LanguageModelError, StoppedError
from qa.llm.client import without_thinking
from qa.types import Event, Passage, RankedPassage, Span, Why
from tests.properties import examples
from tests.qa.fakes import ScriptedModel, text_document
from tests.qa.texts import texts

BRIDGE = "The bridge cost 48 million euros. Ines Prado opened it in May."
FERRY = "The ferry stops in May. See https://town.example/ferry for more."


def _ranked(*passages: str) -> list[RankedPassage]:
    documents = [text_document(text, f"{n}.txt", f"Title {n}") for n, text in enumerate(passages)]
    return [
        RankedPassage(Passage(document, Span(0, len(document.text))), 1.0, Why(1, 1, 1.0))
        for document in documents
    ]


def _write(
    *script: str, context: int = 4096, ranked: list[RankedPassage] | None = None
) -> DraftAnswer:
    model = ScriptedModel(*script, context=context)
    return draft_answer(
        "What?", ranked or _ranked(BRIDGE, FERRY), model, lambda _: None, threading.Event()
    )


def _claims(script: str) -> list[tuple[str, list[str]]]:
    return [
        (claim.text, [one.document.name for one in claim.passages])
        for claim in _write(script).claims
    ]


def test_marks_become_the_passages_that_they_stand_for() -> None:
    script = (
        "It cost 48 million euros [{ID:The bridge}]. The ferry stops【{ID:The ferry}†x】. "
        "Both [{ID:The ferry}, {ID:The bridge}]. None."
    )
    assert _claims(script) == [
        ("It cost 48 million euros.", ["0.txt"]),
        ("The ferry stops.", ["1.txt"]),
        ("Both.", ["1.txt", "0.txt"]),
        ("None.", []),
    ]


def test_marks_that_stand_for_nothing_cite_nothing() -> None:
    assert (
        _claims("It cost 48 million [1]. It cost 48 million [q8][b9].")
        == [("It cost 48 million.", [])] * 2
    )


@pytest.mark.parametrize(
    ("script", "claims"),
    [
        ("# The bridge\n\nIt cost 48 million [a1].", ["It cost 48 million."]),
        ("It cost 48 million [a1].\n---\nIt is new [a1].", ["It cost 48 million.", "It is new."]),
        ("It cost 48 million [a1].\n===", ["It cost 48 million."]),
        (
            "<p>It cost 48 million [a1].</p>\n<div>It is new.</div>",
            ["It cost 48 million.", "It is new."],
        ),
        ("See ![it](https://evil.example/x) there [a1].", ["See there."]),
        ("- It is new\n- It is long [a1]", ["It is new", "It is long"]),
        ("1. It is new.\n2. It is long.", ["It is new.", "It is long."]),
        ("> It is new [a1].", ["It is new."]),
        ("```py\nprint(1)\n```", ["print(1)"]),
        ("It is new. … —", ["It is new."]),
    ],
)
def test_every_sentence_is_a_claim_whatever_it_stands_in(script: str, claims: list[str]) -> None:
    assert [text for text, _ in _claims(script)] == claims


@examples(60)
@given(texts.filter(lambda text: "`" not in text))  # marks in code are left alone
def test_the_words_told_are_those_of_the_parser_and_no_mark_is_among_them(text: str) -> None:
    told: list[Event] = []
    script = (
        "It cost 48 million [{ID:The bridge}]. "
        + text.replace("{", "(")
        + " It stops [{ID:The ferry}]."
    )
    model = ScriptedModel(script)
    draft_answer("What?", _ranked(BRIDGE, FERRY), model, told.append, threading.Event())
    assert {event.stage for event in told} == {"words"}
    shown = list(accumulate(event.words for event in told))
    ids = passage_ids(2, ["What?", BRIDGE, FERRY])
    assert not any(f"[{key}]" in words for words in shown for key in ids)
    assert shown[-1].startswith("It cost 48 million.")


def test_passages_that_do_not_fit_are_dropped_from_the_bottom_and_named() -> None:
    ranked = _ranked(*(f"Passage {n}. " + "word " * 60 for n in range(5)))
    model = ScriptedModel("Word [{ID:Passage 0}].", context=600)
    draft = draft_answer("What?", ranked, model, lambda _: None, threading.Event())
    assert 0 < len(draft.seen) < 5
    assert list(draft.seen) == ranked[: len(draft.seen)]
    rest = 5 - len(draft.seen)
    titles = "; ".join(f"Title {n}" for n in range(len(draft.seen), 5))
    passages = "passage" if rest == 1 else "passages"
    assert draft.notices == (
        f"{rest} {passages} did not fit what scripted/model takes (600 tokens): {titles}.",
    )
    (prompt,) = model.prompts
    assert all((f"Passage {n}." in prompt[1].content) == (n < len(draft.seen)) for n in range(5))


@pytest.mark.parametrize("context", [300, 450, 600, 900, 4096])
def test_prompt_and_answer_are_never_more_than_the_context(context: int) -> None:
    asked: list[int] = []

    class Model(ScriptedModel):
        def stream(self, messages, most, stop):  # type: ignore[no-untyped-def]
            asked.append(most)
            return super().stream(messages, most, stop)

    model = Model("Word.", context=context)
    draft_answer(
        "What?",
        _ranked(*(f"P{n}. " + "word " * 40 for n in range(9))),
        model,
        lambda _: None,
        threading.Event(),
    )
    assert (
        sum(model.count_tokens(message.content) for message in model.prompts[0]) + asked[0]
        <= context
    )
    assert 0 < asked[0] <= ANSWER_TOKENS


def test_when_nothing_fits_it_says_so_and_asks_nothing() -> None:
    model = ScriptedModel(context=150)
    with pytest.raises(LanguageModelError, match=r"more than scripted/model takes: 100 tokens"):
        draft_answer("What?", _ranked(BRIDGE), model, lambda _: None, threading.Event())
    assert model.prompts == []


@pytest.mark.parametrize(
    "text",
    [
        DECLINE_SENTENCE,
        f"  {DECLINE_SENTENCE}\n",
        "“The documents do not answer this.”",
        "**The documents don’t answer this.**",
        "_The documents do not answer this._",
        "the documents do not answer this",
        "The passages do not answer the question.",
        "These passages do not answer that question",
        "The provided documents do not answer your question.",
        "I’m sorry, but the documents do not answer this question.",
        "Sorry, the document does not answer this.",
        "I'm afraid that the passages do not answer this.",
        "Unfortunately, the documents do not answer this.",
        "I apologize, but the documents do not answer this.",
        f"{DECLINE_SENTENCE} However, bridges usually cost millions.",
        "The documents do not answer this question, but bridges cost millions.",
        "The documents do not answer this [",
    ],
)
def test_a_model_declines(text: str) -> None:
    assert declines(text)
    assert _write(text).claims == ()


@pytest.mark.parametrize(
    "text",
    [
        "The documents answer this.",
        "The documents do not answer the allegations.",
        "The documents do not answer this question of guilt, but the council knew.",
        "Beck said the documents do not answer this.",
        "The bridge cost 48 million. The documents do not answer this.",
        "The documents do not say this.",
    ],
)
def test_a_model_does_not_decline(text: str) -> None:
    assert not declines(text)
    assert _write(text).claims


@pytest.mark.parametrize(
    "text", ["", " \n", "[a1]", "[a1][b2]", "…", "![](https://evil.example/?q=1)", "---"]
)
def test_an_empty_answer_is_a_fault_and_no_refusal(text: str) -> None:
    with pytest.raises(LanguageModelError, match="gave an empty answer"):
        _write(text)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("**bold**, *it*, __b__ and ***both***", "bold, it, b and both"),
        ("**bold *it* x**", "bold it x"),
        ("snake_case_name 5*3*2 5 * 3", "snake_case_name 5*3*2 5 * 3"),
        ("`code` and ``more``", "code and more"),
        ("```py\nprint(1)\n```", "print(1)"),
        ("a < b and c > d", "a < b and c > d"),
        ("<b>bold</b><br/> <i class='x'>it</i>", "bold it"),
        ("<scr<b>ipt>alert(1)</script>", "alert(1)"),
        ("<img src=https://evil.example/x>end", "end"),
        ("<a href='https://evil.example'>here</a>", "here"),
        ("<!-- hidden --> seen", "seen"),
        ("See ![chart](https://evil.example/?q=1) it", "See it"),
        ("[![a](http://i.example)](http://l.example) b", "b"),
        ("[here](https://evil.example/?q=1 'title')", "here"),
        ("[here](javascript:alert)", "here"),
        ("[here](//evil.example)", "here"),
        ("[here](a)", "here"),
        ("https://evil.example/?q=1.", f"{ADDRESS_REMOVED}."),
        ("<https://evil.example/>", ADDRESS_REMOVED),
        ("www.evil.example and evil.example/?q=x", f"{ADDRESS_REMOVED} and {ADDRESS_REMOVED}"),
        (
            "ht<b></b>tps://evil.example h\u200bttps://evil.example",
            f"{ADDRESS_REMOVED} {ADDRESS_REMOVED}",
        ),
        ("data:text/html;base64,AAAA", ADDRESS_REMOVED),
        ("left\u202eright\u200b\ufeff", "leftright"),
        ("and/or 3.5/4 U.S./China e.g. this", "and/or 3.5/4 U.S./China e.g. this"),
        ("two  words\nhere", "two words here"),
    ],
)
def test_what_is_plain_of_markdown_and_html(text: str, kept: str) -> None:
    assert plain(text, BRIDGE) == kept


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("See https://town.example/ferry.", "See https://town.example/ferry."),
        ("See (https://town.example/ferry), please", "See (https://town.example/ferry), please"),
        ("<https://town.example/ferry>", "https://town.example/ferry"),
        ("[the page](https://town.example/ferry).", "the page (https://town.example/ferry)."),
        ("**https://town.example/ferry**", "https://town.example/ferry"),
        ("https://town.example/ferry?q=secret", ADDRESS_REMOVED),
        ("[the page](https://town.example/ferry?q=secret)", "the page"),
    ],
)
def test_an_address_that_the_documents_have_is_kept_as_text(text: str, kept: str) -> None:
    assert plain(text, FERRY) == kept


@given(
    st.text(
        alphabet=st.sampled_from("<>/![]()ab s:*_`-=\"'\n") | st.characters(max_codepoint=300),
        max_size=120,
    )
)
def test_plain_leaves_no_tag_and_no_address(text: str) -> None:
    left = plain(f"{text} https://evil.example/x {text}<b>", "")
    assert "evil.example" not in left
    assert "<b>" not in left
    assert plain(left, "") == left


@pytest.mark.parametrize(
    "unit", ["[", "<!--", "<b ", "<b <b>>", "![", "[a](", "*a", "`", "“a ", "a.", "Ab "]
)
def test_no_answer_takes_long_to_read(unit: str) -> None:
    begun = time.perf_counter()
    text = unit * (8 * ANSWER_TOKENS // len(unit))
    plain(text, BRIDGE)
    declines(text)
    assert time.perf_counter() - begun < 1


def test_what_was_streamed_before_a_fault_is_kept_without_marks() -> None:
    fault = LanguageModelError("cut off", "raw [a1] words")
    model = ScriptedModel("It cost 48 million [a1]. Then [a", fails=fault)
    told: list[Event] = []
    with pytest.raises(LanguageModelError, match="cut off") as caught:
        draft_answer("What?", _ranked(BRIDGE), model, told.append, threading.Event())
    assert caught.value.streamed == "It cost 48 million. Then"
    assert caught.value.streamed == "".join(event.words for event in told)


def test_a_stop_keeps_what_was_streamed() -> None:
    stop = threading.Event()

    def tell(event: Event) -> None:
        if "million" in event.words or "48" in event.words:
            stop.set()

    with pytest.raises(StoppedError) as caught:
        draft_answer(
            "What?", _ranked(BRIDGE), ScriptedModel("It cost 48 million [a1]. " * 9), tell, stop
        )
    assert "It cost".startswith(caught.value.streamed[:7])
    assert "[" not in caught.value.streamed
    assert len(caught.value.streamed) < 60


@pytest.mark.parametrize(
    ("pieces", "shown"),
    [
        (["<th", "ink>Hm. [a1]", "</thi", "nk>\n\nIt cost 3."], "It cost 3."),
        (["<", "b>bold"], "<b>bold"),
        (["\n", "It ", "cost."], "\nIt cost."),
        (["<think>never said"], ""),
        (["<thi"], "<thi"),
    ],
)
def test_what_a_model_thinks_before_it_answers_is_not_shown(pieces: list[str], shown: str) -> None:
    assert "".join(without_thinking(pieces)) == shown


def test_what_the_model_cites_and_was_not_given_is_told() -> None:
    draft = _write("Gold rose [a1]. It fell [z9][7]. It rose [7].")
    assert draft.notices == ("The language model cited what it was not given: z9, 7.",)
    assert [len(claim.passages) for claim in draft.claims] == [1, 0, 0]
