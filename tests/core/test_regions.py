"""What would be answered between the samples."""

import numpy as np
import pytest

import nissl
from tests.core.clusters import clusters


def halves(layer="0"):
    """A network that says on which side of x = 0 an input is, in the plane, and what it says of samples."""
    torch = pytest.importorskip("torch")
    net = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Linear(2, 2))
    with torch.no_grad():
        for part, weight in zip(net, (torch.eye(2), torch.tensor([[-1.0, 0.0], [1.0, 0.0]])), strict=True):
            part.weight.copy_(weight)
            part.bias.zero_()
    x = np.random.default_rng(0).uniform(-1, 1, (400, 2)).astype(np.float32)
    return net, x, nissl.projection(net, (x, (x[:, 0] > 0).astype(np.int64)), layer, by="pca")


def test_regions_are_what_the_network_answers_there():
    _, x, found = halves()
    regions = found.regions(across=60)
    assert regions.by == "the network" and regions.agreement > 0.98
    rows, columns = regions.predicted.shape
    places = regions.low + regions.cell * np.stack(np.meshgrid(np.arange(columns) + 0.5, np.arange(rows) + 0.5), -1)
    fit, *_ = np.linalg.lstsq(
        np.c_[found.positions, np.ones(len(x))], x[:, 0], rcond=None
    )  # the picture is a turned plane
    side = np.c_[places.reshape(-1, 2), np.ones(rows * columns)] @ fit
    inside, clear = regions.trust.ravel() > 0.9, np.abs(side) > 0.1
    np.testing.assert_array_equal(regions.predicted.ravel()[inside & clear], (side > 0)[inside & clear])


def test_a_layer_that_is_not_all_there_is_interpolates_outputs():
    torch = pytest.importorskip("torch")

    class Beside(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.idle, self.last = torch.nn.Linear(2, 2), torch.nn.Linear(2, 2)

        def forward(self, x):
            return self.last(x) + 0 * self.idle(x)

    torch.manual_seed(0)
    x = np.random.default_rng(0).normal(size=(200, 2)).astype(np.float32)
    found = nissl.projection(Beside(), (x, np.zeros(200, np.int64)), "idle", by="pca").regions(across=40)
    assert found.by == "outputs" and found.agreement > 0.9


def test_far_from_samples_nothing_is_to_be_trusted():
    _, _, found = halves()
    box = (found.positions.min(0) - 20, 60.0)
    regions = found.regions(across=50, box=box)
    assert regions.predicted.shape == (50, 50)
    assert (regions.trust == 0).mean() > 0.8
    assert found.regions(across=30).trust.mean() > 0.6


def test_where_neighbours_are_none_in_truth_nothing_is_to_be_trusted():
    x = np.random.default_rng(0).normal(size=(300, 40))
    torn = nissl.projection(x, by="pca")  # 2 of 40 directions that are all alike
    vars(torn.frames[0].moment)["predicted"] = (x[:, 0] > 0).astype(int)
    _, _, plane = halves()
    assert torn.regions().trust.mean() < 0.7 * plane.regions().trust.mean()


def test_without_answers_there_are_none():
    x, y = clusters(40)
    assert nissl.projection(x, labels=y, by="pca").regions() is None
