"""Footnote beside plain llama-index: chunk offsets, the scripted model, and estimates by hand."""

import argparse
import io
import json
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from llama_index.core import Settings as LlamaSettings
from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.node_parser import SentenceSplitter
from llama_index.core.query_engine.citation_query_engine import CITATION_QA_TEMPLATE

from eval.bench import llamaindex
from eval.bench.comparison import (
    WARM_UP,
    Engine,
    EngineEstimates,
    ask,
    characters_read,
    compare_engines,
    hit_within,
    weighted_medians,
)
from eval.bench.engines import INDEXING_ROUNDS, time_in_turns
from eval.bench.llamaindex import DEFAULT, LexicalRetriever, Stack, Variant, locate_chunks
from eval.bench.scripted_model import ScriptedLlm, ScriptedModel, most_similar_sentence
from eval.bench.tables import print_tables
from eval.commands import peers as command
from eval.metrics.citations import citation_f1, citation_precision, citation_recall
from qa.answer.prompts import DECLINE_SENTENCE, answer_messages
from qa.errors import FootnoteError, ModelError
from qa.types import Answer, Passage, Span
from tests.eval.fakes import PETS, answer, document, example, question, read
from tests.properties import examples
from tests.qa.fakes import WordEmbedder, text_document

BRIDGE = text_document(
    "The bridge cost 48 million euros. The ferry stops in May.", "bridge.txt", "The bridge"
)
FERRY = text_document(
    "The ferry to the island leaves at noon. It takes cars.", "ferry.txt", "The ferry"
)
COST = "What did the bridge cost?"
PeerKind = Literal["vector", "BM25", "fusion", "citation"]


class WordEmbedding(BaseEmbedding):
    """The vectors of `WordEmbedder`, which count words."""

    def _get_query_embedding(self, query: str) -> list[float]:
        (encoding,) = WordEmbedder().encode([query])
        return [float(value) for value in encoding.vector]

    def _get_text_embedding(self, text: str) -> list[float]:
        return self._get_query_embedding(text)

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return self._get_query_embedding(query)


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    """Two documents of one chunk each."""
    return llamaindex.make_stack([BRIDGE, FERRY], DEFAULT, WordEmbedding(), tmp_path / "chroma")


def ask_peer(stack: Stack, kind: PeerKind, words: str) -> Answer:
    return llamaindex.make_peer(stack, Variant(kind, DEFAULT, 2)).ask(words)


# Chunk offsets

WORDS = [
    f"{word} {number}{mark}"
    for word in ("Total", "sum")
    for number in range(30)
    for mark in (".", ",", "")
]


def without_space(text: str) -> str:
    return "".join(text.split())


@examples(40)
@given(
    block=st.lists(st.sampled_from(WORDS), min_size=30, max_size=60, unique=True),
    times=st.integers(1, 6),
    overlap=st.integers(0, 10),
)
def test_locate_chunks_repetitive_text_has_no_gap(
    block: list[str], times: int, overlap: int
) -> None:
    """The chunks' characters are those of their spans, in order, from begin to end."""
    text = "\n\n\n".join([" ".join(block)] * times) + "\n"
    chunks = SentenceSplitter(chunk_size=20, chunk_overlap=overlap).split_text(text)
    spans = locate_chunks(chunks, text)
    for chunk, span in zip(chunks, spans, strict=True):
        assert without_space(text[span.start : span.end]) == without_space(chunk)
    assert (spans[0].start, spans[-1].end) == (0, len(text) - 1)
    for before, after in pairwise(spans):
        # A short chunk may be repeated whole, as the overlap of the next.
        assert before.start <= after.start
        assert before.end <= after.end
        assert not text[before.end : after.start].strip()


def test_locate_chunks_overlapping_are_at_their_words() -> None:
    text = " ".join(f"Number {number} is here." for number in range(60))
    chunks = SentenceSplitter(chunk_size=60, chunk_overlap=20).split_text(text)
    spans = locate_chunks(chunks, text)
    assert [text[span.start : span.end] for span in spans] == chunks
    assert any(after.start < before.end for before, after in pairwise(spans))


def test_locate_chunks_foreign_chunk_raises() -> None:
    """White space that a splitter drops does not matter."""
    assert locate_chunks(["One. Two."], "\n One.\n\n\nTwo. \n") == [Span(2, 13)]
    with pytest.raises(ValueError, match="Three"):
        locate_chunks(["Three."], "One. Two.")


# The scripted model


def test_scripted_model_copies_most_similar_sentence() -> None:
    sources = [
        ("1", "The ferry stops in May.\nNobody saw it."),
        ("2", "The bridge  cost\t48 million. A bridge stood here."),
    ]
    assert most_similar_sentence(COST, sources) == "The bridge cost 48 million. [2]"
    assert most_similar_sentence("Which ferry?", sources) == "The ferry stops in May. [1]"
    equal = [("1", "A bridge. The bridge."), ("2", "Bridges.")]
    assert most_similar_sentence("Which bridge?", equal) == "A bridge. [1]"
    assert most_similar_sentence("Who paid?", sources) == DECLINE_SENTENCE


@pytest.mark.parametrize("words", [COST, "When does the ferry leave?", "Who?"])
def test_scripted_model_same_for_both_sides(words: str) -> None:
    """From the prompts of both sides it reads the same sources and gives the same sentence."""
    texts = [BRIDGE.text, FERRY.text, 'Odd [3] <words>:\n------\nSource 2:\nin "a" text.']
    passages = []
    for number, text in enumerate(texts, start=1):
        source = replace(BRIDGE, text=text, source=text)
        passages.append((f"a{number}", Passage(source, Span(0, len(text)))))
    messages = answer_messages(words, passages)
    ours = "".join(ScriptedModel().stream(messages, 100, threading.Event()))
    ids = [source_id for source_id, _ in passages]
    assert ours == most_similar_sentence(words, list(zip(ids, texts, strict=True)))

    shown = [f"Source {number}:\n{text}\n" for number, text in enumerate(texts[:2], start=1)]
    prompt = CITATION_QA_TEMPLATE.format(context_str="\n\n".join(shown), query_str=words)
    assert ScriptedLlm().complete(prompt).text == ours.replace("[a", "[")


def test_scripted_model_other_prompt_raises() -> None:
    with pytest.raises(ValueError, match="only answers"):
        ScriptedLlm().complete("Generate 3 search queries.")
    system = answer_messages("?", [("a1", Passage(PETS, Span(0, 5)))])[0]
    with pytest.raises(ValueError, match="only answers"):
        list(ScriptedModel().stream([system], 9, threading.Event()))


# The peers


@pytest.mark.parametrize("kind", ["vector", "BM25", "fusion"])
def test_retrieving_peer_gives_exact_passages_best_first(stack: Stack, kind: PeerKind) -> None:
    response = ask_peer(stack, kind, COST)
    whole = [Passage(each, Span(0, len(each.text))) for each in (BRIDGE, FERRY)]
    assert [ranked.passage for ranked in response.passages] == whole
    other = ask_peer(stack, kind, "Does the ferry take cars at noon?")
    assert [ranked.passage for ranked in other.passages] == whole[::-1]
    assert (response.text, response.sentences, response.abstained) == ("", (), False)
    assert 0 < response.timings["retrieve"] == response.timings["total"]


def test_citing_peer_cites_whole_chunk(stack: Stack) -> None:
    response = ask_peer(stack, "citation", COST)
    words = "The bridge cost 48 million euros."
    assert response.text == words
    (sentence,) = response.sentences
    (citation,) = sentence.citations
    assert (citation.document, citation.quote) == ("bridge.txt", BRIDGE.text)
    measured = example(response, question(evidence=[words], answers=["48"]), [BRIDGE, FERRY])
    # 33 characters of 57.
    assert citation_precision(measured) == pytest.approx(33 / 57)
    assert citation_recall(measured) == 1
    assert citation_f1(measured) == pytest.approx(2 * 33 / (57 + 33))
    assert response.timings["retrieve"] < response.timings["total"]


def test_citing_peer_long_node_cites_its_part(tmp_path: Path) -> None:
    """The engine splits a node further; the citation is the part that it showed."""
    rows = [f"Row {number} of the table says nothing new at all." for number in range(120)]
    text = " ".join([*rows, "The bridge cost much."])
    source = replace(BRIDGE, text=text)
    stack = llamaindex.make_stack([source], DEFAULT, WordEmbedding(), tmp_path / "long")
    (sentence,) = ask_peer(stack, "citation", COST).sentences
    (citation,) = sentence.citations
    assert citation.quote == text[citation.start : citation.end]
    assert citation.quote.endswith("The bridge cost much.")
    assert len(citation.quote) < len(text) / 2


def test_citing_peer_nothing_shared_declines(stack: Stack) -> None:
    response = ask_peer(stack, "citation", "Who paid?")
    assert (response.reason, response.sentences) == ("model_declined", ())


def test_peers_never_use_a_global_model(stack: Stack) -> None:
    kinds: tuple[PeerKind, ...] = ("vector", "BM25", "fusion", "citation")
    for kind in kinds:
        ask_peer(stack, kind, COST)
    assert (LlamaSettings._llm, LlamaSettings._embed_model) == (None, None)


def test_lexical_retriever_same_as_llama_index(stack: Stack) -> None:
    package = pytest.importorskip(
        "llama_index.retrievers.bm25",
        reason="needs pip install --no-deps llama-index-retrievers-bm25==0.8.0",
    )
    theirs = package.BM25Retriever(nodes=list(stack.nodes), similarity_top_k=2)
    ours = LexicalRetriever(stack.nodes, 2)
    for words in (COST, "Does the ferry take cars?", "Who?"):
        expected = [(node.node_id, node.score) for node in theirs.retrieve(words)]
        assert [(node.node_id, node.score) for node in ours.retrieve(words)] == expected


# Asking and computing

Script = Mapping[str, Answer | Exception]


@dataclass
class ScriptedBot:
    """Answers by a script and records who was asked what; an exception is raised."""

    name: str
    script: Script = field(default_factory=dict)
    record: list[tuple[str, str]] = field(default_factory=list)

    def ask(self, question: str, /) -> Answer:
        self.record.append((self.name, question))
        response = self.script.get(question, timed(1.0))
        if isinstance(response, Exception):
            raise response
        return response


def timed(seconds: float, *spans: tuple[int, int]) -> Answer:
    response = answer(passages=[read(*span) for span in spans])
    return replace(response, timings={"retrieve": seconds / 2, "total": seconds})


QUESTIONS = [question("one"), question("two"), question("three"), question("none", evidence=[])]
OURS: Script = {
    "one?": timed(1.0, (21, 40)),
    "two?": timed(2.0, (21, 40)),
    "three?": timed(3.0, (0, 20), (21, 40)),
}
THEIRS: Script = {
    "one?": timed(0.5, (0, 60)),
    "two?": timed(0.5, (0, 20)),
    "three?": timed(1.0, (41, 60)),
}


def compared(theirs: Script = THEIRS) -> Sequence[EngineEstimates]:
    engines = [
        Engine("ours", ScriptedBot("ours", OURS).ask, ("passages",)),
        Engine("peer", ScriptedBot("peer", theirs).ask, ("passages",), "ours"),
    ]
    return compare_engines(ask(engines, QUESTIONS, [PETS]))


def test_ask_alternates_engines_after_warm_up() -> None:
    record: list[tuple[str, str]] = []
    engines = [Engine(name, ScriptedBot(name, record=record).ask, ("answers",)) for name in "ab"]
    counts: list[int] = []
    scored = ask(engines, QUESTIONS[:3], [PETS], counts.append)
    assert record[:2] == [("a", WARM_UP), ("b", WARM_UP)]
    assert "".join(name for name, _ in record[2:]) == "abbaab"
    assert [words for _, words in record[2::2]] == ["one?", "two?", "three?"]
    assert counts == [1, 2, 3]
    assert [len(entry.questions) for entry in scored] == [3, 3]


def test_compare_engines_by_hand() -> None:
    ours, peer = compared()
    values = {
        "hit_at_1": (2 / 3, 3),
        "reciprocal_rank": ((1 + 1 + 1 / 2) / 3, 3),
        "characters_read": ((19 + 19 + 39 + 0) / 4, 4),
        "seconds_median": (1.5, 4),
    }
    for name, expected in values.items():
        estimate = ours.estimates[name]
        assert (estimate.value, estimate.n) == pytest.approx(expected), name
    # The peer reads the quote in the first question only; the last has no evidence.
    assert peer.estimates["hit_at_1"].value == pytest.approx(1 / 3)
    difference = peer.differences["hit_at_1"]
    assert (difference.value, difference.n) == pytest.approx((1 / 3, 3))
    assert (difference.low, difference.high) == pytest.approx((0, 1))
    # The lower of two medians: 1, 1, 2, 3 and 0.5, 0.5, 1, 1.
    ratio = peer.ratios["seconds"]
    assert (ratio.value, ratio.n) == pytest.approx((1 / 0.5, 4))
    assert ratio.low is not None
    assert ratio.high is not None
    assert 0 < ratio.low <= 2 <= ratio.high <= 6
    assert (ours.differences, ours.ratios) == ({}, {})


def test_compare_engines_error_is_left_out_of_pairs() -> None:
    ours, peer = compared({**THEIRS, "two?": RuntimeError("no luck")})
    assert peer.errors == {"two": "RuntimeError: no luck"}
    assert (ours.errors, ours.estimates["hit_at_1"].n) == ({}, 3)
    assert peer.estimates["hit_at_1"].n == peer.differences["hit_at_1"].n == 2
    assert peer.differences["hit_at_1"].value == 0
    assert peer.ratios["seconds"].n == 3


def test_compare_engines_clusters_widen_intervals() -> None:
    """Questions of one article are not independent."""
    script = {
        f"{number}?": timed(1.0, (21, 40) if number < 15 else (0, 20)) for number in range(30)
    }
    engines = [Engine("ours", ScriptedBot("ours", script).ask, ("passages",))]
    widths = []
    for size in (1, 5):
        questions = [question(f"{n}", group=f"article {n // size}") for n in range(30)]
        (row,) = compare_engines(ask(engines, questions, [PETS]))
        estimate = row.estimates["hit_at_1"]
        widths.append((estimate.high or 0) - (estimate.low or 0))
    assert widths[1] > 1.5 * widths[0]


def test_hit_within_budget_by_hand() -> None:
    """The gold quote is at 21 to 40: 10 of its 19 characters are at least half."""
    gold = question()
    whole = example(answer(passages=[read(0, 60)]), gold)
    assert hit_within(whole, budget=31) == 1
    assert hit_within(whole, budget=30) == 0
    overlapping = example(answer(passages=[read(0, 20), read(15, 30), read(30, 45)]), gold)
    assert hit_within(overlapping, budget=20 + 15) == 0
    assert hit_within(overlapping, budget=20 + 15 + 1) == 1
    assert hit_within(example(answer(), gold)) == 0
    assert hit_within(example(answer(passages=[read(0, 60)]), question(evidence=[]))) is None
    assert characters_read(overlapping) == 20 + 15 + 15


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 3)), min_size=1, max_size=12))
def test_weighted_medians_same_as_of_repeated_values(pairs: list[tuple[int, int]]) -> None:
    values, weights = (np.array(column, dtype=np.float64) for column in zip(*pairs, strict=True))
    if weights.sum():
        repeated = np.repeat(values, weights.astype(int))
        expected = np.quantile(repeated, 0.5, method="inverted_cdf")
        assert weighted_medians(weights[None, :], values).tolist() == [expected]


def test_time_in_turns_alternates_with_new_folders(tmp_path: Path) -> None:
    calls: list[str] = []

    def maker(name: str) -> Callable[[Path], None]:
        def make(folder: Path) -> None:
            assert list(folder.iterdir()) == []
            (folder / "made").write_text(name)
            calls.append(name)

        return make

    seconds = time_in_turns({"a": maker("a"), "b": maker("b")}, tmp_path)
    assert "".join(calls) == "abbaab"
    assert [len(values) for values in seconds.values()] == [INDEXING_ROUNDS] * 2


def test_print_tables_has_row_for_each_engine() -> None:
    file = io.StringIO()
    rows = compared({**THEIRS, "two?": RuntimeError("no luck")})
    print_tables(rows, {"ours": (1.0, 3.0, 2.0)}, file)
    text = file.getvalue()
    assert "ours - peer" in text
    assert "0.67 (3)" in text
    assert "2.000" in text
    assert "peer: errors at two" in text


# The command


def run(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    command.add(parser.add_subparsers(), argparse.ArgumentParser(add_help=False))
    options = parser.parse_args(["peers", *arguments])
    return int(options.command(options))


ROWS: list[dict[str, Any]] = [
    {
        "id": "dogs",
        "question": "What do dogs do at night?",
        "answerable": True,
        "answers": ["bark"],
        "evidence": ["Dogs bark at night."],
        "kind": "fact",
    },
    {
        "id": "then",
        "question": "And at dawn?",
        "answerable": True,
        "answers": ["sing"],
        "evidence": ["Birds sing at dawn."],
        "kind": "follow-up",
        "split": "test",
        "history": [{"question": "What do birds do?", "answer": "They sing."}],
    },
]
ARGUMENTS = ("--questions", "q.jsonl", "--documents", "pets.txt", "bridge.txt")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The working folder has questions and two documents."""
    monkeypatch.chdir(tmp_path)
    Path("q.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    Path("pets.txt").write_text(PETS.text)
    Path("bridge.txt").write_text(BRIDGE.text)


@pytest.mark.parametrize("missing", command.REQUIRED)
def test_peers_missing_extra_names_its_command(
    missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(ModelError) as raised:
        run(*ARGUMENTS)
    assert "pip install -c constraints.txt -e '.[peers]'" in str(raised.value)
    assert not Path("runs").exists()


def test_peers_only_follow_ups_raises() -> None:
    with pytest.raises(FootnoteError, match="no question without a history in the split test"):
        run(*ARGUMENTS, "--split", "test")
    assert not Path("runs").exists()


@pytest.mark.model
@pytest.mark.slow
def test_peers_real_models_write_comparison(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*ARGUMENTS, "--out", "out", "--json", "--threshold", "0") == 0
    printed = capsys.readouterr().out
    assert printed == Path("out/peers.json").read_text(encoding="utf-8")
    assert [path.name for path in Path("out").iterdir()] == ["peers.json"]
    result = json.loads(printed)
    assert result["questions"]["asked"] == 1
    documents = (document(), replace(BRIDGE, title="bridge"))
    assert result["documents"] == {each.name: each.version for each in documents}
    engines = result["engines"]
    assert not any(row["errors"] for row in engines.values())
    for name in ("Footnote", "vector 1024, top 2", "BM25 256, top 5", "fusion 256, top 5"):
        assert engines[name]["figures"]["hit_at_1"]["value"] == 1
    assert engines["Footnote, scripted model"]["figures"]["citation_f1"]["value"] == 1
    peer = engines["citation engine 1024, top 2"]
    # 19 of the 60 characters of the chunk.
    assert peer["figures"]["citation_precision"]["value"] == pytest.approx(19 / 60)
    assert peer["ratios"]["seconds"]["value"] > 0
    rounds = [len(values) for values in result["indexing_seconds"].values()]
    assert rounds == [INDEXING_ROUNDS] * 3
