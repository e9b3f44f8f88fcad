"""What the program of an abstract pass shows: whose values reach a layer, and nonlinearities that are no known function's."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import jax

from nissl.adapters._jax.functions import NAMES
from nissl.adapters._jax.passes import trace
from nissl.core.joining import Joining, Origin

PRIMITIVES = {"max": "maximum", "tanh": "tanh", "logistic": "sigmoid", "erf": "erf"}
"""What a nonlinearity that is written out comes down to."""


@dataclass
class Flow:
    """Values of a pass by layer: what its module was given, and what came of it, the last being its activation."""

    values: dict[str, list[Any]] = field(default_factory=dict)
    joining: Joining = field(default_factory=Joining)

    def add(self, name: str, *values: Any) -> None:
        self.values.setdefault(name, []).extend((trace(), value) for value in values)

    def read(self, shown: Callable[[], None]) -> tuple[dict[str, Origin], dict[str, str]]:
        """Runs the pass; by layer: what is before it, and the unknown nonlinearity behind it."""

        def outputs() -> list[list[Any]]:
            here = trace()
            shown()
            known = {name: values for name, values in self.values.items() if all(at == here for at, _ in values)}
            self.values = known
            return [[value for _, value in values] for values in known.values()]

        program = jax.make_jaxpr(outputs)().jaxpr
        left = iter(program.outvars)
        found = {name: [next(left) for _ in values] for name, values in self.values.items()}
        return _inputs(program, found, self.joining), _bends(
            program, {values[-1]: name for name, values in found.items()}
        )


def _inputs(program: Any, found: dict[str, list[Any]], joining: Joining) -> dict[str, Origin]:
    ends, reached = {values[-1]: name for name, values in found.items()}, dict[Any, frozenset[str]]()
    met: dict[Any, tuple[str, ...]] = {}
    for equation in program.eqns:
        sources = frozenset[str]().union(*(reached.get(var, ()) for var in _variables(equation)))
        come = [name for var in _variables(equation) for name in met.get(var, ())]
        kind = str(equation.params.get("name") or equation.primitive.name).replace("_", " ").strip()
        for var in equation.outvars:
            reached[var] = frozenset({ends[var]}) if var in ends else sources
            met[var] = (ends[var],) if var in ends else joining.meet(kind, come)
    order = list(found)
    given = {name: reached.get(values[0], frozenset()) for name, values in found.items()}
    return {
        name: (tuple(sorted(sources - {name}, key=order.index)), met.get(found[name][0], ()))
        for name, sources in given.items()
    }


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
