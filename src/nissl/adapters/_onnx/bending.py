"""What directly follows a layer in a graph: a norm over the same units, and a nonlinearity, which may be several operators."""

import numpy as np

from nissl.adapters._onnx.graph import Graph

BENDS = {
    "Relu": "ReLU", "LeakyRelu": "LeakyReLU", "PRelu": "PReLU", "Elu": "ELU", "Selu": "SELU", "Celu": "CELU", "Gelu": "GELU",
    "Sigmoid": "Sigmoid", "Tanh": "Tanh", "HardSigmoid": "Hardsigmoid", "HardSwish": "Hardswish", "Softplus": "Softplus",
    "Softsign": "Softsign", "Mish": "Mish", "Swish": "SiLU", "ThresholdedRelu": "Threshold", "Shrink": "Softshrink",
    "Clip": "Hardtanh", "QuickGelu": "GELU", "FastGelu": "GELU",
}  # fmt: skip
"""Operators that treat each unit by itself, by the names that layers give them."""
PARTS = {
    "Mul",
    "Add",
    "Sub",
    "Div",
    "Erf",
    "Tanh",
    "Sigmoid",
    "HardSigmoid",
    "Softplus",
    "Pow",
    "Clip",
    "Greater",
    "Where",
}
"""Of what exporters build the nonlinearities that are no operator of their own."""
NORMS = ("BatchNormalization", "InstanceNormalization", "GroupNormalization")
PASSES = ("Identity", "Dropout")
LONGEST = 9
"""So many operators a nonlinearity may have been taken apart into."""


def behind_norm(graph: Graph, value: str) -> tuple[str, str | None]:
    """The value behind a norm over the same units (and what passes values on), and the norm's operator."""
    norm = None
    while (taker := graph.only_taker(value)) is not None:
        node = graph.nodes[taker]
        if node.input[0] != value or node.op_type not in (*NORMS, *PASSES):
            break
        norm = node.op_type if node.op_type in NORMS else norm
        value = node.output[0]
    return value, norm


def nonlinearity(graph: Graph, value: str) -> tuple[str, str] | None:
    """The nonlinearity that everybody who takes this value takes it through, and the value behind it."""
    taker = graph.only_taker(value)
    if taker is not None and len(graph.nodes[taker].input) == 1 and graph.nodes[taker].op_type in BENDS:
        node = graph.nodes[taker]  # by far the most, and told without a search
        return BENDS[node.op_type], node.output[0]
    inside: list[int] = []
    made, waiting = {value}, list(graph.takers.get(value, []))
    while waiting and len(inside) < LONGEST:
        ready = next((n for n in sorted(waiting) if _may_belong(graph, n, made)), None)
        if ready is None:
            return None
        inside.append(ready)
        made |= set(graph.nodes[ready].output)
        waiting = [n for v in made for n in graph.takers.get(v, []) if n not in inside]
        seen = [v for v in made if v in graph.open or any(n not in inside for n in graph.takers.get(v, []))]
        seen = seen or [graph.nodes[ready].output[0]]
        name = _name(graph, inside) if len(seen) == 1 and seen[0] != value else None
        if name is not None:
            return name, seen[0]
    return None


def _may_belong(graph: Graph, number: int, made: set[str]) -> bool:
    node = graph.nodes[number]
    if node.op_type not in BENDS and node.op_type not in PARTS:
        return False
    numbers = node.op_type == "PRelu" or all(np.size(c) == 1 for c in graph.constants(number))
    return numbers and set(graph.data(number)) <= made


def _name(graph: Graph, inside: list[int]) -> str | None:
    operators = {graph.nodes[n].op_type for n in inside}
    if len(inside) == 1:
        (one,) = operators
        limits = [float(c) for c in graph.constants(inside[0])] if one == "Clip" else []
        return "ReLU6" if limits == [0.0, 6.0] else BENDS.get(one)
    numbers = [float(np.ravel(c)[0]) for n in inside for c in graph.constants(n)]
    return _composed(operators, numbers)


def _composed(operators: set[str], numbers: list[float]) -> str | None:
    """By the operators it is made of; half of a GELU has the same ones, so that its factor of a half must have come."""
    halved = any(np.isclose(n, 0.5) for n in numbers) or ("Div" in operators and 2.0 in numbers)
    quick = operators == {"Sigmoid", "Mul"} and any(np.isclose(n, 1.702) for n in numbers)
    known = {
        "SiLU": operators == {"Sigmoid", "Mul"} and not numbers,
        "Softplus": {"Softplus", "Greater", "Where"} <= operators <= {"Softplus", "Greater", "Where", "Mul", "Div"},
        "Mish": operators == {"Softplus", "Tanh", "Mul"},
        "Hardswish": operators == {"HardSigmoid", "Mul"}
        or (operators == {"Add", "Clip", "Mul", "Div"} and 3.0 in numbers),
        "GELU": quick or (halved and any({curve, "Add", "Mul"} <= operators for curve in ("Erf", "Tanh"))),
    }
    return next((name for name, so in known.items() if so), None)


def mixed_by(graph: Graph, value: str) -> str | None:
    """Why a layer is recorded before what follows it, for its remark."""
    taker = graph.only_taker(value)
    operator = graph.nodes[taker].op_type if taker is not None else ""
    name = {"Softmax": "softmax", "LogSoftmax": "log_softmax"}.get(operator)
    return f"recorded before {name}, which mixes the units" if name else None
