"""The palette keeps the distances that were published for it, under four kinds of vision."""

import re
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from nissl.core import palette

VISIONS = {  # Machado, Oliveira and Fernandes 2009, severity 1, applied to linear light
    "normal": np.eye(3),
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "tritan": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
LMS = [[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566],
       [0.0883024619, 0.2817188376, 0.6299787005]]  # fmt: skip
LAB = [[0.2104542553, 0.7936177850, -0.0040720468], [1.9779984951, -2.4285922050, 0.4505937099],
       [0.0259040371, 0.7827717662, -0.8086757660]]  # fmt: skip


def linear(colour: str) -> np.ndarray:
    light = palette.rgb(colour)
    return np.where(light <= 0.04045, light / 12.92, ((light + 0.055) / 1.055) ** 2.4)


def oklab(colour: str, vision: str) -> np.ndarray:
    seen = np.clip(np.array(VISIONS[vision]) @ linear(colour), 0, 1)
    return np.array(LAB) @ np.cbrt(np.array(LMS) @ seen)


def least(colours: tuple[str, ...], vision: str) -> float:
    places = [oklab(colour, vision) for colour in colours]
    return 100 * min(float(np.linalg.norm(a - b)) for a, b in combinations(places, 2))


@pytest.mark.parametrize(
    ("vision", "published"), [("normal", 16.2), ("deutan", 13.0), ("protan", 13.2), ("tritan", 10.8)]
)
def test_stain10_keeps_its_least_distance(vision: str, published: float) -> None:
    assert least(palette.STAIN10, vision) == pytest.approx(published, abs=0.2)


def of_the_page(name: str) -> tuple[str, ...]:
    """A palette of the page, which is written in another language."""
    text = (Path(__file__).parents[2] / "web" / "src" / "lib" / "colour.ts").read_text()
    found = re.search(rf"export const {name} = \[(.*?)\]", text, re.DOTALL)
    assert found is not None
    return tuple(re.findall(r"#[0-9a-f]{6}", found[1]))


def test_the_page_has_the_same_dyes_on_paper() -> None:
    assert of_the_page("STAIN10") == palette.STAIN10


@pytest.mark.parametrize(
    ("vision", "least_apart"), [("normal", 16.2), ("deutan", 13.0), ("protan", 13.2), ("tritan", 10.8)]
)
def test_dyes_of_the_dark_lamp_are_as_far_apart(vision: str, least_apart: float) -> None:
    lifted = of_the_page("LIFTED")
    assert len(lifted) == len(palette.STAIN10)
    assert least(lifted, vision) >= least_apart


def test_dyes_of_the_dark_lamp_shine_on_black_and_keep_their_hues() -> None:
    dark, weights = "#0d1014", np.array([0.2126, 0.7152, 0.0722])
    for lifted, dye in zip(of_the_page("LIFTED"), palette.STAIN10, strict=True):
        contrast = (linear(lifted) @ weights + 0.05) / (linear(dark) @ weights + 0.05)
        assert contrast > 2.9
        here, there = (np.arctan2(*oklab(one, "normal")[:0:-1]) for one in (lifted, dye))
        assert abs(np.angle(np.exp(1j * (here - there)))) < np.radians(25)


@pytest.mark.parametrize("vision", VISIONS)
def test_two_sets_their_overlap_and_neither_are_told_apart(vision: str) -> None:
    neither = palette.hexadecimal(palette.absorb(palette.rgb(palette.PAPER), [0.34], (palette.COUNTERSTAIN,)))
    assert least((*palette.STAIN10[:2], palette.OVERLAP, neither, palette.INK), vision) > 13


def test_a_dye_at_depth_one_on_white_is_the_dye() -> None:
    for dye in palette.STAIN10:
        expected = np.maximum(palette.rgb(dye), 0.02)
        np.testing.assert_allclose(palette.absorb(np.ones(3), [1.0], (dye,)), expected)


def test_dyes_mix_by_multiplying_what_they_let_through() -> None:
    a, b = palette.STAIN10[:2]
    both = palette.absorb(np.ones(3), [0.7, 0.4], (a, b))
    one_by_one = palette.absorb(palette.absorb(np.ones(3), [0.7], (a,)), [0.4], (b,))
    np.testing.assert_allclose(both, one_by_one)


def test_ramps_begin_on_paper_and_darken_steadily() -> None:
    for name in ("ink", *palette.STAIN10):
        colours = palette.ramp(name, np.linspace(0, 1, 50))
        np.testing.assert_allclose(colours[0], palette.rgb(palette.PAPER), atol=1e-9)
        assert (np.diff(colours.sum(1)) < 0).all()


def test_no_change_is_paper() -> None:
    np.testing.assert_allclose(palette.ramp("change", 0.5), palette.rgb(palette.PAPER))
