"""What diffusion is made of, beside the same reckoned by hand; the parts are small enough to be told from outside."""

import numpy as np
import pytest

from nissl.layouts._diffusion.kernel import DECAY, HELD, LEAST, OWN, multislice
from nissl.layouts._diffusion.potential import potentials
from nissl.layouts._diffusion.scaling import scaled
from nissl.layouts.diffusion import Diffusion


def by_hand(x, neighbours):
    epochs, units, _ = x.shape
    far = np.linalg.norm(x.reshape(-1, x.shape[2])[:, None] - x.reshape(-1, x.shape[2])[None], axis=-1)
    found = np.zeros((epochs * units,) * 2)
    drift = np.mean(
        [np.sort(far[t * units + i, i::units])[min(OWN, epochs - 1)] for t in range(epochs) for i in range(units)]
    )
    for a in range(epochs * units):
        for b in range(epochs * units):
            (s, i), (t, j) = divmod(a, units), divmod(b, units)
            if s == t:
                wide = [np.sort(far[k, s * units : (s + 1) * units])[neighbours] for k in (a, b)]
                found[a, b] = np.mean([np.exp(-((far[a, b] / w) ** DECAY)) for w in wide])
            elif i == j:
                tie = np.exp(-((far[a, b] / drift) ** 2))
                found[a, b] = max(tie, HELD) if abs(s - t) == 1 else tie
    return np.where(found > LEAST, found, 0)


@pytest.mark.parametrize("epochs", [1, 2, 5, 13])
def test_the_kernel_is_that_of_its_definition(epochs):
    x = np.random.default_rng(0).normal(size=(1, 9, 3)) + np.random.default_rng(1).normal(size=(epochs, 9, 3)).cumsum(0)
    np.testing.assert_allclose(multislice(x, 3).toarray(), by_hand(x, 3), atol=2e-6)


def test_steps_are_powers_of_the_matrix():
    kernel = multislice(np.random.default_rng(0).normal(size=(4, 10, 3)).cumsum(0), 2)
    step = kernel.toarray().astype(float)
    step /= step.sum(1, keepdims=True)
    wanted = -np.log(np.linalg.matrix_power(step, 7) + 1e-7)
    np.testing.assert_allclose(potentials(kernel, np.arange(40), 7), wanted, rtol=1e-3)


def test_distances_of_a_plane_are_laid_out_as_they_are():
    points = np.random.default_rng(0).normal(size=(300, 2)) * [3, 1]
    found = scaled(np.pad(points, ((0, 0), (0, 4))), np.arange(0, 300, 3), 2)
    wanted = points - points.mean(0)
    left, _, right = np.linalg.svd(found.T @ wanted)
    np.testing.assert_allclose((found - found.mean(0)) @ (left @ right), wanted, atol=0.02)


def test_landmarks_stand_for_all():
    """With a sixth of the points as landmarks the picture is much the same."""
    rng = np.random.default_rng(0)
    way = rng.normal(size=(4, 6))
    x = np.repeat(way, 10, 0) * np.linspace(0, 1, 15)[:, None, None] + 0.2 * rng.normal(size=(1, 40, 6))
    exact, few = (Diffusion(landmarks=many).paths(x, 2, 0).reshape(-1, 2) for many in (600, 100))
    apart = [np.linalg.norm(p[:, None] - p[None], axis=-1).ravel() for p in (exact, few)]
    assert np.corrcoef(*apart)[0, 1] > 0.9
