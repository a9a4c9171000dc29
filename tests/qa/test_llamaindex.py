"""The chain inside llama-index: what its programs get, and that nothing of llama-index's own is made for it."""

import asyncio
import math
import re
import subprocess
import sys
import threading
from collections.abc import Coroutine, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import pytest
from llama_index.core import Settings
from llama_index.core.base.response.schema import Response
from llama_index.core.chat_engine import CondenseQuestionChatEngine, ContextChatEngine
from llama_index.core.llms import CompletionResponse, MockLLM
from llama_index.core.prompts import PromptTemplate
from llama_index.core.query_engine import RouterQueryEngine
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode
from llama_index.core.tools import QueryEngineTool

from qa.answer.content import REFUSALS
from qa.bot import Bot
from qa.errors import FootnoteError, LanguageModelError, StoppedError
from qa.llamaindex import (
    FootnoteFaithfulness,
    FootnoteQueryEngine,
    FootnoteReranker,
    FootnoteRetriever,
)
from qa.llm.model import Message
from tests.qa.fakes import (
    CoverEntailment,
    ScriptedModel,
    WordEmbedder,
    WordPointer,
    scripted_bot,
    text_document,
    word_bot,
)

BRIDGE = text_document(
    "The bridge cost 48 million euros.\nThe ferry stops in May.\n", "bridge.txt", "A bridge"
)
MARKET = text_document("The market opens at six.\n", "market.txt", "A market")
QUESTION = "What did the bridge cost?"
T = TypeVar("T")


@pytest.fixture(autouse=True)
def _no_defaults(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No key, and no model in llama-index's settings, before or after."""
    for name in ("OPENAI_API_KEY", "IS_TESTING"):
        monkeypatch.delenv(name, raising=False)
    yield
    assert (Settings._llm, Settings._embed_model) == (None, None)


@pytest.fixture
def bot(tmp_path: Path) -> Bot:
    return word_bot(tmp_path, BRIDGE, MARKET, threshold=0.5)


def _query(bot: Bot, question: str = QUESTION) -> Response:
    response = FootnoteQueryEngine(bot).query(question)
    assert isinstance(response, Response)
    return response


def _run(work: Coroutine[Any, Any, T]) -> T:
    """In a thread of its own: the browser's tests leave a loop running in this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


def _text(one: NodeWithScore) -> TextNode:
    assert isinstance(one.node, TextNode)
    return one.node


def test_retriever_returns_what_the_bot_reads(bot: Bot) -> None:
    read = bot.ask(QUESTION).passages
    found = FootnoteRetriever(bot).retrieve(QUESTION)
    assert len(found) == 2
    assert [(one.node_id, one.score, one.text) for one in found] == [
        (one.passage.id, one.score, one.passage.text) for one in read
    ]
    best = _text(found[0])
    assert BRIDGE.text[best.start_char_idx : best.end_char_idx] == best.text
    assert (best.metadata, best.ref_doc_id) == (
        {"document": "bridge.txt", "title": "A bridge"},
        BRIDGE.id,
    )


def test_retriever_returns_passages_of_a_refusal(bot: Bot) -> None:
    assert bot.ask("Who sang opera?").abstained
    assert FootnoteRetriever(bot).retrieve("Who sang opera?")


def test_retriever_calls_no_language_model(tmp_path: Path) -> None:
    model = ScriptedModel()
    assert FootnoteRetriever(scripted_bot(tmp_path, model, BRIDGE)).retrieve(QUESTION)
    assert model.prompts == []


def test_query_empty_library_says_why(tmp_path: Path) -> None:
    bot = word_bot(tmp_path)
    assert FootnoteRetriever(bot).retrieve(QUESTION) == []
    response = _query(bot)
    assert (response.response, response.source_nodes) == (REFUSALS["no_documents"], [])
    assert response.metadata is not None
    assert response.metadata["reason"] == "no_documents"


def test_query_has_a_node_for_each_citation(bot: Bot) -> None:
    answer, response = bot.ask(QUESTION), _query(bot)
    assert str(response) == answer.text == "The bridge cost 48 million euros."
    assert response.metadata == {
        "abstained": False,
        "reason": None,
        "confidence": 0.9,
        "engine": "built-in",
        "sentences": [sentence.as_json() for sentence in answer.sentences],
        "nearest": None,
        "notices": [],
    }
    [source] = response.source_nodes
    node = _text(source)
    assert (node.text, source.score) == ("The bridge cost 48 million euros.", 0.9)
    assert BRIDGE.text[node.start_char_idx : node.end_char_idx] == node.text
    assert node.metadata == {
        "document": "bridge.txt",
        "title": "A bridge",
        "version": BRIDGE.version,
    }
    assert _query(bot).source_nodes[0].node_id == source.node_id


def test_query_shared_citation_is_one_node(tmp_path: Path) -> None:
    model = ScriptedModel(
        "The bridge cost 48 million euros [{ID:bridge cost}]. It cost 48 million euros, the bridge [{ID:bridge cost}]."
    )
    response = _query(scripted_bot(tmp_path, model, BRIDGE))
    assert response.metadata is not None
    cited = [one["citations"] for one in response.metadata["sentences"]]
    assert len(cited) == 2
    assert cited[0] == cited[1] != []
    assert len(response.source_nodes) == 1
    assert response.metadata["engine"] == "scripted/model"


def test_query_refusal_has_no_nodes(bot: Bot) -> None:
    response = _query(bot, "Who sang opera?")
    assert (str(response), response.source_nodes) == (REFUSALS["not_in_documents"], [])
    assert response.metadata == {
        "abstained": True,
        "reason": "not_in_documents",
        "confidence": 0.1,
        "engine": "built-in",
        "sentences": [],
        "nearest": None,
        "notices": [],
    }


def test_query_raises_our_errors(tmp_path: Path) -> None:
    with pytest.raises(FootnoteError, match="empty"):
        FootnoteRetriever(word_bot(tmp_path / "plain", BRIDGE)).retrieve(" ")
    failing = scripted_bot(
        tmp_path / "failing", ScriptedModel("The", fails=LanguageModelError("broken")), BRIDGE
    )
    with pytest.raises(LanguageModelError, match="broken"):
        FootnoteQueryEngine(failing).query(QUESTION)
    with pytest.raises(FootnoteError, match="empty"):
        _run(FootnoteQueryEngine(failing).aquery(""))


def test_async_query_returns_the_same(bot: Bot) -> None:
    async def both() -> tuple[list[NodeWithScore], object]:
        return await FootnoteRetriever(bot).aretrieve(QUESTION), await FootnoteQueryEngine(
            bot
        ).aquery(QUESTION)

    assert _run(both()) == (FootnoteRetriever(bot).retrieve(QUESTION), _query(bot))


class WaitingModel(ScriptedModel):
    """Says nothing until it is stopped."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = threading.Event()
        self.stopped = threading.Event()

    def stream(
        self, messages: Sequence[Message], most: int, stop: threading.Event
    ) -> Iterator[str]:
        self.asked.set()
        if stop.wait(10):
            self.stopped.set()
        raise StoppedError("stopped")
        yield


def test_async_query_cancelled_stops_the_model(tmp_path: Path) -> None:
    model = WaitingModel()
    engine = FootnoteQueryEngine(scripted_bot(tmp_path, model, BRIDGE))

    async def cancelled() -> None:
        query = asyncio.create_task(engine.aquery(QUESTION))
        while not model.asked.is_set():
            await asyncio.sleep(0.01)
        query.cancel()
        with pytest.raises(asyncio.CancelledError):
            await query

    _run(cancelled())
    assert model.stopped.wait(5)


def test_chat_engine_condenses_with_the_given_model(bot: Bot) -> None:
    """The mock model says its prompt: here, the question before."""
    chat = CondenseQuestionChatEngine.from_defaults(
        query_engine=FootnoteQueryEngine(bot),
        condense_question_prompt=PromptTemplate("{question} {chat_history}"),
        llm=MockLLM(),
    )
    first = chat.chat(QUESTION)
    assert first.response == "The bridge cost 48 million euros."
    second = chat.chat("And in dollars?")
    assert second.sources[0].raw_input == {
        "query": f"And in dollars? user: {QUESTION}\nassistant: The bridge cost 48 million euros."
    }
    assert second.response == "The bridge cost 48 million euros."
    assert [one.text for one in second.source_nodes] == ["The bridge cost 48 million euros."]
    assert [str(one.content) for one in chat.chat_history] == [
        QUESTION,
        first.response,
        "And in dollars?",
        second.response,
    ]


def test_chat_engine_reads_what_is_retrieved(bot: Bot) -> None:
    chat = ContextChatEngine.from_defaults(retriever=FootnoteRetriever(bot), llm=MockLLM())
    first = chat.chat(QUESTION)
    assert "document: bridge.txt\ntitle: A bridge" in first.response
    second = chat.chat("When does the market open?")
    assert "document: market.txt" in second.response
    assert QUESTION in second.response
    assert second.source_nodes[0].text == MARKET.text


class SecondChooser(MockLLM):
    """A model that a router asks: its answer is always the second."""

    def complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        return CompletionResponse(text='[{"choice": 2, "reason": "it tells of the market"}]')


def test_router_chooses_the_query_engine(tmp_path: Path) -> None:
    tools = [
        QueryEngineTool.from_defaults(
            FootnoteQueryEngine(word_bot(tmp_path / one.name, one)), description=one.title
        )
        for one in (BRIDGE, MARKET)
    ]
    router = RouterQueryEngine.from_defaults(tools, llm=SecondChooser(max_tokens=None))
    response = router.query(QueryBundle("When does the market open?"))
    assert str(response) == "The market opens at six."
    assert response.metadata is not None
    assert response.metadata["abstained"] is False
    assert str(tools[0].call(QUESTION)) == "The bridge cost 48 million euros."


@pytest.mark.slow
def test_llamaindex_import_sets_no_default_model() -> None:
    code = (
        "import qa.llamaindex; from llama_index.core import Settings as s; "
        "assert s._llm is s._embed_model is s._callback_manager is s._node_parser is None"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def _nodes(*texts: str) -> list[NodeWithScore]:
    return [NodeWithScore(node=TextNode(text=text), score=0.5) for text in texts]


def test_reranker_sorts_nodes_by_their_best_span() -> None:
    nodes = _nodes("Cats sleep.", "The bridge cost 48 million.", "")
    ranked = FootnoteReranker(top_n=3, cross_encoder=WordPointer()).postprocess_nodes(
        nodes, query_str=QUESTION
    )
    assert [node.text for node in ranked] == ["The bridge cost 48 million.", "Cats sleep.", ""]
    # The pointer's log-odds are 1 for a word of the question, -1 for another.
    scores = [node.score for node in ranked]
    assert scores == pytest.approx([1 / (1 + math.exp(-1)), 1 / (1 + math.exp(1)), 0.0])
    assert [node.node for node in ranked] == [nodes[1].node, nodes[0].node, nodes[2].node]


def test_reranker_keeps_top_n_and_takes_no_nodes() -> None:
    reranker = FootnoteReranker(top_n=1, cross_encoder=WordPointer())
    best = reranker.postprocess_nodes(_nodes("Cats.", "A bridge."), query_str=QUESTION)
    assert [node.text for node in best] == ["A bridge."]
    assert reranker.postprocess_nodes([], query_str=QUESTION) == []


def test_reranker_without_question_raises() -> None:
    with pytest.raises(FootnoteError, match="query_str"):
        FootnoteReranker(cross_encoder=WordPointer()).postprocess_nodes(_nodes("A bridge."))


def _faithfulness() -> FootnoteFaithfulness:
    return FootnoteFaithfulness(WordEmbedder(), CoverEntailment())


def test_faithfulness_is_the_share_of_supported_sentences() -> None:
    result = _faithfulness().evaluate(
        query=QUESTION,
        response="The bridge cost 48 million euros. It was 50 million.",
        contexts=[BRIDGE.text, " ", MARKET.text],
    )
    assert (result.passing, result.score) == (False, 0.5)
    assert result.feedback == "unsupported: It was 50 million."
    assert not result.invalid_result


def test_faithfulness_of_a_response_passes(bot: Bot) -> None:
    """The answer of the query engine, by llama-index's own method."""
    result = _faithfulness().evaluate_response(QUESTION, _query(bot))
    assert (result.passing, result.score, result.feedback) == (True, 1.0, "")


@pytest.mark.parametrize(("response", "contexts"), [("", ["A."]), ("A.", []), (None, None)])
def test_faithfulness_of_nothing_is_invalid(
    response: str | None, contexts: list[str] | None
) -> None:
    """No score, instead of one that a mean would count."""
    result = _faithfulness().evaluate(response=response, contexts=contexts)
    assert (result.invalid_result, result.score, result.passing) == (True, None, None)


@pytest.mark.model
def test_readme_example_of_llama_index_runs(
    seed_bot: Bot, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The README's lines, over the first document."""
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?llamaindex.*?)```", readme, re.DOTALL)
    monkeypatch.setattr(Bot, "open", lambda _: seed_bot)
    exec(compile(code, "README.md", "exec"), {})  # noqa: S102 - the README is ours
    printed = capsys.readouterr().out
    assert "2,000 participants" in printed
    assert "passing: True" in printed


def test_retriever_puts_context_into_metadata(tmp_path: Path) -> None:
    """The text of the node is the exact text of the passage."""
    filler = "".join(f"- Filler number {number} stands in this list.\n" for number in range(60))
    text = f"# Rules\n\n## Leave\n\nThe following count:\n\n{filler}- A wedding of a sister.\n"
    document = text_document(text, "rules.md", "Rules", markdown=True)
    nodes = FootnoteRetriever(word_bot(tmp_path, document)).retrieve("Is a wedding leave?")
    (node,) = [node.node for node in nodes if "wedding" in node.get_content()]
    assert isinstance(node, TextNode)
    assert node.metadata["context"] == "Leave: The following count:"
    assert node.start_char_idx is not None
    assert node.text == text[node.start_char_idx : node.end_char_idx]
