"""What the program of an abstract pass shows: whose values reach a layer, and nonlinearities that are no known function's."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import jax

from nissl.adapters._jax.functions import NAMES
from nissl.adapters._jax.passes import trace

PRIMITIVES = {"max": "maximum", "tanh": "tanh", "logistic": "sigmoid", "erf": "erf"}
"""What a nonlinearity that is written out comes down to."""


@dataclass
class Flow:
    """Values of a pass by layer: what its module was given, and what came of it, the last being its activation."""

    values: dict[str, list[Any]] = field(default_factory=dict)

    def add(self, name: str, *values: Any) -> None:
        self.values.setdefault(name, []).extend((trace(), value) for value in values)

    def read(self, shown: Callable[[], None]) -> tuple[dict[str, tuple[str, ...]], dict[str, str]]:
        """Runs the pass; by layer: the layers before it, and the unknown nonlinearity behind it."""

        def outputs() -> list[list[Any]]:
            here = trace()
            shown()
            known = {name: values for name, values in self.values.items() if all(at == here for at, _ in values)}
            self.values = known
            return [[value for _, value in values] for values in known.values()]

        program = jax.make_jaxpr(outputs)().jaxpr
        left = iter(program.outvars)
        found = {name: [next(left) for _ in values] for name, values in self.values.items()}
        return _inputs(program, found), _bends(program, {values[-1]: name for name, values in found.items()})


def _inputs(program: Any, found: dict[str, list[Any]]) -> dict[str, tuple[str, ...]]:
    ends, reached = {values[-1]: name for name, values in found.items()}, dict[Any, frozenset[str]]()
    for equation in program.eqns:
        sources = frozenset[str]().union(*(reached.get(var, ()) for var in _variables(equation)))
        for var in equation.outvars:
            reached[var] = frozenset({ends[var]}) if var in ends else sources
    order = list(found)
    given = {name: reached.get(values[0], frozenset()) for name, values in found.items()}
    return {name: tuple(sorted(sources - {name}, key=order.index)) for name, sources in given.items()}


def _bends(program: Any, ends: dict[Any, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for equation in program.eqns:
        name = str(equation.params.get("name") or PRIMITIVES.get(equation.primitive.name))
        for var in _variables(equation):
            if var in ends and (name in NAMES or name in PRIMITIVES.values()):
                found[ends[var]] = name
    return found


def _variables(equation: Any) -> Iterator[Any]:
    return (var for var in equation.invars if not hasattr(var, "val"))
