"""Tests of the model that training starts from."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from qa.training.start import dequantized


def _model_of(values: dict[str, np.ndarray], nodes: list[onnx.NodeProto]) -> onnx.ModelProto:
    initializers = [numpy_helper.from_array(value, name) for name, value in values.items()]
    graph = helper.make_graph(nodes, "bert", [], [], initializers)
    return helper.make_model(graph)


def _quantized(name: str, values: np.ndarray, scale: np.ndarray) -> dict[str, np.ndarray]:
    return {
        f"{name}_quantized": values,
        f"{name}_scale": scale,
        f"{name}_zero_point": np.array(1, dtype=np.int8),
    }


def test_dense_layer_is_scaled_by_column_and_transposed() -> None:
    """(value - zero point) * scale, as (output, input), under the name of transformers."""
    weights = np.array([[1, 3], [2, 1], [1, 0]], dtype=np.int8)
    values = _quantized("onnx::MatMul_7", weights, np.array([0.5, 2.0], dtype=np.float32))
    node = helper.make_node(
        "MatMulInteger",
        ["activations", "onnx::MatMul_7_quantized"],
        ["product"],
        name="/bert/encoder/layer.3/attention/self/query/MatMul_quant",
    )

    tensors = dequantized(_model_of(values, [node]))

    assert list(tensors) == ["bert.encoder.layer.3.attention.self.query.weight"]
    (query,) = tensors.values()
    assert query.tolist() == [[0.0, 0.5, 0.0], [4.0, 0.0, -2.0]]
    assert query.dtype == np.float32


def test_embeddings_and_norms_get_the_prefix_of_bert() -> None:
    """A file of the bare encoder has names without it; the pooler and the head are left out."""
    words = np.array([[3, 1]], dtype=np.int8)
    norm = np.array([1.5, 2.5], dtype=np.float32)
    values = {
        **_quantized("embeddings.word_embeddings.weight", words, np.array(0.25, dtype=np.float32)),
        "embeddings.LayerNorm.weight": norm,
        "pooler.dense.bias": norm,
    }

    tensors = dequantized(_model_of(values, []))

    assert tensors["bert.embeddings.word_embeddings.weight"].tolist() == [[0.5, 0.0]]
    assert tensors["bert.embeddings.LayerNorm.weight"].tolist() == [1.5, 2.5]
    assert len(tensors) == 2


def test_product_of_activations_has_no_weights() -> None:
    """Attention multiplies queries by keys in the same kind of node."""
    node = helper.make_node(
        "MatMulInteger", ["queries", "keys"], ["scores"], name="/encoder/layer.0/attention/MatMul"
    )
    node_input = helper.make_tensor_value_info("queries", TensorProto.INT8, [1, 1])
    model = _model_of({}, [node])
    model.graph.input.append(node_input)

    assert dequantized(model) == {}
