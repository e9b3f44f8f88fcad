"""One layer over all epochs: every recorded name is an attribute, a labelled array (epoch, neuron, ...)."""

from typing import TYPE_CHECKING, Any

from nissl.core.labelled import Labelled
from nissl.core.layer import Layer
from nissl.errors import UnknownName, listing, near

if TYPE_CHECKING:
    from nissl.core.trace import Trace


class LayerHistory:
    """`trace.layer("hidden_1")`; `.mean` is (epoch, neuron), `.class_mean` (epoch, neuron, class)."""

    def __init__(self, trace: "Trace", name: str):
        self._trace, self.name = trace, name

    @property
    def layer(self) -> Layer:
        """What kind of place it is."""
        return self._trace.place(self.name)

    @property
    def names(self) -> tuple[str, ...]:
        """Everything recorded of this layer."""
        return self._trace.names(self.name)

    def array(self, name: str) -> Labelled:
        """One recorded name over the epochs of the trace."""
        if name not in self.names:
            raise UnknownName(
                f"Nothing called {name!r} is recorded of layer {self.name!r}.{near(name, self.names)} "
                f"There are: {listing(self.names, 60)}."
            )
        spec = self._trace.spec(self.name, name)
        dims = spec.dims[:1] if spec.name == "stats" else spec.dims
        trace = self._trace
        epochs, values = trace.undamaged(lambda: (known := trace.epochs, trace.read(self.name, name, known)))
        coords: dict[str, tuple[Any, ...]] = {"epoch": tuple(epochs)}
        coords["neuron"] = tuple(range(trace.units(self.name)))
        coords |= {dim: labels for dim, labels in spec.labels.items() if dim in dims}
        return Labelled(name, values, ("epoch", *dims), {d: c for d, c in coords.items() if d in ("epoch", *dims)})

    def __getattr__(self, name: str) -> Labelled:
        if name.startswith("__"):
            raise AttributeError(name)
        try:
            return self.array(name)
        except UnknownName as error:
            raise AttributeError(str(error)) from None

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self.names]

    def __repr__(self) -> str:
        place = self.layer
        return f"<layer {self.name}: {place.kind}, {place.units} {place.unit}s, {len(self._trace.epochs)} epochs; {', '.join(self.names)}>"
