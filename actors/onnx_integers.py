"""Has ONNX graphs compute in 8 bits where their weights have 8 bits anyway.

Such a graph makes floats of its weights as it is loaded, and multiplies those: small files, and the
time of big ones. Here each vector that is multiplied with them is rounded to 8 bits as well, by its
own range ("dynamic quantization" in ONNX Runtime's terms), and processors do that several times as
fast (VNNI, AMX, NEON's dot product).
"""

import math
from collections.abc import Iterator

import onnx
from onnx import NodeProto
from onnx.helper import make_node


def in_integers(model: onnx.ModelProto) -> int:
    """Change each `x @ (scale * float(weights))`, with weights in int8 and a scale for each column,
    in place. Returns how many there were.
    """
    graph = model.graph
    makers = {name: node for node in graph.node for name in node.output}
    known = {weights.name: weights for weights in graph.initializer}
    nodes, changed = list[NodeProto](), 0
    for node in graph.node:
        weights, scale = _rounded(node, makers, known)
        if weights is None or scale is None:
            nodes.append(node)
            continue
        changed += 1
        scale.dims[:] = weights.dims[-1:]  # broadcast as before, where ONNX Runtime fuses it
        nodes += _multiplied(node, weights.name, scale.name)
    del graph.node[:]
    graph.node.extend(_used(nodes, {output.name for output in graph.output}))
    return changed


def _rounded(
    node: NodeProto, makers: dict[str, NodeProto], known: dict[str, onnx.TensorProto]
) -> tuple[onnx.TensorProto | None, onnx.TensorProto | None]:
    """The weights and their scale, if this is such a product."""
    if node.op_type != "MatMul":
        return None, None
    scaled = makers.get(node.input[1])
    if scaled is None or scaled.op_type != "Mul":
        return None, None
    cast, scale = makers.get(scaled.input[0]), known.get(scaled.input[1])
    if cast is None or cast.op_type != "Cast":
        return None, None
    weights = known.get(cast.input[0])
    if weights is None or scale is None or weights.data_type != onnx.TensorProto.INT8:
        return None, None
    return weights, scale if math.prod(scale.dims) == weights.dims[-1] else None


def _multiplied(node: NodeProto, weights: str, scale: str) -> Iterator[NodeProto]:
    """The same product in integers, in the form that ONNX Runtime knows as one step."""
    name = node.name
    whole = [f"{name}/{part}" for part in ("rounded", "range", "zero")]
    yield make_node("DynamicQuantizeLinear", [node.input[0]], whole, f"{name}/round")
    product = [whole[0], weights, whole[2]]
    yield make_node("MatMulInteger", product, [f"{name}/whole"], f"{name}/multiply")
    floats = onnx.TensorProto.FLOAT
    yield make_node("Cast", [f"{name}/whole"], [f"{name}/float"], f"{name}/cast", to=floats)
    yield make_node("Mul", [whole[1], scale], [f"{name}/scales"], f"{name}/both")
    yield make_node("Mul", [f"{name}/float", f"{name}/scales"], list(node.output), f"{name}/scale")


def _used(nodes: list[NodeProto], outputs: set[str]) -> list[NodeProto]:
    """Without those that made floats of the weights."""
    kept = list[NodeProto]()
    for node in reversed(nodes):
        if outputs.intersection(node.output):
            outputs.update(node.input)
            kept.append(node)
    return kept[::-1]
