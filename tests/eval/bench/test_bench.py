"""Footnote beside its peers: chunks found in their text, one scripted model for both, and figures by hand."""

import argparse
import io
import json
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from llama_index.core import Settings as LlamaSettings
from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.node_parser import SentenceSplitter
from llama_index.core.query_engine.citation_query_engine import CITATION_QA_TEMPLATE

from eval.bench.asking import WARMING, Engine, Outcomes, ask
from eval.bench.chunk_offsets import places
from eval.bench.comparison import Figure, Row, clusters, compare, medians
from eval.bench.indexing import TIMES, index_by_turns
from eval.bench.metrics import characters_read, hit_within
from eval.bench.scripted_model import ScriptedLlm, ScriptedModel, most_like
from eval.bench.table import print_tables
from eval.commands import peers as command
from eval.dataset import Question
from eval.metrics.citations import citation_f1, citation_precision, citation_recall
from qa.answer.prompts import DECLINE_SENTENCE, answer_messages
from qa.errors import FootnoteError, ModelError
from qa.types import Answer, Passage, Span
from tests.eval.fakes import PETS, answer, document, example, question, read
from tests.properties import examples
from tests.qa.fakes import WordEmbedder, text_document

if TYPE_CHECKING:
    from eval.bench.llamaindex import Stack

BRIDGE = text_document(
    "The bridge cost 48 million euros. The ferry stops in May.", "bridge.txt", "The bridge"
)
FERRY = text_document(
    "The ferry to the island leaves at noon. It takes cars.", "ferry.txt", "The ferry"
)
COST = "What did the bridge cost?"
KINDS = ("vector", "bm25", "fusion")


class WordEmbedding(BaseEmbedding):
    """The vectors of `WordEmbedder`, which count words."""

    def _get_query_embedding(self, query: str) -> list[float]:
        (found,) = WordEmbedder().encode([query])
        return [float(value) for value in found.vector]

    def _get_text_embedding(self, text: str) -> list[float]:
        return self._get_query_embedding(text)

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return self._get_query_embedding(query)


@pytest.fixture
def stack(tmp_path: Path) -> "Stack":
    """Two documents of one chunk each."""
    for name in command.NEEDED:
        pytest.importorskip(
            name, reason="pip install -c constraints.txt -e '.[peers]'", exc_type=ImportError
        )
    from eval.bench import llamaindex

    return llamaindex.make(
        [BRIDGE, FERRY], llamaindex.DEFAULT, WordEmbedding(), tmp_path / "chroma"
    )


def asked(stack: "Stack", kind: Any, question: str, top_k: int = 2) -> Answer:
    from eval.bench.llamaindex import DEFAULT, Variant, peer

    return peer(stack, Variant(kind, DEFAULT, top_k)).ask(question)


# Where chunks stand


WORDS = [
    f"{kind} {at}{mark}" for kind in ("Total", "sum") for at in range(30) for mark in (".", ",", "")
]


def solid(text: str) -> str:
    return "".join(text.split())


@examples(40)
@given(
    block=st.lists(st.sampled_from(WORDS), min_size=30, max_size=60, unique=True),
    times=st.integers(1, 6),
    overlap=st.integers(0, 10),
)
def test_chunks_of_a_text_that_repeats_itself_leave_nothing_out_and_end_at_its_end(
    block: list[str], times: int, overlap: int
) -> None:
    text = "\n\n\n".join([" ".join(block)] * times) + "\n"
    chunks = SentenceSplitter(chunk_size=20, chunk_overlap=overlap).split_text(text)
    found = places(chunks, text)
    assert [solid(text[span.start : span.end]) for span in found] == [
        solid(chunk) for chunk in chunks
    ]
    assert (found[0].start, found[-1].end) == (0, len(text) - 1)
    for before, after in pairwise(found):
        # A short chunk may be repeated whole, as the overlap of the next.
        assert before.start <= after.start
        assert before.end <= after.end
        assert not text[before.end : after.start].strip()


def test_overlapping_chunks_are_found_where_their_words_are() -> None:
    text = " ".join(f"Number {at} is here." for at in range(60))
    chunks = SentenceSplitter(chunk_size=60, chunk_overlap=20).split_text(text)
    found = places(chunks, text)
    assert [(span.start, span.end) for span in found] == [
        (text.index(c), text.index(c) + len(c)) for c in chunks
    ]
    assert any(after.start < before.end for before, after in pairwise(found))


def test_white_space_that_a_splitter_drops_is_no_matter_and_foreign_words_are_an_error() -> None:
    assert places(["One. Two."], "\n One.\n\n\nTwo. \n") == [Span(2, 13)]
    with pytest.raises(ValueError, match="Three"):
        places(["Three."], "One. Two.")


# The scripted model


def test_the_sentence_with_most_of_the_questions_words_is_said_with_its_source() -> None:
    sources = [
        ("1", "The ferry stops in May.\nNobody saw it."),
        ("2", "The bridge  cost\t48 million. A bridge stood here."),
    ]
    assert most_like("What did the bridge cost?", sources) == "The bridge cost 48 million. [2]"
    assert most_like("Which ferry?", sources) == "The ferry stops in May. [1]"
    assert (
        most_like("Which bridge?", [("1", "A bridge. The bridge."), ("2", "Bridges.")])
        == "A bridge. [1]"
    )
    assert most_like("Who paid?", sources) == DECLINE_SENTENCE


def test_both_sides_ask_the_same_model() -> None:
    texts = [BRIDGE.text, FERRY.text, 'Odd [3] <words>:\n------\nSource 2:\nin "a" text.']
    documents = [replace(BRIDGE, text=text, source=text) for text in texts]
    for words in (COST, "When does the ferry leave?", "Who?"):
        passages = [
            (f"a{at}", Passage(d, Span(0, len(d.text)))) for at, d in enumerate(documents, start=1)
        ]
        ours = "".join(
            ScriptedModel().stream(answer_messages(words, passages), 100, threading.Event())
        )
        context = "\n\n".join(
            f"Source {at}:\n{text}\n" for at, text in enumerate(texts[:2], start=1)
        )
        theirs = (
            ScriptedLlm()
            .complete(CITATION_QA_TEMPLATE.format(context_str=context, query_str=words))
            .text
        )
        assert ours == most_like(
            words, [(f"a{at}", text) for at, text in enumerate(texts, start=1)]
        )
        assert theirs == ours.replace("[a", "[")


def test_a_prompt_for_anything_else_is_an_error() -> None:
    with pytest.raises(ValueError, match="only answers"):
        ScriptedLlm().complete("Generate 3 search queries.")
    with pytest.raises(ValueError, match="only answers"):
        list(
            ScriptedModel().stream(
                [replace(answer_messages("?", [("a1", Passage(PETS, Span(0, 5)))])[0])],
                9,
                threading.Event(),
            )
        )


# The peers


@pytest.mark.parametrize("kind", KINDS)
def test_a_retriever_gives_exact_passages_best_first_and_no_words(
    stack: "Stack", kind: str
) -> None:
    given = asked(stack, kind, COST)
    assert [one.passage for one in given.passages] == [
        Passage(d, Span(0, len(d.text))) for d in (BRIDGE, FERRY)
    ]
    assert [
        one.passage.document.name
        for one in asked(stack, kind, "Does the ferry take cars at noon?").passages
    ] == [
        "ferry.txt",
        "bridge.txt",
    ]
    assert len(asked(stack, kind, COST, top_k=1).passages) == 1
    assert (given.text, given.sentences, given.abstained) == ("", (), False)
    assert 0 < given.timings["retrieve"] == given.timings["total"]


def test_the_citation_engine_cites_the_whole_of_what_it_was_shown(stack: "Stack") -> None:
    given = asked(stack, "citation", COST)
    said = "The bridge cost 48 million euros."
    assert given.text == said
    (sentence,) = given.sentences
    assert [(c.document, c.start, c.end, c.quote) for c in sentence.citations] == [
        ("bridge.txt", 0, len(BRIDGE.text), BRIDGE.text)
    ]
    measured = example(given, question(evidence=[said], answers=["48"]), [BRIDGE, FERRY])
    # 33 characters of 57.
    assert citation_precision(measured) == pytest.approx(33 / 57)
    assert citation_recall(measured) == 1
    assert citation_f1(measured) == pytest.approx(2 * 33 / (57 + 33))
    assert given.timings["retrieve"] < given.timings["total"]


def test_the_citation_engine_cuts_further_and_its_sources_are_found(
    tmp_path: Path, stack: "Stack"
) -> None:
    from eval.bench import llamaindex

    text = (
        " ".join(f"Row {at} of the table says nothing new at all." for at in range(120))
        + " The bridge cost much."
    )
    made = llamaindex.make(
        [replace(BRIDGE, text=text)], llamaindex.DEFAULT, WordEmbedding(), tmp_path / "long"
    )
    (sentence,) = asked(made, "citation", COST).sentences
    (citation,) = sentence.citations
    assert citation.quote == text[citation.start : citation.end]
    assert citation.quote.endswith("The bridge cost much.")
    assert len(citation.quote) < len(text) / 2


def test_what_shares_no_word_is_declined(stack: "Stack") -> None:
    given = asked(stack, "citation", "Who paid?")
    assert (given.abstained, given.reason, given.sentences) == (True, "model_declined", ())


def test_no_global_model_of_llama_index_is_asked_for(stack: "Stack") -> None:
    for kind in (*KINDS, "citation"):
        asked(stack, kind, COST)
    assert (LlamaSettings._llm, LlamaSettings._embed_model) == (None, None)


def test_the_index_of_words_is_that_of_llama_index(stack: "Stack") -> None:
    package = pytest.importorskip(
        "llama_index.retrievers.bm25",
        reason="it wants another PyStemmer: pip install --no-deps llama-index-retrievers-bm25==0.8.0",
    )
    from eval.bench.llamaindex import Bm25Retriever

    theirs = package.BM25Retriever(nodes=list(stack.nodes), similarity_top_k=2)
    for words in (COST, "Does the ferry take cars?", "Who?"):
        found = [
            [(one.node_id, one.score) for one in retriever.retrieve(words)]
            for retriever in (theirs, Bm25Retriever(stack.words, 2))
        ]
        assert found[0] == found[1]


# Asking and measuring


@dataclass
class Scripted:
    """Answers in its turn, noting who was asked what; an exception in the script is raised."""

    name: str
    heard: list[tuple[str, str]]
    script: dict[str, Answer | Exception] = field(default_factory=dict)

    def ask(self, question: str, /) -> Answer:
        self.heard.append((self.name, question))
        given = self.script.get(question, timed(1.0))
        if isinstance(given, Exception):
            raise given
        return given


def timed(seconds: float, *spans: tuple[int, int]) -> Answer:
    given = answer(passages=[read(*span) for span in spans])
    return replace(given, timings={"retrieve": seconds / 2, "total": seconds})


QUESTIONS = [question("one"), question("two"), question("three"), question("none", evidence=[])]
OURS: dict[str, Answer | Exception] = {
    "one?": timed(1.0, (21, 40)),
    "two?": timed(2.0, (21, 40)),
    "three?": timed(3.0, (0, 20), (21, 40)),
}
THEIRS: dict[str, Answer | Exception] = {
    "one?": timed(0.5, (0, 60)),
    "two?": timed(0.5, (0, 20)),
    "three?": timed(1.0, (41, 60)),
}


def outcomes(
    questions: Sequence[Question], script: dict[str, Answer | Exception]
) -> list[Outcomes]:
    ours, peer = Scripted("ours", [], OURS), Scripted("peer", [], script)
    return ask(
        [Engine("ours", ours, ("passages",)), Engine("peer", peer, ("passages",), "ours")],
        questions,
        [PETS],
    )


def rows(**theirs: Answer | Exception) -> list[Row]:
    return compare(outcomes(QUESTIONS, THEIRS | theirs), clusters(QUESTIONS, [PETS]))


def told(figure: Figure) -> tuple[float | None, int]:
    return figure.value, figure.n


def approx(value: float, n: int) -> Any:
    return pytest.approx((value, n))


def test_engines_are_asked_by_turns_after_one_question_that_does_not_count() -> None:
    heard: list[tuple[str, str]] = []
    engines = [Engine(name, Scripted(name, heard), ("answers",)) for name in "ab"]
    counted: list[int] = []
    found = ask(engines, QUESTIONS[:3], [PETS], counted.append)
    assert heard[:2] == [("a", WARMING), ("b", WARMING)]
    asked_of = [
        ("a", "one?"),
        ("b", "one?"),
        ("b", "two?"),
        ("a", "two?"),
        ("a", "three?"),
        ("b", "three?"),
    ]
    assert heard[2:] == asked_of
    assert counted == [1, 2, 3]
    assert [len(each.scores) for each in found] == [3, 3]


def test_the_figures_of_two_engines_by_hand() -> None:
    ours, peer = rows()
    assert told(ours.figures["hit_at_1"]) == approx(2 / 3, 3)
    assert told(ours.figures["reciprocal_rank"]) == approx((1 + 1 + 1 / 2) / 3, 3)
    assert told(ours.figures["characters_read"]) == approx((19 + 19 + 39 + 0) / 4, 4)
    assert told(ours.figures["seconds_median"]) == approx(1.5, 4)
    assert told(ours.figures["contains_answer"]) == (None, 0)
    # The peer finds it in the first question only; for the last, nothing is to be found.
    assert told(peer.figures["hit_at_1"]) == approx(1 / 3, 3)
    assert told(peer.figures["recall_at_5"]) == approx(1 / 3, 3)
    assert told(peer.differences["hit_at_1"]) == approx((0 + 1 + 0) / 3, 3)
    assert peer.differences["hit_at_1"].interval == pytest.approx((0, 1))
    # The medians, the lower of two in the middle: 1, 1, 2, 3 and 0.5, 0.5, 1, 1.
    assert told(peer.ratios["seconds"]) == approx(1 / 0.5, 4)
    assert told(peer.ratios["seconds_retrieving"]) == approx(1 / 0.5, 4)
    low, high = peer.ratios["seconds"].interval or (0, 0)
    assert 0 < low <= 2 <= high <= 6
    assert (ours.differences, ours.ratios) == ({}, {})


def test_a_question_that_breaks_is_counted_and_left_out_of_the_pairs() -> None:
    ours, peer = rows(**{"two?": RuntimeError("no luck")})
    assert peer.errors == {"two": "RuntimeError: no luck"}
    assert (ours.errors, ours.figures["hit_at_1"].n, peer.figures["hit_at_1"].n) == ({}, 3, 2)
    assert told(peer.differences["hit_at_1"]) == approx(0, 2)
    assert peer.ratios["seconds"].n == 3


def test_questions_of_one_article_count_as_what_was_drawn() -> None:
    many = [question(f"{at}") for at in range(30)]
    script: dict[str, Answer | Exception] = {
        f"{at}?": timed(1.0, (21, 40) if at < 15 else (0, 20)) for at in range(30)
    }
    engine = [Engine("ours", Scripted("ours", [], script), ("passages",))]
    grouped = [replace(each, group=f"article {at // 5}") for at, each in enumerate(many)]
    alone, together = (
        compare(ask(engine, asked_, [PETS]), clusters(asked_, [PETS]))[0]
        .figures["hit_at_1"]
        .interval
        or (0, 0)
        for asked_ in (many, grouped)
    )
    assert together[1] - together[0] > 1.5 * (alone[1] - alone[0])


def test_hits_within_a_budget_of_characters_by_hand() -> None:
    # The gold quote is at 21 to 40: 19 characters, of which 10 are at least half.
    gold = question()
    assert hit_within(example(answer(passages=[read(0, 60)]), gold), budget=31) == 1
    assert hit_within(example(answer(passages=[read(0, 60)]), gold), budget=30) == 0
    passages = [read(0, 20), read(15, 30), read(30, 45)]
    assert hit_within(example(answer(passages=passages), gold), budget=20 + 15) == 0
    assert hit_within(example(answer(passages=passages), gold), budget=20 + 15 + 1) == 1
    assert hit_within(example(answer(), gold)) == 0
    assert hit_within(example(answer(passages=[read(0, 60)]), question(evidence=[]))) is None
    assert characters_read(example(answer(passages=passages), gold)) == 20 + 15 + 15


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 3)), min_size=1, max_size=12))
def test_a_weighted_median_is_the_median_of_repeated_values(pairs: list[tuple[int, int]]) -> None:
    values, weights = (np.array(column, dtype=np.float64) for column in zip(*pairs, strict=True))
    if weights.sum():
        repeated = np.repeat(values, weights.astype(int))
        expected = np.quantile(repeated, 0.5, method="inverted_cdf")
        assert medians(values, weights[None, :]).tolist() == [expected]


def test_indexing_is_timed_by_turns_each_in_a_new_folder(tmp_path: Path) -> None:
    called: list[str] = []

    def maker(name: str) -> Any:
        def make(folder: Path) -> None:
            assert list(folder.iterdir()) == []
            (folder / "made").write_text(name)
            called.append(name)

        return make

    found = index_by_turns({"a": maker("a"), "b": maker("b")}, tmp_path)
    assert "".join(called) == "abbaab"
    assert {name: len(values) for name, values in found.items()} == {"a": TIMES, "b": TIMES}


def test_the_tables_have_a_row_an_engine_and_a_dash_for_nothing_to_measure() -> None:
    out = io.StringIO()
    print_tables(rows(**{"two?": RuntimeError("no luck")}), {"ours": (1.0, 3.0, 2.0)}, out)
    text = out.getvalue()
    assert "ours - peer" in text
    assert "0.67 (3)" in text
    assert "2.000" in text
    assert "peer: these broke and have no value: two" in text
    out = io.StringIO()
    print_tables(compare(outcomes([QUESTIONS[3]], THEIRS), ["none"]), {"ours": (1.0,)}, out)
    (line,) = [
        line for line in out.getvalue().splitlines() if line.startswith("ours ") and "0 (1)" in line
    ][:1]
    assert line.split()[1:6] == ["-"] * 5


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


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with questions and two documents."""
    monkeypatch.chdir(tmp_path)
    Path("q.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    Path("pets.txt").write_text(PETS.text)
    Path("bridge.txt").write_text(BRIDGE.text)
    return tmp_path


GIVEN = ("--questions", "q.jsonl", "--documents", "pets.txt", "bridge.txt")


@pytest.mark.parametrize("missing", command.NEEDED)
@pytest.mark.usefixtures("here")
def test_a_missing_extra_is_one_error_that_names_its_command(
    missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(ModelError) as raised:
        run(*GIVEN)
    assert "pip install -c constraints.txt -e '.[peers]'" in str(raised.value)
    assert not Path("runs").exists()


@pytest.mark.usefixtures("here", "stack")
def test_only_questions_with_a_history_are_none() -> None:
    with pytest.raises(FootnoteError, match="no question without a history in the split test"):
        run(*GIVEN, "--split", "test")
    assert not Path("runs").exists()


@pytest.mark.usefixtures("stack")
def test_the_command_with_the_real_models(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*GIVEN, "--out", "out", "--json", "--threshold", "0") == 0
    printed = capsys.readouterr().out
    assert printed == Path("out/peers.json").read_text(encoding="utf-8")
    assert [path.name for path in Path("out").iterdir()] == ["peers.json"]
    found = json.loads(printed)
    assert found["questions"]["asked"] == 1
    assert found["documents"] == {
        d.name: d.version for d in (document(), replace(BRIDGE, title="bridge"))
    }
    engines = found["engines"]
    assert [name for name, each in engines.items() if each["errors"]] == []
    for name in ("Footnote", "vector 1024, top 2", "BM25 256, top 5", "fusion 256, top 5"):
        assert engines[name]["figures"]["hit_at_1"]["value"] == 1
    assert engines["Footnote, scripted model"]["figures"]["citation_f1"]["value"] == 1
    # 19 of the 60 characters of the chunk.
    assert engines["citation engine 1024, top 2"]["figures"]["citation_precision"][
        "value"
    ] == pytest.approx(19 / 60)
    assert engines["citation engine 1024, top 2"]["ratios"]["seconds"]["value"] > 0
    assert [len(values) for values in found["indexing_seconds"].values()] == [TIMES] * 3
