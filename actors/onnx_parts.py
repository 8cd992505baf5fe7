"""Cuts ONNX graphs into stages, to run each when, and as often as, it is needed."""

from collections.abc import Iterable

import numpy as np
import onnx
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def part(model: onnx.ModelProto, inputs: list[str], outputs: list[str]) -> bytes:
    """The smallest model that computes `outputs` from `inputs`; what is cut there is float."""
    graph = model.graph
    makers = {name: node for node in graph.node for name in node.output}
    wanted, needed = list(outputs), set[str]()
    while wanted:
        name = wanted.pop()
        if name in inputs or name in needed:
            continue
        needed.add(name)
        if name in makers:
            wanted += makers[name].input
    cut = onnx.helper.make_graph(
        [node for node in graph.node if needed.intersection(node.output)],
        "part",
        [_value(graph, name) for name in inputs],
        [_value(graph, name) for name in outputs],
        [weights for weights in graph.initializer if weights.name in needed],
    )
    made = onnx.helper.make_model(
        cut, opset_imports=model.opset_import, ir_version=model.ir_version
    )
    return bytes(made.SerializeToString())


def _value(graph: onnx.GraphProto, name: str) -> onnx.ValueInfoProto:
    outer: Iterable[onnx.ValueInfoProto] = [*graph.input, *graph.output]
    known = next((value for value in outer if value.name == name), None)
    return known or onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None)
