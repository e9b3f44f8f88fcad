"""Where on a way slopes are taken, and how much each counts."""

import numpy as np

from nissl.errors import BadValue


def nodes(steps: int) -> list[tuple[float, float]]:
    """(share of the way, weight) by Gauss and Legendre, the weights adding up to 1."""
    if steps < 1:
        raise BadValue(f"steps={steps}: at how many points of the way slopes are taken, from 1.")
    places, weights = np.polynomial.legendre.leggauss(steps)
    return [((float(place) + 1) / 2, float(weight) / 2) for place, weight in zip(places, weights, strict=True)]
