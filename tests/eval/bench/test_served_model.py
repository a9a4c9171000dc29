"""Footnote beside `CitationQueryEngine` with a language model behind a server of this machine."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from eval.bench import llamaindex
from eval.bench.comparison import Engine, ask, compare_engines, unmarked_sentences
from eval.bench.engines import MODEL_CONTEXT, variants
from eval.bench.llamaindex import DEFAULT, FITTED, Stack, Variant
from eval.bench.marked_text import marked_sentences, without_markers
from eval.bench.refusals import is_refusal
from eval.bench.served_model import ServedLlm
from qa.answer.generate import ANSWER_TOKENS
from qa.answer.prompts import DECLINE_SENTENCE
from qa.errors import FootnoteError, LanguageModelError
from qa.llm.client import LlmSettings, language_model
from qa.llm.model import LanguageModel
from qa.types import AnswerSentence
from tests.eval.bench.test_bench import (
    ARGUMENTS,
    BRIDGE,
    COST,
    FERRY,
    ROWS,
    WordEmbedding,
    here,  # noqa: F401  # a fixture
    run,
)
from tests.eval.fakes import PETS, answer, cite, example, question
from tests.qa.llm.conftest import _no_network  # noqa: F401  # a fixture: this machine is allowed
from tests.qa.llm.scripted import Reply, ScriptedServer, json_reply, openai_like, openai_words

pytestmark = pytest.mark.server
CHAT = "/v1/chat/completions"
NAME = "openai-like/tiny"
REFUSALS = [
    "None of the provided sources mention the price.",
    "The provided sources do not mention the price. Source 1 is about a ferry [1].",
    "The sources provided don't contain any information about it [1][2].",
    "The price is not mentioned in the provided sources [1].",
    "Unfortunately, the sources do not state the price.",
    "I'm sorry, but based on the provided sources, I cannot answer this question.",
    "Based on the sources provided, there is no information about the price.",
    "**Answer:** None of the sources are helpful.",
    DECLINE_SENTENCE,
    "Empty Response",
]
ANSWERS = [
    "The bridge cost 48 million euros [1].",
    "It cost 48 million [1]. Its length is not mentioned in the sources.",
    "Based on the provided sources: It cost 48 million [1].",
    "According to Source 1, there is no information office in the town.",
    "None of the bridges is open [2].",
    "The sources of the river are in the hills [1].",
    "No.",
]


def words(text: str) -> Reply:
    return Reply(list(openai_words(text)))


Serve = Callable[..., tuple[ScriptedServer, LanguageModel]]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Returns a function that starts a server of these replies and returns its model."""
    servers = []

    def start(*replies: Reply, context: int = 8192) -> tuple[ScriptedServer, LanguageModel]:
        server = openai_like(list(replies), max_model_len=context)
        servers.append(server.__enter__())
        return server, language_model(LlmSettings(NAME, f"{server.url}/v1"))

    yield start
    for server in servers:
        server.__exit__()


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    """Two documents of one chunk each."""
    return llamaindex.make_stack([BRIDGE, FERRY], DEFAULT, WordEmbedding(), tmp_path / "chroma")


def peer_engine(stack: Stack, model: LanguageModel) -> Engine:
    peer = llamaindex.make_peer(stack, Variant("citation", DEFAULT, 2), model)
    return Engine("peer", peer.ask, ("answers",), asks_model=True)


# The language model


def test_served_llm_sends_one_message_with_our_limits(serve: Serve) -> None:
    server, model = serve(words("<think>Hm.</think>It cost 48 million [1]."))
    llm = ServedLlm(model)
    assert llm.complete("What?").text == "It cost 48 million [1]."
    (body,) = server.bodies(CHAT)
    assert body["messages"] == [{"role": "user", "content": "What?"}]
    assert (body["temperature"], body["max_tokens"], body["model"]) == (0.0, ANSWER_TOKENS, "tiny")
    assert (llm.metadata.context_window, llm.metadata.num_output) == (8192, ANSWER_TOKENS)


def test_served_llm_small_context_has_fewer_tokens(serve: Serve) -> None:
    server, model = serve(words("Yes."), context=900)
    ServedLlm(model).complete("What?")
    assert server.bodies(CHAT)[0]["max_tokens"] == 300


# The citing peer


def test_citing_peer_cites_what_each_sentence_names(serve: Serve, stack: Stack) -> None:
    _, model = serve(words("It cost 48 million [1]. Ferries [1, Source 2] stop. They are red."))
    response = peer_engine(stack, model).ask(COST)
    assert response.text == "It cost 48 million. Ferries stop. They are red."
    cited = []
    for sentence in response.sentences:
        cited.append([citation.document for citation in sentence.citations])
    assert cited == [["bridge.txt"], ["bridge.txt", "ferry.txt"], []]
    assert unmarked_sentences(example(response, question())) == pytest.approx(1 / 3)


def test_citing_peer_refusal_in_own_words(serve: Serve, stack: Stack) -> None:
    _, model = serve(words(REFUSALS[0]))
    response = peer_engine(stack, model).ask(COST)
    assert (response.reason, response.sentences) == ("model_declined", ())
    assert response.text == REFUSALS[0]


def test_scripted_refusal_is_only_the_sentence(stack: Stack) -> None:
    """The scripted model copies: a sentence about sources is an answer of the scripted model."""
    source = llamaindex.make_peer(stack, Variant("citation", DEFAULT, 2))
    assert isinstance(source, llamaindex.CitingPeer)
    assert source.refuses(DECLINE_SENTENCE)
    assert not source.refuses(REFUSALS[0])


def test_ask_failed_answer_is_error_of_its_question(serve: Serve, stack: Stack) -> None:
    broken = json_reply({"error": {"message": "no luck"}}, 500)
    good = words("Dogs bark [1].")
    server, model = serve(good, good, broken, good)
    questions = [question("one"), question("two"), question("three")]
    (scored,) = ask([peer_engine(stack, model)], questions, [PETS])
    assert list(scored.errors) == ["two"]
    assert scored.errors["two"].startswith("LanguageModelError: ")
    assert list(scored.answers) == ["one", "three"]
    assert [bool(each.scores) for each in scored.questions] == [True, False, True]
    (row,) = compare_engines([scored])
    assert row.estimates["unmarked_sentences"].n == 2
    assert len(server.bodies(CHAT)) == 4


@pytest.mark.parametrize("text", REFUSALS)
def test_is_refusal_in_words_of_models(text: str) -> None:
    assert is_refusal(text)


@pytest.mark.parametrize("text", ANSWERS)
def test_is_refusal_answer_is_none(text: str) -> None:
    assert not is_refusal(text)


def test_marked_sentences_unknown_numbers_and_headings() -> None:
    source = cite(21, 40)
    text = "## Pets\n\nDogs bark [1][9]. Cats (in 2020) sleep (Source 7).\n\n- Birds sing. [1]"
    sentences = marked_sentences(text, [source])
    assert [each.text for each in sentences] == [
        "Dogs bark.",
        "Cats (in 2020) sleep.",
        "Birds sing.",
    ]
    assert [each.citations for each in sentences] == [(source,), (), (source,)]
    assert without_markers("It has 3 [a1] in [2020].") == "It has 3 [a1] in [2020]."


def test_unmarked_sentences_by_hand() -> None:
    marked = AnswerSentence("Cats fly.", "unsupported", ())
    weak = AnswerSentence("Cats swim.", "weak", ())
    plain = AnswerSentence("Cats read.", "supported", ())
    footnote = AnswerSentence("Dogs bark.", "verbatim", (cite(21, 40),))
    empty = AnswerSentence("The sources do not say when.", "supported", ())
    response = answer(marked, weak, plain, footnote, empty)
    assert unmarked_sentences(example(response, question())) == 1 / 4
    assert unmarked_sentences(example(answer(marked, footnote), question())) == 0
    assert unmarked_sentences(example(answer(empty), question())) is None
    assert unmarked_sentences(example(answer(), question())) is None


def test_variants_with_model_only_those_that_fit(serve: Serve) -> None:
    _, model = serve(words("Yes."))
    chosen = variants(model)
    assert chosen == [Variant("citation", DEFAULT, 2), Variant("citation", FITTED, 5)]
    assert len(variants(None)) > len(chosen)
    assert not Variant("citation", DEFAULT, 10).fits(MODEL_CONTEXT)


# The command


def test_peers_invalid_engine_raises_before_run_folder() -> None:
    with pytest.raises(FootnoteError, match="Invalid language model 'tiny'"):
        run(*ARGUMENTS, "--engine", "tiny")
    assert not Path("runs").exists()


def test_peers_server_down_raises_before_run_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QA_LLM_URL", "http://127.0.0.1:9/v1")
    with pytest.raises(LanguageModelError):
        run(*ARGUMENTS, "--engine", NAME)
    assert not Path("runs").exists()


@pytest.mark.model
@pytest.mark.slow
def test_peers_engine_same_words_on_both_sides(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # Footnote finds the passage of a sentence that names none that it knows.
    server, _ = serve(words("Dogs bark at night [1]. Cats read the news."))
    monkeypatch.setenv("QA_LLM_URL", f"{server.url}/v1")
    assert run(*ARGUMENTS, "--engine", NAME, "--threshold", "0", "--out", "out") == 0

    result = json.loads(Path("out/peers.json").read_text(encoding="utf-8"))
    assert result["settings"]["llm"] == NAME
    ours = f"Footnote, {NAME}"
    peers = ["citation engine 1024, top 2", "citation engine 256, top 5"]
    assert list(result["engines"]) == ["Footnote", ours, *peers]
    texts = {name: rows["dogs"]["text"] for name, rows in result["answers"].items()}
    assert texts == dict.fromkeys([ours, *peers], "Dogs bark at night. Cats read the news.")

    figures: dict[str, Any] = {}
    for name, row in result["engines"].items():
        figures[name] = row["figures"]
    assert figures[ours]["citation_f1"]["value"] == 1
    assert figures[ours]["unmarked_sentences"]["value"] == 0
    for name in peers:
        assert figures[name]["contains_answer"]["value"] == 1
        assert figures[name]["unmarked_sentences"]["value"] == 1 / 2
        assert result["engines"][name]["reference"] == ours
    assert "unmarked_sentences" not in figures["Footnote"]

    question_words = str(ROWS[0]["question"])
    asked = [body for body in server.bodies(CHAT) if question_words in str(body["messages"])]
    assert len(asked) == 3
    assert {(body["temperature"], body["max_tokens"]) for body in asked} == {(0.0, ANSWER_TOKENS)}
    assert "Sentences written by a model" in capsys.readouterr().out
