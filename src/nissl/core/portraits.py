"""Pictures that a network was made to like, and how far each is to be believed."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.core.paper import Paper
from nissl.errors import BadValue, UnknownName, listing, near

Array = NDArray[Any]


@dataclass(frozen=True)
class Tried:
    """A recipe that a search has tried, and what came of it."""

    options: Mapping[str, Any]
    steps: int
    score: float
    """The mean over the portraits, as are the others."""
    probability: float | None
    """Of the class that is meant, under distortions."""
    realism: float | None
    merit: float
    """What the search goes by, 0 to 1."""


@dataclass(frozen=True, eq=False)
class Portraits:
    """Made by `nissl.portrait`, `nissl.invert` and `nissl.dream`."""

    pictures: Array
    """(portrait, *shape of an input)."""
    targets: tuple[str, ...]
    """What each portrait is of."""
    scores: Array
    metric: str
    """What the scores are: logit, logodds, logprob, activation, closeness, ..."""
    probabilities: Array | None
    """Of the class that is meant."""
    steady: Array | None
    """The same on average over portraits shifted, turned, scaled and with noise."""
    judged: Array | None
    """The probability that another network gives the class."""
    realism: Array | None
    """The share of real inputs that are as far from their nearest, or farther, in the last layer before the outputs: .5 is usual, 0 stranger than all."""
    realism_of_inputs: Array | None
    """The same in the inputs themselves, of which the network decides nothing."""
    paper: Paper = field(repr=False)
    recipe: Mapping[str, Any]
    """How they were drawn."""
    tried: tuple[Tried, ...] = field(default=(), repr=False)
    """What a search tried before, the best first."""
    given: Array | None = None
    """The inputs that were inverted or dreamt about, one for each."""

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, target: Any) -> "Portraits":
        """Those of one target, by its name."""
        found = [k for k, name in enumerate(self.targets) if name == str(target)]
        if not found:
            known = list(dict.fromkeys(self.targets))
            raise UnknownName(f"There is no portrait of {target!r}.{near(target, known)} There are: {listing(known)}.")
        return self.some(found)

    def some(self, which: Any) -> "Portraits":
        """Those of these numbers."""
        kept = {
            f.name: value[which]
            for f in fields(self)
            if isinstance(value := getattr(self, f.name), np.ndarray) and len(value) == len(self)
        }
        return replace(self, targets=tuple(self.targets[k] for k in which), **kept)

    def __repr__(self) -> str:
        names = list(dict.fromkeys(self.targets))
        told = [f"{self.metric} {self.scores.mean():.4g}"]
        for what, values in (("p", self.probabilities), ("p by the judge", self.judged), ("realism", self.realism)):
            if values is not None:
                told.append(f"{what} {values.mean():.3f}")
        return f"<{len(self)} portraits of {listing(names, 10)}: on average {', '.join(told)}>"

    def rows(self) -> list[dict[str, Any]]:
        """One a portrait: its target and all that was measured."""
        names = ("scores", "probabilities", "steady", "judged", "realism", "realism_of_inputs")
        known = {name: getattr(self, name) for name in names if getattr(self, name) is not None}
        return [
            {"target": name, **{what: float(values[k]) for what, values in known.items()}}
            for k, name in enumerate(self.targets)
        ]

    def to_dataframe(self) -> Any:
        """The rows as a pandas table."""
        import pandas as pd

        return pd.DataFrame(self.rows())

    @property
    def pixels(self) -> Array | None:
        """(portrait, row, column, red green blue), 0 to 255, from the least to the largest value of an input; None: no images."""
        return self.seen(self.pictures)

    def seen(self, pictures: Array) -> Array | None:
        """Any inputs as such pixels."""
        paper = self.paper
        if not paper.image:
            return None
        share = paper.planes((pictures - paper.low) / paper.span)
        colours = share[:, :3] if share.shape[1] >= 3 else np.repeat(share[:, :1], 3, 1)
        return np.asarray(np.moveaxis(np.clip(np.round(255 * colours), 0, 255).astype(np.uint8), 1, -1))

    def save(self, path: str | Path) -> Path:
        """Pictures and measures as one .npz, for `numpy.load`."""
        place = Path(path)
        if place.suffix != ".npz":
            raise BadValue(f"{path}: portraits are saved as .npz.")
        place.parent.mkdir(parents=True, exist_ok=True)
        told: dict[str, Any] = {name: np.array([row[name] for row in self.rows()]) for name in self.rows()[0]}
        np.savez_compressed(place, pictures=self.pictures, **told)
        return place
