"""Reading: the weights' arithmetic, and what a reading holds."""

import json
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from qa.bot import Bot
from qa.config import PACKAGED_READER, Settings
from qa.errors import ModelError
from qa.library.index import Index
from qa.library.search import retrieve
from qa.models.embedding import EncodingCache
from qa.reader.features import FEATURE_NAMES, analyse, reading_features
from qa.reader.reader import WEIGHTS, Reading, TrainedReader, Weights
from tests.qa.fakes import WordEmbedder, WordPointer, text_document
from tests.qa.texts import NEWS


def _read(
    tmp_path: Path, question: str, text: str = NEWS, markdown: bool = False
) -> tuple[Reading, WordEmbedder]:
    embedder = WordEmbedder()
    index = Index(tmp_path / "index", embedder)
    index.add(text_document(text, markdown=markdown))
    library = index.snapshot()
    (encoding,) = embedder.encode([question])
    ranked = retrieve(question, encoding.vector, library, index.nearest, 8)
    return TrainedReader(
        EncodingCache(embedder), WordPointer(), Weights.load(PACKAGED_READER)
    ).read(question, encoding, ranked, library), embedder


def test_weights_packaged_have_one_value_a_feature() -> None:
    weights = Weights.load(PACKAGED_READER)
    assert (
        weights.rank.shape
        == weights.rank_mean.shape
        == weights.rank_scale.shape
        == (len(FEATURE_NAMES),)
    )
    rows = np.random.default_rng(0).random((4, len(FEATURE_NAMES)))
    assert reading_features(rows, weights.scores(rows)).shape == weights.sure.shape
    assert (weights.rank_scale > 0).all()
    assert (weights.sure_scale > 0).all()


def test_weights_scores_equal_a_hand_calculation() -> None:
    """The first sentence is best; the second has the highest margin of a passage."""
    size = len(FEATURE_NAMES)
    span, passage = FEATURE_NAMES.index("span_margin"), FEATURE_NAMES.index("passage_margin")
    rows = np.zeros((2, size))
    rows[:, span] = [5.0, 1.0]
    rows[:, passage] = [1.0, 4.0]
    weights = Weights(
        rank_mean=np.ones(size),
        rank_scale=np.full(size, 2.0),
        rank=np.eye(size)[span] * 3,
        sure_mean=np.zeros(6),
        sure_scale=np.ones(6),
        # Of the best sentence, its span and passage; then the highest of each margin.
        sure=np.array([0.5, 0.0, 0.25, 0.0, 0.0, 1.0]),
        sure_bias=-1.0,
    )
    scores = weights.scores(rows)
    assert scores.tolist() == [6.0, 0.0]
    log_odds = 0.5 * 5 + 0.25 * 1 + 1.0 * 4 - 1.0
    assert weights.confidence(rows, scores) == pytest.approx(1 / (1 + np.exp(-log_odds)))


def test_read_sorts_candidates_and_passages(
    tmp_path: Path,
) -> None:
    """Only sentences that may answer are candidates; the passages' scores add up to 1."""
    reading, _ = _read(tmp_path, "What did the harbor bridge cost?")
    scores = [candidate.score for candidate in reading.candidates]
    assert scores == sorted(scores, reverse=True)
    assert all(candidate.sentence.is_candidate for candidate in reading.candidates)
    assert sum(one.score for one in reading.passages) == pytest.approx(1)
    assert [one.score for one in reading.passages] == sorted(
        (one.score for one in reading.passages), reverse=True
    )
    assert 0 < reading.confidence < 1


def test_read_code_is_a_candidate(tmp_path: Path) -> None:
    """Code states nothing, but it answers how something is done."""
    text = "# Install\n\nNeeds Linux.\n\n```sh\nmake install\n```\n"
    reading, _ = _read(tmp_path, "How do I install it?", text, markdown=True)
    kinds = {candidate.sentence.kind for candidate in reading.candidates}
    assert kinds == {"prose", "code"}


def test_read_nothing_to_answer_has_confidence_zero(tmp_path: Path) -> None:
    reading, _ = _read(tmp_path, "Why?", "Who asks this?\n")
    assert (reading.candidates, reading.confidence) == ((), 0.0)


def test_read_encodes_a_passage_once(tmp_path: Path) -> None:
    embedder = WordEmbedder()
    index = Index(tmp_path / "index", embedder)
    index.add(text_document(NEWS))
    bot = Bot(
        index,
        embedder,
        TrainedReader(EncodingCache(embedder), WordPointer(), Weights.load(PACKAGED_READER)),
        Settings(home=tmp_path),
    )
    bot.ask("What did the bridge cost?")
    before = len(embedder.encoded)
    bot.ask("Who thanked the workers?")
    assert embedder.encoded[before:] == ["Who thanked the workers?"]


def test_analyse_weighs_only_meaningful_words() -> None:
    (encoding,) = WordEmbedder().encode(["What did the mayor open?"])
    assert analyse("What did the mayor open?", encoding).weights.tolist() == [0, 0, 0, 1, 1, 0]
    (encoding,) = WordEmbedder().encode(["who is it"])
    assert analyse("who is it", encoding).weights.tolist() == [1, 1, 1]


def test_packaged_model_is_the_one_in_its_card() -> None:
    root = Path(__file__).parents[3]
    model = (root / "qa" / "models" / PACKAGED_READER / "model.safetensors").read_bytes()
    assert len(model) < 70_000_000
    assert f"`{sha256(model).hexdigest()}`" in (root / "docs" / "model_card.md").read_text(
        encoding="utf-8"
    )


def test_weights_of_other_features_are_an_error(tmp_path: Path) -> None:
    """The weights are multiplied by position: another order would be wrong without a word."""
    packaged = Path(__file__).parents[3] / "qa" / "models" / PACKAGED_READER / WEIGHTS
    raw = json.loads(packaged.read_text(encoding="utf-8"))
    raw["features"].reverse()
    (tmp_path / WEIGHTS).write_text(json.dumps(raw))
    with pytest.raises(ModelError, match=r"weights\.json was fitted for other features"):
        Weights.load(str(tmp_path))


def test_weights_load_prefers_weights_of_the_folder(tmp_path: Path) -> None:
    packaged = Path(__file__).parents[3] / "qa" / "models" / PACKAGED_READER / WEIGHTS
    raw = json.loads(packaged.read_text(encoding="utf-8"))
    (tmp_path / WEIGHTS).write_text(json.dumps({**raw, "sure_bias": 7.5}))
    assert Weights.load(str(tmp_path)).sure_bias == 7.5
    assert (
        Weights.load(str(tmp_path / "none")).sure_bias
        == raw["sure_bias"]
        == Weights.load(PACKAGED_READER).sure_bias
    )
