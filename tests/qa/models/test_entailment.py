"""The packaged model that checks sentences: what it carries, what it does not, and what it cannot read whole."""

from pathlib import Path

import pytest

from qa.errors import ModelError
from qa.models.entailment import NEVER, CrossEncoderEntailment

EVIDENCE = "According to the news agency, around 2000 participants attended the Pakistan Minerals Investment Forum."


@pytest.fixture(scope="module")
def entailment() -> CrossEncoderEntailment:
    return CrossEncoderEntailment()


def test_log_odds_supported_claim_is_highest(
    entailment: CrossEncoderEntailment,
) -> None:
    carried, number, other = entailment.log_odds(
        [
            ("Around 2000 people attended the forum.", EVIDENCE),
            ("The forum was not attended by 2000 participants.", EVIDENCE),
            ("The weather was bad.", EVIDENCE),
        ]
    )
    assert carried > 0 > max(number, other)


def test_log_odds_do_not_depend_on_the_order(entailment: CrossEncoderEntailment) -> None:
    pairs = [
        (f"Around {count} people attended the forum.", EVIDENCE * (count % 3 + 1))
        for count in range(20)
    ]
    forward, backward = entailment.log_odds(pairs), entailment.log_odds(pairs[::-1])
    assert forward == pytest.approx(backward[::-1], abs=0.1)
    assert entailment.log_odds([]) == []


def test_log_odds_long_claim_is_never_supported(
    entailment: CrossEncoderEntailment,
) -> None:
    long = "Around 2000 people attended the forum, " * 20 + "and the minister resigned."
    assert entailment.log_odds([(long, EVIDENCE), (EVIDENCE, EVIDENCE * 50)])[0] == NEVER
    assert entailment.log_odds([(EVIDENCE, EVIDENCE * 50)])[0] > 0


@pytest.mark.parametrize("content", [None, b"", b"{}"])
def test_entailment_damaged_model_says_reinstall(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "config.json").write_bytes(content)
        (tmp_path / "model.safetensors").write_bytes(content)
    with pytest.raises(ModelError, match="Install the project again"):
        CrossEncoderEntailment(str(tmp_path))
