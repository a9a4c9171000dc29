"""A model's words become claims; prompts fit; declining, failing and stopping."""

import threading
import time
from collections.abc import Iterator, Sequence
from itertools import accumulate

import pytest
from hypothesis import given

from qa.answer.empty_words import declines, repeats_question, says_nothing
from qa.answer.generate import (
    ANSWER_CUT,
    ANSWER_TOKENS,
    CLAIMS_CUT,
    MAX_ANSWER,
    MAX_CLAIMS,
    DraftAnswer,
    draft_answer,
)
from qa.answer.plaintext import plain_text
from qa.answer.prompts import DECLINE_SENTENCE, passage_ids
from qa.errors import LanguageModelError, StoppedError
from qa.llm.model import Message, without_thinking
from qa.reader.reader import Reading
from qa.types import Event, Passage, RankedPassage, Span, Why
from tests.properties import examples
from tests.qa.fakes import ScriptedModel, text_document
from tests.qa.texts import texts

BRIDGE = "The bridge cost 48 million euros. Ines Prado opened it in May."
FERRY = "The ferry stops in May. See https://town.example/ferry for more."


def _reading(*passages: str) -> Reading:
    """A reading without candidates, so that the prompt repeats no sentence."""
    documents = [text_document(text, f"{n}.txt", f"Title {n}") for n, text in enumerate(passages)]
    ranked = [
        RankedPassage(Passage(document, Span(0, len(document.text))), 1.0, Why(1, 1, 1.0))
        for document in documents
    ]
    return Reading((), tuple(ranked), 0.5)


def _write(*script: str, context: int = 4096, reading: Reading | None = None) -> DraftAnswer:
    model = ScriptedModel(*script, context=context)
    return draft_answer(
        "What?", reading or _reading(BRIDGE, FERRY), model, lambda _: None, threading.Event()
    )


def _claims(script: str) -> list[tuple[str, list[str]]]:
    return [
        (claim.text, [one.document.name for one in claim.passages])
        for claim in _write(script).claims
    ]


def test_claims_have_the_passages_of_their_markers() -> None:
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


def test_claims_with_unknown_markers_cite_nothing() -> None:
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
def test_claims_are_the_sentences_in_any_markup(script: str, claims: list[str]) -> None:
    assert [text for text, _ in _claims(script)] == claims


@examples(60)
@given(texts.filter(lambda text: "`" not in text))  # marks in code are left alone
def test_events_have_all_words_and_no_marker(text: str) -> None:
    events: list[Event] = []
    script = (
        "It cost 48 million [{ID:The bridge}]. "
        + text.replace("{", "(")
        + " It stops [{ID:The ferry}]."
    )
    model = ScriptedModel(script)
    draft_answer("What?", _reading(BRIDGE, FERRY), model, events.append, threading.Event())
    assert {event.stage for event in events} == {"words"}
    shown = list(accumulate(event.words for event in events))
    ids = passage_ids(2, ["What?", BRIDGE, FERRY])
    assert not any(f"[{key}]" in words for words in shown for key in ids)
    assert shown[-1].startswith("It cost 48 million.")


def test_prompt_too_long_leaves_out_the_last_passages() -> None:
    reading = _reading(*(f"Passage {n}. " + "word " * 60 for n in range(5)))
    model = ScriptedModel("Word [{ID:Passage 0}].", context=600)
    draft = draft_answer("What?", reading, model, lambda _: None, threading.Event())
    assert 0 < len(draft.seen) < 5
    assert draft.seen == reading.passages[: len(draft.seen)]
    rest = 5 - len(draft.seen)
    titles = "; ".join(f"Title {n}" for n in range(len(draft.seen), 5))
    passages = "passage" if rest == 1 else "passages"
    assert draft.notices == (
        f"{rest} {passages} did not fit into the context of scripted/model (600 tokens): {titles}.",
    )
    (prompt,) = model.prompts
    assert all((f"Passage {n}." in prompt[1].content) == (n < len(draft.seen)) for n in range(5))


@pytest.mark.parametrize("context", [300, 450, 600, 900, 4096])
def test_prompt_and_answer_fit_into_the_context(context: int) -> None:
    limits: list[int] = []

    class Model(ScriptedModel):
        def stream(self, messages, max_tokens, stop):  # type: ignore[no-untyped-def]
            limits.append(max_tokens)
            return super().stream(messages, max_tokens, stop)

    model = Model("Word.", context=context)
    draft_answer(
        "What?",
        _reading(*(f"P{n}. " + "word " * 40 for n in range(9))),
        model,
        lambda _: None,
        threading.Event(),
    )
    assert (
        sum(model.count_tokens(message.content) for message in model.prompts[0]) + limits[0]
        <= context
    )
    assert 0 < limits[0] <= ANSWER_TOKENS


def test_prompt_of_one_passage_too_long_raises() -> None:
    model = ScriptedModel(context=150)
    with pytest.raises(
        LanguageModelError, match=r"too long for scripted/model, which has 100 tokens"
    ):
        draft_answer("What?", _reading(BRIDGE), model, lambda _: None, threading.Event())
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
def test_declines_recognises_the_sentence_and_variants(text: str) -> None:
    assert declines(text)
    assert _write(text).claims == ()


@pytest.mark.parametrize(
    "text",
    [
        "Beck said the documents do not answer this.",
        "The bridge cost 48 million. The documents do not answer this.",
    ],
)
def test_declines_ignores_other_answers(text: str) -> None:
    assert not declines(text)
    assert _write(text).claims


EMPTY = [
    "Here is the answer:",
    "This information is found in the source.",
    "The answer to the question is given above.",
    "According to the provided passages:",
    "The passages do not mention the price.",
    "The provided text does not specify who signed the lease.",
    "There is no information about the bridge in the passages.",
    "The price of the bridge is not mentioned in the documents.",
    "Unfortunately, the sources do not say who signed it.",
    "None of the provided sources mention the price.",
    "I cannot answer this question.",
    "Based on the passages, there is no information about the price.",
    "The sources provided are not helpful.",
    "Use only what the passages say.",
    "After each sentence write the id of its passage in square brackets.",
]


@pytest.mark.parametrize("text", EMPTY)
def test_sentence_that_says_nothing_is_no_claim(text: str) -> None:
    """It gets no mark and no footnote; alone it declines."""
    assert _claims(f"{text}\n\nThe bridge cost 48 million euros [{{ID:The bridge}}].") == [
        ("The bridge cost 48 million euros.", ["0.txt"])
    ]
    assert _write(text).claims == ()


@pytest.mark.parametrize(
    "text",
    [
        "No.",
        "Yes, it does.",
        "It is 48.",
        "This information is not given to third parties.",
        "There is no lift in the house.",
        "The documents were signed in May.",
        "The answer is Ines Prado.",
        "The source of the river is in Norra.",
        "Keep names and dates.",
        "“I cannot find my keys”, said Ines Prado.",
        "There is no answer from the ministry yet.",
        "The bridge has no lights.",
    ],
)
def test_sentence_that_says_something_is_a_claim(text: str) -> None:
    assert not says_nothing(text)


@pytest.mark.parametrize(
    ("sentence", "question", "is_repeated"),
    [
        (
            "Ines should call about a dripping tap.",
            "Whom should Ines call about a dripping tap?",
            True,
        ),
        ("The rival wants to win.", "Which rival wants to win?", True),
        (
            "Ines should call Paul about a dripping tap.",
            "Whom should Ines call about a tap?",
            False,
        ),
        ("Yes, dogs may stay.", "May dogs stay?", False),
        ("The Stratos is waterproof.", "Which is waterproof, the Stratos or the Nimbus?", False),
        ("The Stratos is waterproof.", "Of the Stratos and Nimbus, which is waterproof?", False),
        ("It is 48.", "How long is it?", False),
    ],
)
def test_sentence_that_repeats_the_question_answers_nothing(
    sentence: str, question: str, is_repeated: bool
) -> None:
    assert repeats_question(sentence, question) == is_repeated


@pytest.mark.parametrize(
    "text", ["", " \n", "[a1]", "[a1][b2]", "…", "![](https://evil.example/?q=1)", "---"]
)
def test_empty_answer_raises(text: str) -> None:
    """A failure never looks like a refusal."""
    with pytest.raises(LanguageModelError, match="returned an empty answer"):
        _write(text)


@pytest.mark.parametrize(
    "unit", ["[", "<!--", "<b ", "<b <b>>", "![", "[a](", "*a", "`", "“a ", "a.", "Ab "]
)
def test_reading_of_any_answer_is_fast(unit: str) -> None:
    begun = time.perf_counter()
    text = unit * (8 * ANSWER_TOKENS // len(unit))
    plain_text(text, BRIDGE)
    declines(text)
    assert time.perf_counter() - begun < 1


def test_failure_keeps_the_words_without_markers() -> None:
    failure = LanguageModelError("cut off", "raw [a1] words")
    model = ScriptedModel("It cost 48 million [a1]. Then [a", fails=failure)
    events: list[Event] = []
    with pytest.raises(LanguageModelError, match="cut off") as caught:
        draft_answer("What?", _reading(BRIDGE), model, events.append, threading.Event())
    assert caught.value.streamed == "It cost 48 million. Then"
    assert caught.value.streamed == "".join(event.words for event in events)


def test_stop_keeps_the_words() -> None:
    stop = threading.Event()

    def tell(event: Event) -> None:
        if "million" in event.words or "48" in event.words:
            stop.set()

    with pytest.raises(StoppedError) as caught:
        draft_answer(
            "What?", _reading(BRIDGE), ScriptedModel("It cost 48 million [a1]. " * 9), tell, stop
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
def test_without_thinking_drops_the_reasoning_only(pieces: list[str], shown: str) -> None:
    assert "".join(without_thinking(pieces)) == shown


def test_unknown_markers_give_a_notice() -> None:
    draft = _write("Gold rose [a1]. It fell [z9][7]. It rose [7].")
    assert draft.notices == ("The language model used footnotes that do not exist: z9, 7.",)
    assert [len(claim.passages) for claim in draft.claims] == [1, 0, 0]


def test_answer_without_end_is_cut_with_a_notice() -> None:
    """Of an endless answer the beginning is read; no more words are taken from the model."""
    taken = 0

    class EndlessModel(ScriptedModel):
        def stream(
            self, messages: Sequence[Message], most: int, stop: threading.Event
        ) -> Iterator[str]:
            nonlocal taken
            while True:
                taken += 1
                yield "The bridge cost two million. "

    events: list[Event] = []
    model = EndlessModel()
    draft = draft_answer("What?", _reading(BRIDGE), model, events.append, threading.Event())
    assert draft.notices == (ANSWER_CUT, CLAIMS_CUT)
    assert sum(len(event.words) for event in events) <= MAX_ANSWER
    assert taken <= MAX_ANSWER // 29 + 2


def test_answer_of_many_sentences_is_cut_with_a_notice() -> None:
    """So many claims are checked as an answer has, and no more."""
    whole = _write("It cost 3 euros. " * MAX_CLAIMS)
    cut = _write("It cost 3 euros. " * (MAX_CLAIMS + 1))
    assert (len(whole.claims), whole.notices) == (MAX_CLAIMS, ())
    assert (len(cut.claims), cut.notices) == (MAX_CLAIMS, (CLAIMS_CUT,))
    assert cut.text.count("euros") == MAX_CLAIMS + 1
