"""`nissl.kinship`: which groups a layer treats alike, as a dendrogram."""

from typing import Any, Literal, get_args

import numpy as np

from nissl.core.kinship import By, Kinship, distances
from nissl.core.profiles import Profiles
from nissl.errors import BadValue

Links = Literal["average", "single", "complete"]
Of = Literal["mean", "contrast"]


def kinship(
    profiles: Profiles, layer: str, *, by: By = "correlation", links: Links = "average", of: Of = "contrast", full: bool = False
) -> Kinship:  # fmt: skip
    """The groups' profiles in a layer compared with each other, joined by average linkage, in the optimal order of leaves.

    `by`: "correlation", "cosine" or "euclidean". `of`: what is compared, contrasts with all groups, or means. `full`: by every
    position, and not by units.
    """
    from scipy.cluster.hierarchy import leaves_list, linkage, optimal_leaf_ordering
    from scipy.spatial.distance import squareform

    if links not in get_args(Links) or of not in get_args(Of):
        raise BadValue(f"links={links!r}, of={of!r}: {', '.join(get_args(Links))}; {' or '.join(get_args(Of))}.")
    found = _compared(profiles, layer, of, full=full)
    apart = distances(found, by)
    joins, order = np.zeros((0, 4)), np.arange(len(apart))
    if len(apart) > 1:
        flat = squareform(apart, checks=False)
        joins = optimal_leaf_ordering(linkage(flat, links), flat)
        order = leaves_list(joins)
    counts = tuple(int(n) for n in profiles.counts)
    return Kinship(layer, profiles.groups, counts, apart, by, joins, tuple(int(i) for i in order))


def _compared(profiles: Profiles, layer: str, of: Of, *, full: bool) -> Any:
    if of == "mean":
        return profiles.mean(layer, full=full).values
    return profiles.measure(layer, "contrast", full=full, against="all")["contrast"].values
