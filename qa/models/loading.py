"""Loads models on the CPU: the packaged models from their folders, other models by name."""

import os
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qa.errors import ModelError

if TYPE_CHECKING:
    import torch
    from sentence_transformers import CrossEncoder, SentenceTransformer

REINSTALL = (
    "Install the project again: pip install --force-reinstall --no-deps -c constraints.txt -e ."
)

LENGTH_STEP = 32
"""Tokens. Texts are padded to a multiple of it, because oneDNN compiles code for each length.

It keeps that code: with every length, a process took 0.35 GB more after 100 questions.
"""


@dataclass(frozen=True, slots=True)
class ModelSource:
    """Where a model comes from, and the next step if it cannot be loaded."""

    purpose: str
    """What the model is, in messages: "reader"."""
    name: str
    """A folder, or a name that the library downloads."""
    folder: str | None = None
    """The folder of the packaged model; None: it is not the packaged model."""
    setting: str | None = None
    """The variable that chooses another model."""

    @property
    def path(self) -> str:
        return self.folder or self.name

    @property
    def local_only(self) -> bool:
        """Whether nothing may be downloaded."""
        return self.folder is not None or os.environ.get("HF_HUB_OFFLINE") == "1"

    def error(self, cause: str) -> ModelError:
        """Returns the error for this model, with its cause and the next step."""
        next_step = REINSTALL
        if self.folder is None and self.setting:
            next_step = f"Set {self.setting} to the folder or name of such a model, or unset it."
        return ModelError(f"The {self.purpose} {self.name} cannot be loaded: {cause}. {next_step}")


def packaged_folder(name: str) -> str:
    """Returns the folder of a model that is part of this package."""
    return str(files("qa").joinpath("models", name))


def load_sentence_transformer(source: ModelSource) -> "SentenceTransformer":
    """Loads an embedding model. Raises ModelError."""
    from sentence_transformers import SentenceTransformer

    hide_progress_bars()
    try:
        return SentenceTransformer(
            source.path,
            device="cpu",
            model_kwargs={"dtype": _dtype()},
            local_files_only=source.local_only,
        )
    except (OSError, ValueError, ImportError, RuntimeError) as error:
        raise source.error(_first_line(error)) from error


def load_cross_encoder(source: ModelSource) -> "CrossEncoder":
    """Loads a model that scores pairs of texts, with one output. Raises ModelError.

    The folder of `source` must hold `model.safetensors`. `predict` returns the output as it is.
    """
    from sentence_transformers import CrossEncoder
    from torch.nn import Identity

    hide_progress_bars()
    try:
        model: CrossEncoder = CrossEncoder(
            source.path,
            device="cpu",
            activation_fn=Identity(),
            model_kwargs={"dtype": _dtype(), "attn_implementation": "eager"},
            local_files_only=source.local_only,
        )
        missing = _missing_weights(model, Path(source.path))
    except Exception as error:
        # transformers, safetensors and the hub raise many kinds of errors.
        raise source.error(_first_line(error)) from error

    if missing:
        raise source.error("it is a model of another kind")
    if model.num_labels != 1:
        raise source.error("it has more than one output")
    return model


def _missing_weights(model: "CrossEncoder", folder: Path) -> set[str]:
    """Returns the names of the weights that the folder lacks.

    The library only warns about them, and gives them random values.
    """
    from safetensors import safe_open

    transformer = model.transformers_model
    if transformer is None:
        raise ValueError("it has no transformer")
    needed = set(transformer.state_dict())
    with safe_open(folder / "model.safetensors", framework="pt") as weights:
        return needed - set(weights.keys())


def load_transformer(model_class: Any, source: ModelSource) -> tuple[Any, Any]:
    """Loads a tokenizer and a model of this class of transformers. Raises ModelError.

    A model of another class is an error too: its last layer would have random weights.
    """
    from transformers import AutoTokenizer

    hide_progress_bars()
    try:
        tokenizer = AutoTokenizer.from_pretrained(source.path, local_files_only=source.local_only)
        model, report = model_class.from_pretrained(
            source.path,
            local_files_only=source.local_only,
            output_loading_info=True,
            dtype=_dtype(),
            attn_implementation="eager",
        )
    except Exception as error:
        # transformers, safetensors and the hub raise many kinds of errors.
        raise source.error(_first_line(error)) from error

    if report["missing_keys"] or not tokenizer.is_fast:
        raise source.error("it is a model of another kind")
    return tokenizer, model.eval()


def computes_bfloat16() -> bool:
    """Returns whether this processor multiplies bfloat16 in hardware."""
    import torch

    capabilities = torch.cpu.get_capabilities()
    return bool(capabilities.get("amx_bf16") or capabilities.get("avx512_bf16"))


def _dtype() -> "torch.dtype":
    """Returns bfloat16 where the processor computes in it, else float32.

    Measured on such a processor: 2.7 times the passages a second, at a cosine of 0.996 or more
    to the float32 vectors.
    """
    import torch

    return torch.bfloat16 if computes_bfloat16() else torch.float32


def hide_progress_bars() -> None:
    """Hides the bars that transformers shows while it reads and writes weights."""
    from transformers.utils import logging

    # transformers leaves this function untyped.
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]


def _first_line(error: Exception) -> str:
    lines = str(error).splitlines() or [type(error).__name__]
    return lines[0].rstrip(".")
