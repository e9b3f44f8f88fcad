"""Colours of the brightfield: dyes that absorb light on warm paper, measured safe under four kinds of vision."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

PAPER = "#fbfaf7"
INK = "#1d2228"
MUTED = "#5a5f66"
FAINT = "#d8d5cc"

STAIN10 = (
    "#0084a8", "#d8780c", "#6c309c", "#60b49c", "#cc3060", "#1800fc", "#d8c000", "#902400", "#c06cfc", "#b4b4fc"
)  # fmt: skip
"""In order of assignment; the least OKLab distance of any two is 10.8 (x100) under the worst of four kinds of vision."""
OVERLAP = STAIN10[2]
"""What two sets have in common, where the sets themselves have the first two dyes."""
COUNTERSTAIN = "#6f6f78"

RAMPS = {
    "ink": (PAPER, "#c9c8c6", "#85878b", INK),
    "change": ("#00707e", "#7fb3b8", PAPER, "#dfa58f", "#b8431a"),
}
"""Magnitude without a class, and change around zero (paper in the middle)."""

Floats = NDArray[np.float64]


def rgb(colour: str) -> Floats:
    """Red, green and blue, 0 to 1, of #rrggbb."""
    return np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)], float) / 255


def hexadecimal(light: Any) -> str:
    """#rrggbb of red, green and blue."""
    return "#" + "".join(f"{round(float(v) * 255):02x}" for v in np.clip(light, 0, 1))


def absorb(light: Any, depths: Any, dyes: Sequence[str]) -> Floats:
    """What is left of the light behind dyes at these depths (..., dye), by Beer and Lambert; depth 1 on white is the dye itself."""
    clear = -np.log(np.maximum(np.array([rgb(dye) for dye in dyes]).reshape(-1, 3), 0.02))
    left: Floats = np.asarray(light, float) * np.exp(-np.asarray(depths, float) @ clear)
    return left


def ramp(name: str, shares: Any) -> Floats:
    """Colours (..., 3) at these shares, 0 to 1, of a ramp of RAMPS, or from paper to a dye given as #rrggbb."""
    shares = np.clip(np.nan_to_num(np.asarray(shares, float)), 0, 1)
    if name not in RAMPS:
        return absorb(rgb(PAPER), shares[..., None], (name,))
    stops = np.array([rgb(colour) for colour in RAMPS[name]])
    along = np.linspace(0, 1, len(stops))
    return np.stack([np.interp(shares, along, stops[:, i]) for i in range(3)], -1)
