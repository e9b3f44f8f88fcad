"""The search for a recipe: what it tries, what it goes by, and what it leaves alone."""

import numpy as np
import pytest
import torch
from torch import nn

import nissl

QUIET = {"progress": False}


def classes(count=120, side=8):
    """Bars, lying or standing, with noise: the class is which."""
    draw = np.random.default_rng(0)
    y = np.arange(count) % 2
    x = 0.1 * draw.normal(size=(count, 1, side, side))
    for k, place in enumerate(draw.integers(1, side - 1, count)):
        (x[k, 0] if y[k] else x[k, 0].T)[place] += 1
    return x.astype(np.float32), y


@pytest.fixture(scope="module")
def net():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 6, 3), nn.ReLU(), nn.Flatten(), nn.Linear(6 * 36, 2))
    x, y = (torch.from_numpy(part) for part in classes())
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    for _ in range(60):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()
    return model


@pytest.fixture(scope="module")
def found(net):
    return nissl.portrait(net, data=classes(), search=9, steps=32, **QUIET)


def test_many_are_tried_briefly_and_the_best_in_full(found):
    tried = found.tried
    assert len(tried) == 9
    assert [one.steps for one in tried].count(32) == 2
    assert [one.steps for one in tried].count(16) == 1
    assert [one.steps for one in tried].count(8) == 6
    full = [one for one in tried if one.steps == 32]
    assert full[0].merit == max(one.merit for one in full)
    assert len({str(one.options) for one in tried}) == 9
    assert {one.options["canvas"] for one in tried} <= {"principal", "fourier", "pixels"}


def test_the_best_recipe_is_the_one_that_draws(found, net):
    best = dict(found.tried[0].options)
    assert {name: found.recipe[name] for name in best} == best
    again = nissl.portrait(net, data=classes(), steps=32, **best, **QUIET)
    assert again.pictures.tobytes() == found.pictures.tobytes()
    assert found.tried[0].realism == pytest.approx(np.minimum(found.realism, found.realism_of_inputs).mean())
    assert found.tried[0].probability == pytest.approx(found.steady.mean())


def test_merit_is_reaching_the_class_by_a_usual_picture(found):
    usual = np.minimum(1, 2 * np.minimum(found.realism, found.realism_of_inputs))
    assert found.tried[0].merit == pytest.approx(np.sqrt(found.steady * usual).mean())
    worst = min(found.tried, key=lambda one: one.merit)
    assert found.tried[0].merit > worst.merit


def test_what_the_user_said_stays(net):
    found = nissl.portrait(net, shape=(1, 8, 8), search=5, steps=8, canvas="fourier", turn=3.0, decay=0.5, **QUIET)
    assert all(one.options["turn"] == 3 and one.options["decay"] == 0.5 for one in found.tried)
    assert all(one.options["canvas"] == "fourier" and one.realism is None for one in found.tried)
    assert found.recipe["turn"] == 3


def test_units_and_tables_are_searched_too(net):
    units = nissl.portrait(net, [0, 1], of="0", data=classes(), search=3, steps=8, **QUIET)
    assert all(one.probability is None and 0 <= one.merit <= 1 for one in units.tried)
    torch.manual_seed(0)
    table = nissl.portrait(nn.Linear(4, 3), shape=4, search=3, steps=8, **QUIET)
    assert "shift" not in table.tried[0].options or table.recipe["shift"] == 0
    assert len(table.tried) == 3
