"""What is recorded: each quantity says what it needs to hear, and turns what was heard into named arrays."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from numpy.typing import NDArray

from nissl.core.capabilities import ParameterGradients
from nissl.core.layer import Layer
from nissl.core.predictions import Predictions
from nissl.core.store import ArraySpec
from nissl.core.sums import Sums

Array = NDArray[Any]
NEEDS = (
    "activation",
    "preactivation",
    "gradient",
    "parameters",
    "parameter_gradients",
    "outputs",
    "samples",
    "attribution",
)


@dataclass(frozen=True)
class Context:
    """What is known of a run when arrays are declared."""

    classes: tuple[str, ...] = ()
    probe: int = 0
    """How many examples the probe has."""
    parameters: int = 0
    """How many parameters all recorded layers have together."""
    task: str = "unlabelled"
    """What the labels mean: see `nissl.core.task.KINDS`."""
    followed: tuple[str, ...] = ()
    """Layers whose units are followed as members of classes' structures; known when something needs "attribution"."""
    probing: bool = False
    """What is declared or heard is the probe's, not the training steps'."""


@dataclass(frozen=True)
class Heard:
    """What an epoch left behind at one layer (or, for outputs, at the whole network). Only what was needed is there."""

    context: Context
    sums: Sums | None = None
    parameters: Mapping[str, Array] | None = None
    before: Mapping[str, Array] | None = None
    """The parameters, or attributions, at the previous recorded epoch."""
    gradients: ParameterGradients | None = None
    samples: Array | None = None
    predictions: Predictions | None = None
    attribution: Array | None = None
    """(unit, class): what each unit of this layer adds to the log-odds of each class, on average over its examples."""
    attributions: Mapping[str, Array] | None = None
    """Of the whole network: those of all layers."""


class Quantity(ABC):
    """One kind of thing to record. Implementations are frozen dataclasses: their repr is the recipe kept in the trace."""

    needs: ClassVar[str]
    """What it must hear: one of NEEDS. "activation", "preactivation" and "outputs" are also heard on the probe, if there is one, "attribution" on it alone."""
    classes: ClassVar[bool] = False
    """It needs the sums apart by class."""
    sketch: ClassVar[int] = 0
    """How many sampled values a unit it needs, for quantiles."""

    @abstractmethod
    def declare(self, layer: Layer | None, context: Context) -> tuple[ArraySpec, ...]:
        """The arrays that `read` will give, before anything is heard. A ("neuron",) array becomes a column of the layer's stats.

        `layer` is None for quantities of the whole network (those that need "outputs", or also "attribution"); its units are known.
        """

    @abstractmethod
    def read(self, heard: Heard) -> dict[str, Array]:
        """Every declared array by name, from what was heard; arrays that an epoch does not have may be missing."""

    def scalars(self, heard: Heard) -> dict[str, float]:
        """Numbers of the whole network for this epoch, such as its loss."""
        return {}
