"""Rewrite a model with int8 weights that multiplies in float32 to integer arithmetic.

The published file casts its weights back to float32 and multiplies those, which takes half again the CPU of integer
arithmetic (`make bench-embedder`) and more memory. The weights are unchanged; activations are quantized at run time
(ONNX's dynamic quantization). Weights become unsigned, because signed ones may saturate on CPUs without VNNI.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, helper, numpy_helper

_ZERO = "loci_weight_zero_point"
_ZERO_POINT = 128


@dataclass(frozen=True)
class _Weight:
    """An int8 tensor and its float32 scale, by the names of their initializers."""

    values: str
    scale: str


@dataclass
class _Rewrite:
    """The nodes of the rewritten graph."""

    weights: dict[str, _Weight]
    nodes: list[NodeProto] = field(default_factory=list)
    quantized: set[str] = field(default_factory=set)

    def add(self, operator: str, inputs: Iterable[str], outputs: Iterable[str], **attributes: Any) -> None:
        self.nodes.append(helper.make_node(operator, list(inputs), list(outputs), **attributes))


def integer_model(model_file: bytes) -> bytes:
    """Return the same model with integer matrix products and lookups; inputs, outputs and weights are unchanged."""
    model = onnx.load_from_string(model_file)
    weights = _weights(model.graph)
    floats = weights.keys() | {n.input[0] for n in model.graph.node if n.output[0] in weights}
    rewrite = _Rewrite(weights)
    for node in model.graph.node:
        if node.output[0] in floats:
            continue
        if node.op_type == "MatMul" and node.input[1] in weights:
            _multiply(rewrite, node)
        elif node.op_type == "Gather" and node.input[0] in weights:
            _look_up(rewrite, node)
        else:
            rewrite.nodes.append(node)
    _make_unsigned(model.graph, {weights[n.input[1]].values for n in model.graph.node if _is_product(n, weights)})
    del model.graph.node[:]
    model.graph.node.extend(rewrite.nodes)
    written: bytes = model.SerializeToString()
    return written


def _weights(graph: onnx.GraphProto) -> dict[str, _Weight]:
    """The float32 tensors that are an int8 initializer, cast and multiplied by a scale, by name."""
    integers = {i.name for i in graph.initializer if i.data_type == TensorProto.INT8}
    casts = {n.output[0]: n.input[0] for n in graph.node if n.op_type == "Cast" and n.input[0] in integers}
    products = (n for n in graph.node if n.op_type == "Mul" and n.input[0] in casts)
    return {n.output[0]: _Weight(casts[n.input[0]], n.input[1]) for n in products}


def _is_product(node: NodeProto, weights: dict[str, _Weight]) -> bool:
    return node.op_type == "MatMul" and node.input[1] in weights


def _multiply(rewrite: _Rewrite, node: NodeProto) -> None:
    left, weight, name = node.input[0], rewrite.weights[node.input[1]], node.output[0]
    quantized = [f"{left}_quantized", f"{left}_scale", f"{left}_zero_point"]
    if left not in rewrite.quantized:
        rewrite.quantized.add(left)
        rewrite.add("DynamicQuantizeLinear", [left], quantized)
    rewrite.add("MatMulInteger", [quantized[0], weight.values, quantized[2], _ZERO], [f"{name}_integer"])
    rewrite.add("Cast", [f"{name}_integer"], [f"{name}_float"], to=TensorProto.FLOAT)
    rewrite.add("Mul", [quantized[1], weight.scale], [f"{name}_scale"])
    rewrite.add("Mul", [f"{name}_float", f"{name}_scale"], [name])


def _look_up(rewrite: _Rewrite, node: NodeProto) -> None:
    weight, name = rewrite.weights[node.input[0]], node.output[0]
    rewrite.add("Gather", [weight.values, node.input[1]], [f"{name}_integer"])
    rewrite.add("Gather", [weight.scale, node.input[1]], [f"{name}_scale"])
    rewrite.add("Cast", [f"{name}_integer"], [f"{name}_float"], to=TensorProto.FLOAT)
    rewrite.add("Mul", [f"{name}_float", f"{name}_scale"], [name])


def _make_unsigned(graph: onnx.GraphProto, names: set[str]) -> None:
    for tensor in graph.initializer:
        if tensor.name in names:
            shifted = numpy_helper.to_array(tensor).astype(np.int16) + _ZERO_POINT
            tensor.CopyFrom(numpy_helper.from_array(shifted.astype(np.uint8), tensor.name))
    graph.initializer.append(numpy_helper.from_array(np.array(_ZERO_POINT, dtype=np.uint8), _ZERO))
