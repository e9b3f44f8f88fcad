"""What deleting each class's structure does to every class: one table."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.core.progress import Progress
from nissl.core.progress import progress as shown
from nissl.core.question import again
from nissl.core.structures import Structures
from nissl.core.trial import Trial
from nissl.errors import MissingData, Unsupported

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Deletions:
    """The accuracy of each class while the structure of another, or its own, is deleted."""

    deleted: tuple[str, ...]
    classes: tuple[str, ...]
    intact: Array
    """(class,) before."""
    accuracy: Array
    """(deleted, class)."""
    units: tuple[int, ...]
    """How many units each deletion took, of `total`."""
    total: int
    held_out: bool
    """Measured on examples that the structures were not found with."""

    @property
    def target(self) -> float:
        """What is left of a class's accuracy on average when its own structure is deleted."""
        return float(np.nanmean([self.accuracy[i, self.classes.index(name)] for i, name in enumerate(self.deleted)]))

    @property
    def others(self) -> float:
        """What is left of all others' on average."""
        mask = np.array([[name != other for other in self.classes] for name in self.deleted])
        return float(np.nanmean(self.accuracy[mask]))


def deletions(structures: Structures, data: Any = None, *, progress: Progress = False) -> Deletions:
    """Delete one structure after the other, and judge every class; `data`: held-out examples with labels."""
    first = next(iter(structures.values()))
    if first.network is None or first.case is None:
        raise MissingData("These structures have no model: find them with nissl.structures(model, data).")
    case = first.case if data is None else again(first.case, data)
    groups = case.pool.groups
    if groups is None:
        raise Unsupported("Deletions are judged by classes, and these data have none.")
    trial, names = Trial(case), case.targets

    def by_class(right: Array) -> Array:
        return np.array([right[groups == k].mean() if (groups == k).any() else np.nan for k in range(len(names))])

    found = []
    with shown("deletions", progress) as tick:
        for place, structure in enumerate(structures.values()):
            tick(place / len(structures))
            found.append(by_class(trial.run(structure.delete()).right))
    return Deletions(
        tuple(structures), names, by_class(trial.intact.right), np.stack(found), tuple(map(len, structures.values())),
        sum(first.every().values()), data is not None,
    )  # fmt: skip
