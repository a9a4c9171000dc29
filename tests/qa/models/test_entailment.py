"""The packaged model that checks sentences: what it carries, what it does not, and what it cannot read whole."""

import logging
import subprocess
import sys
from pathlib import Path

import pytest
from transformers import (
    AutoConfig,
    AutoTokenizer,
    BertForQuestionAnswering,
    BertForSequenceClassification,
)

from qa.errors import ModelError
from qa.models.entailment import NEVER, CrossEncoderEntailment, asked_claim
from tests.qa.random_models import random_model

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


@pytest.mark.parametrize(
    ("question", "read"),
    [("Who\n came?", "Who came? Ann."), ("", "Ann."), ("Who came " + "again " * 40, "Ann.")],
)
def test_claim_follows_a_question_that_leaves_it_room(question: str, read: str) -> None:
    assert asked_claim(question, "Ann.") == read


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


def test_log_odds_are_the_output_of_the_model(tmp_path: Path) -> None:
    """The library's own default is a probability."""
    random_model(tmp_path, BertForSequenceClassification, outputs=1)
    model = BertForSequenceClassification.from_pretrained(tmp_path)
    inputs = AutoTokenizer.from_pretrained(tmp_path)("A claim.", EVIDENCE, return_tensors="pt")
    expected = model(**inputs).logits.item()
    odds = CrossEncoderEntailment(str(tmp_path)).log_odds([("A claim.", EVIDENCE)])
    # bfloat16, where the processor has it, has two digits.
    assert odds == pytest.approx([expected], abs=0.05)


def test_log_odds_long_claim_gives_no_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tokenizer warns of more tokens than the model reads, but such a claim is not read."""
    random_model(tmp_path, BertForSequenceClassification, outputs=1)
    entailment = CrossEncoderEntailment(str(tmp_path))
    monkeypatch.setattr(logging.getLogger("transformers"), "propagate", True)
    assert entailment.log_odds([("word " * 600, EVIDENCE)]) == [NEVER]
    assert caplog.messages == []


def test_entailment_model_with_two_outputs_is_refused(tmp_path: Path) -> None:
    random_model(tmp_path, BertForSequenceClassification, outputs=2)
    with pytest.raises(ModelError, match="it has more than one output"):
        CrossEncoderEntailment(str(tmp_path))


@pytest.mark.parametrize("named", ["BertForQuestionAnswering", "BertForSequenceClassification"])
def test_entailment_random_last_layer_is_refused(tmp_path: Path, named: str) -> None:
    """The library warns about missing weights and gives them random values, whatever the name says."""
    random_model(tmp_path, BertForQuestionAnswering, outputs=1)
    config = AutoConfig.from_pretrained(tmp_path)
    config.architectures = [named]
    config.save_pretrained(tmp_path)
    with pytest.raises(ModelError, match="it is a model of another kind"):
        CrossEncoderEntailment(str(tmp_path))


WITHOUT_TRAINING = """
from importlib.machinery import PathFinder
from importlib.metadata import Distribution, PackageNotFoundError

HIDDEN = {"datasets", "accelerate"}
find, describe = PathFinder.find_spec, Distribution.from_name

def find_others(name, *arguments):
    return None if name in HIDDEN else find(name, *arguments)

def describe_others(name):
    if name in HIDDEN:
        raise PackageNotFoundError(name)
    return describe(name)

PathFinder.find_spec = find_others
Distribution.from_name = describe_others
from qa.models.entailment import CrossEncoderEntailment

print(CrossEncoderEntailment().log_odds([("It rained.", "It rained on Monday.")])[0] > 0)
"""


@pytest.mark.slow
@pytest.mark.model
def test_entailment_needs_no_package_of_training() -> None:
    command = [sys.executable, "-W", "ignore", "-c", WITHOUT_TRAINING]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout == "True\n", done.stderr
