"""`python -m qa.training.start`: makes the model that training starts from.

It turns a BERT in ONNX, with weights of 8 bits as `onnxruntime` quantizes them, into a model of
transformers in float32. ms-marco-MiniLM-L-12-v2 is on the package index only in this form.
"""

import argparse
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from qa.errors import DocumentError
from qa.training.entry import run_command

if TYPE_CHECKING:
    import onnx

Tensors = dict[str, NDArray[np.float32]]
MODEL_FILE = "model.onnx"
SEED = 0
"""Of the layer that the model lacks: where an answer starts and ends."""
_QUANTIZED = "_quantized"
_WORD_EMBEDDINGS = "bert.embeddings.word_embeddings.weight"
_UNQUANTIZED = re.compile(r"(bert\.)?(embeddings|encoder)\.")
_DENSE = re.compile(r"encoder/layer\.(?P<layer>\d+)/(?P<name>.+)/MatMul")
"""The name of the node that multiplies by a dense layer's weights."""
_HEAD_SIZE = 32
"""Of every MiniLM. The file does not say how many attention heads there are."""


def main() -> int:
    """Writes the model and its tokenizer."""
    parser = argparse.ArgumentParser(
        prog="python -m qa.training.start",
        description="Turn an 8-bit ONNX file into the model that training starts from.",
    )
    parser.add_argument(
        "--model", type=Path, required=True, help=f"the folder with {MODEL_FILE} and the tokenizer"
    )
    parser.add_argument("--out", type=Path, required=True, help="the folder to write")
    return run_command(parser, _make)


def _make(options: argparse.Namespace) -> None:
    # Imported here, so that --help does not wait for torch.
    import onnx
    import torch
    from transformers import AutoTokenizer, BertConfig, BertForQuestionAnswering

    file = options.model / MODEL_FILE
    if not file.is_file():
        raise DocumentError(f"Missing: {file}. See docs/model_card.md.")
    tensors = dequantized(onnx.load(file))
    if _WORD_EMBEDDINGS not in tensors:
        raise DocumentError(f"{file} has no 8-bit word embeddings. See docs/model_card.md.")

    vocabulary_size, width = tensors[_WORD_EMBEDDINGS].shape
    intermediate = tensors["bert.encoder.layer.0.intermediate.dense.bias"]
    layers = {name.split(".")[3] for name in tensors if ".layer." in name}
    config = BertConfig(
        vocab_size=vocabulary_size,
        hidden_size=width,
        num_hidden_layers=len(layers),
        num_attention_heads=width // _HEAD_SIZE,
        intermediate_size=len(intermediate),
    )
    torch.manual_seed(SEED)
    model = BertForQuestionAnswering(config)
    state = {name: torch.tensor(tensor) for name, tensor in tensors.items()}
    missing, _ = model.load_state_dict(state, strict=False)
    missing_layers = [name for name in missing if not name.startswith("qa_outputs.")]
    if missing_layers:
        raise DocumentError(f"{file} has no weights for {missing_layers[0]}. It must be a BERT.")
    model.save_pretrained(options.out)
    AutoTokenizer.from_pretrained(options.model).save_pretrained(options.out)


def dequantized(model: "onnx.ModelProto") -> Tensors:
    """Returns the weights of a BERT, by their names in transformers, in float32.

    A weight of 8 bits is (value - zero point) * scale, with a scale for the whole matrix or for
    each column.
    """
    from onnx import numpy_helper

    values: dict[str, NDArray[Any]] = {}
    for initializer in model.graph.initializer:
        values[initializer.name] = numpy_helper.to_array(initializer)

    tensors: Tensors = {}
    for name, value in values.items():
        # Biases and norms are not quantized.
        is_weight = _UNQUANTIZED.match(name) and not name.endswith("_scale")
        if is_weight and value.dtype == np.float32:
            tensors[_with_prefix(name)] = value
        elif name.endswith(_QUANTIZED) and "embeddings." in name:
            base = name.removesuffix(_QUANTIZED)
            tensors[_with_prefix(base)] = _dequantized(base, values)

    for node in model.graph.node:
        match = _DENSE.search(node.name)
        if node.op_type != "MatMulInteger" or not match:
            continue
        weights_name = node.input[1]
        # Attention multiplies activations by each other: no weights.
        if weights_name in values:
            weights = _dequantized(weights_name.removesuffix(_QUANTIZED), values)
            dense = match["name"].replace("/", ".")
            name = f"bert.encoder.layer.{match['layer']}.{dense}.weight"
            # ONNX multiplies by (input, output), torch by (output, input).
            tensors[name] = np.ascontiguousarray(weights.T)
    return tensors


def _dequantized(name: str, values: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
    quantized = values[name + _QUANTIZED].astype(np.float32)
    zero_point = values[name + "_zero_point"].astype(np.float32)
    weights = (quantized - zero_point) * values[name + "_scale"]
    return np.asarray(weights, dtype=np.float32)


def _with_prefix(name: str) -> str:
    return name if name.startswith("bert.") else f"bert.{name}"


if __name__ == "__main__":
    sys.exit(main())
