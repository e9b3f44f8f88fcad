"""What evenness is made of, beside scipy's own that take longer to import; and what a small map imports."""

import subprocess
import sys

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, uniform_filter

from nissl.layouts._even.weighing import gaussian, uniform

SHAPES = [(1, 1), (2, 7), (9, 4), (30, 31)]


@pytest.mark.parametrize("shape", SHAPES)
def test_means_are_scipys(shape):
    table = np.random.default_rng(0).normal(size=(*shape, 3))
    for size in (1, 3, 5, 9):
        np.testing.assert_allclose(
            uniform(table, size), uniform_filter(table, size, mode="reflect", axes=(0, 1)), atol=1e-12
        )
    for width in ((0.4, 0.4), (1.0, 1.7), (3.3, 2.0)):
        wanted = gaussian_filter(table, (*width, 0), mode="constant", truncate=3)
        np.testing.assert_allclose(gaussian(table, np.array(width)), wanted, atol=1e-12)


def test_a_map_waits_for_no_large_import():
    said = "import sys, numpy as np, nissl; nissl.topomap(np.random.default_rng(0).random((30, 5)))\n"
    said += "print([n for n in ('scipy.ndimage', 'sklearn', 'pandas', 'matplotlib') if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
