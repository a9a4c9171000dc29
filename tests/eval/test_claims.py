"""Claims: read with their errors, checked as a model's sentences are, and counted."""

import json
from pathlib import Path

import pytest

from eval.claims import LabelledClaim, check, figures, read_claims
from qa.answer.verify import SupportThresholds, Verifier
from qa.documents.passages import split
from qa.errors import QuestionFileError
from qa.library.snapshot import Snapshot
from qa.models.embedding import EncodingCache
from tests.qa.fakes import CoverEntailment, WordEmbedder, text_document

TEXT = "The bridge cost 48 million euros. The ferry stops in May."
OWN = Path(__file__).parents[2] / "eval" / "claims.jsonl"
SEEDS = Path(__file__).parents[2] / "seeds"


def _row(**changes: object) -> str:
    row = {
        "id": "1",
        "claim": "The bridge cost much.",
        "supported": False,
        "kind": "detail",
        "evidence": [TEXT[:33]],
    }
    return json.dumps({**row, **changes})


def _write(folder: Path, *lines: str) -> Path:
    path = folder / "claims.jsonl"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_claims_are_read(tmp_path: Path) -> None:
    found = read_claims(_write(tmp_path, _row()), [text_document(TEXT)])
    assert found == (LabelledClaim("1", "The bridge cost much.", False, "detail", (TEXT[:33],)),)


def test_every_bad_line_is_named(tmp_path: Path) -> None:
    path = _write(
        tmp_path,
        "{",
        _row(supported="yes"),
        _row(evidence=[]),
        _row(evidence=["No such words."]),
        "[1]",
    )
    with pytest.raises(QuestionFileError) as raised:
        read_claims(path, [text_document(TEXT)])
    assert [f"line {number}:" in str(raised.value) for number in range(1, 6)] == [True] * 5


@pytest.mark.parametrize("content", [None, b"", b"\xff"])
def test_a_file_that_is_missing_empty_or_no_text_is_an_error(
    tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "claims.jsonl"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(QuestionFileError, match=r"claims\.jsonl"):
        read_claims(path, [text_document(TEXT)])


def test_claims_are_checked_against_the_passages_with_their_evidence() -> None:
    document, embedder = text_document(TEXT), WordEmbedder()
    snapshot = Snapshot.of(split(document, embedder.count_tokens), [document], "")
    verifier = Verifier(EncodingCache(embedder), CoverEntailment(), SupportThresholds(0.2, 0.5))
    claims = [
        LabelledClaim("1", "The bridge cost 48 million euros.", True, "verbatim", (TEXT[:33],)),
        LabelledClaim(
            "2", "It was 48 million euros that the bridge cost.", True, "paraphrase", (TEXT[:33],)
        ),
        LabelledClaim("3", "The bridge cost 49 million euros.", False, "number", (TEXT[:33],)),
        LabelledClaim(
            "4", "The bridge cost 48 million euros and a prize.", False, "detail", (TEXT[:33],)
        ),
    ]
    assert check(claims, verifier, snapshot) == [
        "verbatim",
        "supported",
        "unsupported",
        "unsupported",
    ]


def test_precision_and_recall_of_unsupported_by_hand() -> None:
    labels = [True, True, False, False, False]
    claims = [
        LabelledClaim(str(number), "", label, "k", ("e",)) for number, label in enumerate(labels)
    ]
    found = figures(claims, ["supported", "unsupported", "unsupported", "weak", "unsupported"])
    assert found.precision is not None
    assert found.recall is not None
    assert (found.precision[0], found.precision[2]) == (2 / 3, 3)
    assert (found.recall[0], found.recall[2]) == (2 / 3, 3)
    assert found.counts == {("k", "supported"): 1, ("k", "unsupported"): 3, ("k", "weak"): 1}
    assert figures(claims[:1], ["supported"]).precision is None


def test_the_projects_own_claims_are_300_and_their_evidence_is_in_the_article() -> None:
    from qa.documents.load import load

    found = read_claims(OWN, load([SEEDS]).documents)
    assert len(found) == len({claim.text for claim in found}) == 300
    assert sum(claim.supported for claim in found) == 150
