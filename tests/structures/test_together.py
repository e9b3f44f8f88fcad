"""Members chosen by what deleting them together does, and what is put in their place."""

import numpy as np
import pytest
import torch
from torch import nn

import nissl
from nissl.core.deletions import deletions
from nissl.core.elsewhere import elsewhere
from tests.structures.corners import QUIET, accuracy


@pytest.fixture(scope="module")
def excluding():
    """Three classes, of which the last is what the network says unless a unit speaks for another: it has a bias for it."""
    model = nn.Sequential(nn.Linear(3, 6), nn.ReLU(), nn.Linear(6, 3))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
        model[0].weight[:3] = torch.eye(3)
        model[2].weight[:, :3] = torch.diag(torch.tensor([4.0, 4.6, 1.0]))
        model[2].bias[2] = 2.5
    y = torch.arange(90) % 3
    x = (
        nn.functional.one_hot(y, 3).float()
        + 0.02 * torch.randn(90, 3, generator=torch.Generator().manual_seed(0)).abs()
    )
    return model, x, y


def test_a_class_recognised_by_exclusion_goes_when_others_are_put_in_its_place(excluding):
    model, x, y = excluding
    assert accuracy(model, x, y) == 1
    with pytest.warns(nissl.errors.NisslWarning, match="2: not even 3 of 6 units, deleted, reach"):
        alone = nissl.structure(model, (x, y), 2, rank="contrast", size="target<=0.05", **QUIET)
    together = nissl.structure(model, (x, y), 2, size="target<=0.05", **QUIET)
    assert together.recipe["rank"] == "together" and together.recipe["reached"] and not alone.recipe["reached"]
    with together.delete():
        assert accuracy(model, x[y == 2], y[y == 2]) <= 0.05 and accuracy(model, x[y != 2], y[y != 2]) == 1
    with together.delete(to="mean"):
        assert accuracy(model, x[y == 2], y[y == 2]) == 1
    assert "to mean" in str(together.verify((x, y), controls=False, **QUIET))
    smaller, told = together.delete().commit(shrink=True)
    assert told.difference < 1e-5 and accuracy(smaller, x[y == 2], y[y == 2]) <= 0.05


def test_what_is_learned_together_harms_others_less_than_scores_one_by_one(learnt):
    model, x, y = learnt
    found, again, alone = (
        nissl.structures(model, (x, y), size=0.3, **rank, **QUIET) for rank in ({}, {}, {"rank": "contrast"})
    )
    table, before = deletions(found), deletions(alone)
    assert table.others - table.target > before.others - before.target + 0.02
    for one, same in zip(found.values(), again.values(), strict=True):
        assert one.members == same.members and one.instead == {}
        assert len(one) == len(alone[one.target])
        assert all(one.scores[name][unit] > 0 for name, which in one.members.items() for unit in which)


def test_naive_methods_are_not_helped(learnt):
    model, x, y = learnt
    for by, rank in (("selectivity", "contrast"), ("random", "contrast"), ("attribution_patching", "together")):
        found = nissl.structure(model, (x, y), 1, by=by, size=5, **QUIET)
        assert found.recipe["rank"] == rank
        foremost = np.sort(np.concatenate(list(found.ranking.values())))[-5:]
        taken = [found.ranking[name][unit] for name, which in found.members.items() for unit in which]
        assert (np.sort(taken) == foremost).all()
    with pytest.raises(nissl.errors.BadValue, match="one of together, contrast"):
        nissl.structures(model, (x, y), rank="jointly", **QUIET)


def test_where_a_class_must_go_it_is_deleted_to_what_others_say_and_else_to_the_mean(learnt):
    model, x, y = learnt
    one = nissl.structure(model, (x, y), 1, rank="contrast", size="target<=0.5", **QUIET)
    pair = nissl.structure(model, (x, y), (1, 2), rank="contrast", size="target<=0.5", **QUIET)
    of_size = nissl.structure(model, (x, y), 1, size=5, **QUIET)
    spread = nissl.structure(model, (x, y), "label", size=5, **QUIET)
    with torch.no_grad():
        said = torch.relu(model[0](x))
    for found, which in ((one, y != 1), (pair, y == 2)):
        assert np.allclose(found.instead["0"][:, 0], said[which].mean(0), atol=1e-6)
        units = [3, 11, 20]
        with found.having({"0": units}).delete():
            heard = found.network.probe(x.numpy(), ["0"])["0"]
        assert np.allclose(heard[:, units], found.instead["0"][units, 0], atol=1e-6)
    assert spread.instead == of_size.instead == {} and elsewhere(spread.case, 0) is None
    assert np.allclose(one.means["0"][:, 0], said.mean(0), atol=1e-6)


def test_what_stands_in_place_is_saved_and_joined(learnt, tmp_path):
    model, x, y = learnt
    family = nissl.structures(model, (x, y), classes=["sw", "nw", "se", "ne"], size="target<=0.2", **QUIET)
    one, two = family["sw"], family["nw"]
    loaded = nissl.Structure.load(one.save(tmp_path / "one.json"), model)
    with one.delete(), torch.no_grad():
        cut = model(x)
    with loaded.delete(), torch.no_grad():
        assert torch.equal(cut, model(x))
    with (one | two).delete(), torch.no_grad():
        cut = model(x)
    with (two | one).delete(), torch.no_grad():
        assert torch.equal(cut, model(x))
    apart = one - two
    layer, which = next(iter(apart.members.items()))
    assert (apart.instead[layer][list(which)] == one.instead[layer][list(which)]).all()
    assert family.backbone.instead == {}
