"""What units say for the classes that a target is compared with: that is what deleting them puts in their place."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from nissl.core.finder import Array, Case


@dataclass(frozen=True, eq=False)
class Elsewhere:
    """Each unit's mean by class, and how much each class counts."""

    means: Mapping[str, Array]
    """By layer (class, unit, part)."""
    shares: Array
    """(class,), adding up to 1."""

    def mixed(self, shares: Array | None = None) -> dict[str, Array]:
        """What the classes say together, (unit, part); `shares`: other ones than their own."""
        return {name: np.tensordot(self.shares if shares is None else shares, by, 1) for name, by in self.means.items()}


def elsewhere(case: Case, target: int) -> Elsewhere | None:
    """For a class that of all others, for a pair that of the second; None where there is nothing to compare with."""
    groups, mine = case.pool.groups, np.flatnonzero(case.which == target)
    if groups is None or not len(mine) or (groups[mine] != groups[mine[0]]).any():
        return None
    own, wanted = groups[mine[0]], case.opposite[mine[0]]
    compared = groups == wanted if wanted >= 0 else (groups != own) & (groups >= 0)
    classes, counts = np.unique(groups[compared], return_counts=True)
    if not len(classes):
        return None
    said = [case.class_means[k] for k in classes.tolist()]
    return Elsewhere({name: np.stack([one[name] for one in said]) for name in case.names}, counts / counts.sum())
