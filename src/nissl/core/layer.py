"""A place in a network: a computing module together with the nonlinearity that directly follows it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self


@dataclass(frozen=True)
class Junction:
    """Where values of several layers come together on their way. A plain value."""

    name: str
    kind: str
    """add, concatenate, multiply ...: what is done with them."""
    sources: tuple[str, ...]
    """Names of layers, and of junctions before this one."""


@dataclass(frozen=True)
class Layer:
    """Everything that can be said of a place without running the network. A plain value."""

    name: str
    """The computing module's path; `name#2` is the same module's second call in one pass."""
    kind: str
    """dense, conv, recurrent, attention, embedding or other: decides which axis counts the units."""
    units: int | None
    """How many units there are; None where only running the network tells."""
    unit_axis: int = -1
    """The axis of the heard value that counts the units."""
    batch_axis: int = 0
    """The axis of the heard value that counts the examples."""
    unit: str = "neuron"
    """What one unit is: neuron, channel, head or feature."""
    unit_shape: tuple[int, ...] = ()
    """The shape of one unit's value for one example, where it is known before running."""
    parameters: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """Shapes with the unit first: {"weight": (units, ...), "bias": (units,)}."""
    nonlinearity: str | None = None
    """The nonlinearity heard with it (`ReLU`), or None where the module's own output is heard."""
    remark: str | None = None
    """What a reader should know of how it was heard, such as a functional nonlinearity that hooks can't see."""
    inputs: tuple[str, ...] = ()
    """Names of the layers whose values reach it with no other layer between, once a pass has shown them."""
    takes: tuple[str, ...] = ()
    """The same with junctions in the place of what meets in them, where a pass has shown that: names of layers and junctions."""
    junctions: tuple[Junction, ...] = ()
    """The junctions on the way to it that are on the way to no layer before it."""

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> Self:
        """As `asdict` says it, after it went through JSON."""
        values = {**said, "inputs": tuple(said["inputs"]), "unit_shape": tuple(said["unit_shape"])}
        values["takes"] = tuple(said.get("takes", ()))
        values["junctions"] = tuple(
            Junction(one["name"], one["kind"], tuple(one["sources"])) for one in said.get("junctions", ())
        )
        values["parameters"] = {k: tuple(v) for k, v in said["parameters"].items()}
        return cls(**{k: v for k, v in values.items() if k in cls.__dataclass_fields__})
