"""`points/LAYER.BY.EPOCH.bin`: every example as a point, near those to which a layer answers alike; the same axes at all epochs."""

import warnings
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from nissl.core.projection import projection
from nissl.errors import MissingData, NisslWarning
from nissl.studies._feed.packing import Array, finite, packed
from nissl.studies._feed.part import Part, number
from nissl.studies._feed.probed import latest

BY = ("tsne", "pca")
QUICK = 6000
"""Up to so many examples, counted at every epoch, t-SNE is what is shown unasked; of more, it takes minutes."""
EACH, FULL, KEPT = 4, 65535, 4


@dataclass(frozen=True, eq=False)
class Film:
    """One layer's points at all epochs."""

    places: dict[int, Array]
    """By epoch, (example, x and y) as whole steps of one square that holds all epochs."""
    said: dict[int, dict[str, Any]]


class Points(Part):
    def __init__(self, stage: Any):
        super().__init__(stage)
        self._films: OrderedDict[tuple[Any, ...], Film] = OrderedDict()

    def told(self) -> dict[str, Any] | None:
        probed = self.stage.probed
        layers = [
            {"name": name, "units": self.trace.units(name), "epochs": probed.epochs(name)} for name in probed.layers
        ]
        if not any(layer["epochs"] for layer in layers):
            return {
                "absent": "What layers said of single examples was not recorded: record with a probe=(x, y) and quantities=(..., "
                "'predictions', 'samples'), or nissl train RUN --quantities activation,profile,predictions,samples."
            }
        first = self._first
        return {
            "layers": layers, "count": probed.count, "first": first, "by": self._by(probed.layers[first]),
            "kept": latest(probed.epochs(probed.layers[first]), EACH * probed.count),
        }  # fmt: skip

    @property
    def _first(self) -> int:
        """The layer before the output: as `nissl.projection` takes."""
        return max(len(self.stage.probed.layers) - 2, 0)

    def _by(self, layer: str) -> list[str]:
        """The ways to place points, the one for a start first."""
        probed = self.stage.probed
        return list(BY if probed.count * len(probed.epochs(layer)) <= QUICK else BY[::-1])

    def names(self) -> Iterator[str]:
        told = self.told() or {}
        if "absent" in told:
            return
        first = told["first"]
        by = told["by"][0]
        film = self._film(self.stage.probed.layers[first], by)
        yield from (f"{first}.{by}.{epoch}.bin" for epoch in told["kept"] if epoch in film.places)

    def file(self, rest: str) -> bytes:
        place, _, later = rest.removesuffix(".bin").partition(".")
        by, _, when = later.partition(".")
        layer, epoch, layers = number(place), number(when), self.stage.probed.layers
        if layer is None or layer >= len(layers) or epoch is None or by not in BY or not rest.endswith(".bin"):
            raise self.unknown(rest, "LAYER.tsne.EPOCH.bin and LAYER.pca.EPOCH.bin, LAYER being the number of one")
        self.stage.there(epoch)
        if epoch not in self.stage.probed.epochs(layers[layer]):
            raise MissingData(f"No samples of {layers[layer]} were recorded at epoch {epoch}.")
        film = self._film(layers[layer], by)
        if epoch not in film.places:
            raise MissingData(
                f"At epoch {epoch} some values of {layers[layer]} are no finite numbers: no place is theirs."
            )
        return packed(
            {"epoch": epoch, "layer": layers[layer], "by": by, **film.said[epoch]}, {"places": film.places[epoch]}
        )

    def _film(self, layer: str, by: str) -> Film:
        """All epochs are placed at once, each from its neighbour's places; kept as long as no epoch is added."""
        epochs = self.stage.probed.epochs(layer)
        key = (layer, by, tuple(epochs))
        if key not in self._films:
            self._films[key] = self._placed(layer, by, epochs)
        self._films.move_to_end(key)
        while len(self._films) > KEPT:
            self._films.popitem(last=False)
        return self._films[key]

    def _placed(self, layer: str, by: str, epochs: list[int]) -> Film:
        fine = [epoch for epoch in epochs if np.isfinite(self.stage.probed.values(layer, epoch)).all()]
        if not fine:
            return Film({}, {})
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NisslWarning)  # that all samples are alike is seen: they lie on one place
            made = projection(self.trace, None, layer, by=by, epochs=fine, progress=False)
            quality = made.quality
        low = np.min([frame.positions.min(0) for frame in made.frames], 0)
        high = np.max([frame.positions.max(0) for frame in made.frames], 0)
        side = float((high - low).max()) or 1.0
        corner = (low + high - side) / 2
        places = {
            epoch: np.rint((frame.positions - corner) / side * FULL).clip(0, FULL).astype(np.uint16)
            for epoch, frame in zip(fine, made.frames, strict=True)
        }
        common = {
            "how": repr(made.how), "seed": made.seed, "boundary": _number(quality.boundary), "jump": _number(quality.jump),
            "near": quality.frames[0].k, "looked": quality.frames[0].looked_at,
        }  # fmt: skip
        said = {
            epoch: common | {"trust": finite(one.trustworthiness), "kept": finite(one.kept)}
            for epoch, one in zip(fine, quality.frames, strict=True)
        }
        return Film(places, said)


def _number(value: float | None) -> float | None:
    return None if value is None else finite(value)
