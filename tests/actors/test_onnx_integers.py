"""Graphs whose weights have 8 bits compute in 8 bits."""

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, numpy_helper
from onnx.helper import make_graph, make_model, make_node, make_opsetid, make_tensor_value_info

from actors.onnx_integers import in_integers
from actors.onnx_session import session

DRAW = np.random.default_rng(5)
WEIGHTS = DRAW.integers(-127, 128, (64, 32), np.int8)
SCALE = DRAW.uniform(0.001, 0.01, 32).astype(np.float32)


def graph(weights: NDArray[np.generic], scale: NDArray[np.float32]) -> onnx.ModelProto:
    """`x @ (float(weights) * scale) + 1`."""
    made = make_graph(
        [
            make_node("Cast", ["weights"], ["floats"], to=TensorProto.FLOAT),
            make_node("Mul", ["floats", "scale"], ["scaled"]),
            make_node("MatMul", ["x", "scaled"], ["product"], "matmul"),
            make_node("Add", ["product", "one"], ["y"]),
        ],
        "graph",
        [make_tensor_value_info("x", TensorProto.FLOAT, ["n", 64])],
        [make_tensor_value_info("y", TensorProto.FLOAT, ["n", 32])],
        [
            numpy_helper.from_array(weights, "weights"),
            numpy_helper.from_array(scale, "scale"),
            numpy_helper.from_array(np.ones(1, np.float32), "one"),
        ],
    )
    return make_model(made, opset_imports=[make_opsetid("", 17)], ir_version=10)


def run(model: onnx.ModelProto, x: NDArray[np.float32]) -> NDArray[np.float32]:
    (y,) = session(model.SerializeToString(), threads=1).run(None, {"x": x})
    return np.asarray(y)


@pytest.mark.parametrize("shape", [(32,), (1, 32)])
def test_a_product_with_8_bit_weights_becomes_one_of_integers(shape: tuple[int, ...]) -> None:
    x = DRAW.normal(size=(3, 64)).astype(np.float32)
    exact = x @ (WEIGHTS * SCALE) + 1
    model = graph(WEIGHTS, SCALE.reshape(shape))
    assert run(model, x) == pytest.approx(exact, abs=1e-4)
    assert in_integers(model) == 1
    kinds = [node.op_type for node in model.graph.node]
    assert "MatMulInteger" in kinds
    assert "MatMul" not in kinds
    onnx.checker.check_model(model)
    rounded = run(model, x)
    assert rounded == pytest.approx(exact, abs=0.03 * float(np.abs(exact).max()))
    assert not np.array_equal(rounded, exact)


@pytest.mark.parametrize(
    ("weights", "scale"),
    [
        (WEIGHTS.astype(np.float16), SCALE),
        (WEIGHTS, SCALE[:1]),  # one for all: left
        (WEIGHTS, np.repeat(SCALE[:1], 64)[:, None]),  # one for each row: no column's
    ],
)
def test_other_products_stay(weights: NDArray[np.generic], scale: NDArray[np.float32]) -> None:
    model = graph(weights, scale)
    before = model.SerializeToString()
    assert in_integers(model) == 0
    assert model.SerializeToString() == before
