"""Whatever a network gives and whoever asks: a structure comes out that can be cut, or a sentence that says why not."""

import warnings
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

import nissl
from nissl.core.choosing import fewest
from nissl.core.structure import Structure
from nissl.core.trial import Trial
from nissl.errors import BadValue, DamagedData, MissingData, NisslWarning, UnknownName
from nissl.models.resnet20 import Resnet20
from nissl.models.simple_net import SimpleNet
from nissl.models.transformer import Transformer

QUIET = {"progress": False}


def mlp(*sizes):
    torch.manual_seed(1)
    parts = [part for a, b in pairwise(sizes) for part in (nn.Linear(a, b), nn.ReLU())]
    return nn.Sequential(*parts[:-1])


@pytest.fixture(scope="module")
def learnt():
    """A network that has learnt to tell four corners of a plane, and examples: nearly always right."""
    torch.manual_seed(0)
    x = torch.rand(160, 2) * 2 - 1
    y = (x[:, 0] > 0) * 2 + (x[:, 1] > 0) * 1
    model = mlp(2, 24, 16, 4)
    optimiser = torch.optim.Adam(model.parameters(), 0.02)
    for _ in range(150):
        optimiser.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        optimiser.step()
    return model, x, y


@pytest.fixture(scope="module")
def family(learnt):
    model, x, y = learnt
    return nissl.structures(model, (x, y), classes=["sw", "nw", "se", "ne"], size=0.25, **QUIET)


def accuracy(model, x, y):
    with torch.no_grad():
        return (model(x).argmax(1) == y).float().mean().item()


# what is asked


def test_a_class_by_name_or_number_is_one_of_the_family(learnt, family):
    model, x, y = learnt
    for target in ("se", 2):
        alone = nissl.structure(model, (x, y), target, classes=["sw", "nw", "se", "ne"], size=0.25, **QUIET)
        assert alone.target == "se"
        assert alone.members == family["se"].members
        for name, scores in alone.scores.items():
            np.testing.assert_array_equal(scores, family[2].scores[name])
    with pytest.raises(UnknownName, match="ne"):
        nissl.structure(model, (x, y), "north", classes=["sw", "nw", "se", "ne"], **QUIET)
    with pytest.raises(BadValue, match="target is missing"):
        nissl.structure(model, (x, y), **QUIET)


def test_cutting_a_structure_takes_its_class_and_no_others(learnt, family):
    model, x, y = learnt
    assert accuracy(model, x, y) > 0.9
    for number, found in enumerate(family.values()):
        mine = y == number
        with found.delete():
            own, others = accuracy(model, x[mine], y[mine]), accuracy(model, x[~mine], y[~mine])
        assert own < 0.5, found
        assert others > 0.7, found
    assert accuracy(model, x, y) > 0.9


def test_a_pair_asks_why_the_first_and_not_the_second(learnt):
    model, x, y = learnt
    found = nissl.structure(model, (x, y), (0, 3), by="integrated_gradients", baseline="counterfactual", **QUIET)
    assert found.target == "0 and not 3"
    case = found.case
    other = case.counterfactuals(0)
    assert (y.numpy()[other[y.numpy() == 0]] == 3).all()
    with torch.no_grad():
        margin = model(x)[:, 0] - model(x)[:, 3]
    mine = y == 0
    wanted = (margin[mine] - margin[other[mine.numpy()]]).mean().item()
    assert found.scores["2"].sum() == pytest.approx(wanted, rel=1e-3)
    with pytest.raises(BadValue, match="two different"):
        nissl.structure(model, (x, y), (1, 1), **QUIET)


def test_a_function_of_the_outputs(learnt):
    model, x, _ = learnt

    def spread(outputs):
        return outputs.max(1) - outputs.min(1)

    found = nissl.structure(model, x, spread, by="exact_ablation", **QUIET)
    assert found.target == "spread"
    (unit, *_), gone = found, None
    with found.having({unit.layer: [unit.unit]}).delete(), torch.no_grad():
        gone = spread(model(x).numpy()).mean()
    with torch.no_grad():
        assert unit.score == pytest.approx(spread(model(x).numpy()).mean() - gone, rel=1e-4)
    with pytest.raises(BadValue, match="one number an example"):
        nissl.structure(model, x, lambda outputs: outputs.sum(), **QUIET)


def test_regression_asks_for_an_output(learnt):
    _, x, _ = learnt
    model = mlp(2, 8, 2)
    y = torch.stack([x.sum(1), x.prod(1)], 1)
    found = nissl.structure(model, (x, y), 1, by="attribution_patching", baseline="mean", **QUIET)
    assert found.target == "output 1"
    with pytest.raises(BadValue, match="0 to 1"):
        nissl.structure(model, (x, y), "y", **QUIET)
    single = nissl.structures(mlp(2, 8, 1), (x, y[:, :1]), by="attribution_patching", **QUIET)
    assert list(single) == ["output 0"]


@pytest.mark.parametrize("squashed", [False, True])
def test_one_output_is_class_1_against_class_0(squashed, learnt):
    _, x, _ = learnt
    model = mlp(2, 8, 1)
    y = (x.sum(1) > 0).long()
    with torch.no_grad():
        model[2].weight.mul_(5)
        logit = model(x)[:, 0]
    whole = nn.Sequential(*model, nn.Sigmoid()) if squashed else model
    found = nissl.structures(whole, (x, y), by="integrated_gradients", baseline="zero", steps=20, rank="score", **QUIET)
    assert list(found) == ["0", "1"]
    with torch.no_grad():
        rest = model[2].bias.item()
    for number, sign in enumerate((-1, 1)):
        wanted = sign * (logit[y == number] - rest).mean().item()
        assert found[number].scores["0"].sum() == pytest.approx(wanted, abs=1e-3)


def test_single_logits_are_not_taken_for_probabilities_when_what_is_left_is_small():
    model = nn.Sequential(nn.Linear(1, 2), nn.ReLU(), nn.Linear(2, 1))
    with torch.no_grad():
        for layer, weight, bias in ((model[0], [[1.0], [-1.0]], [0.0, 0.0]), (model[2], [[4.0, -4.0]], [0.3])):
            layer.weight.copy_(torch.tensor(weight))
            layer.bias.copy_(torch.tensor(bias))
    x = torch.linspace(-1, 1, 20)[:, None]
    found = nissl.structure(model, (x, (x[:, 0] > 0).long()), 1, by="exact_ablation", size=1.0, **QUIET)
    gone = Trial(found.case).run(found.delete(to="zero"))  # leaves 0.3, which speaks for class 1
    assert np.nanmean(gone.right) == 0.5
    assert gone.right[-1] == 1


def test_probabilities_are_taken_for_what_they_are(learnt, family):
    model, x, y = learnt
    whole = nn.Sequential(*model, nn.Softmax(1))
    for by in ("attribution_patching", "exact_ablation"):
        before = nissl.structures(model, (x, y), by=by, baseline="mean", **QUIET)
        after = nissl.structures(whole, (x, y), by=by, baseline="mean", layers=["0", "2"], **QUIET)
        for target in before:
            for name in ("0", "2"):
                np.testing.assert_allclose(
                    after[target].scores[name], before[target].scores[name], rtol=0.02, atol=0.02
                )


def test_tokens_and_heads():
    model = Transformer((6,), 8, layers=1, width=16, heads=4, every=True).build()
    tokens = torch.randint(8, (24, 6))
    found = nissl.structures(model, (tokens, torch.roll(tokens, -1, 1)), classes=8, by="secant", pairs=1, **QUIET)
    assert set(found[0].scores) == {"blocks.0.attention", "blocks.0.up"}
    assert len(found[0].scores["blocks.0.attention"]) == 4
    before = model(tokens)
    one = next(iter(found.values()))
    with one.keep(), torch.no_grad():
        assert not torch.allclose(model(tokens), before)
    assert torch.equal(model(tokens), before)


@pytest.mark.parametrize("plan", [Resnet20((3, 8, 8), 3), SimpleNet((3, 32, 32), 3)], ids=["resnet", "simple"])
def test_convolutions(plan):
    torch.manual_seed(0)
    model = plan.build().eval()
    x, y = torch.randn(9, *plan.shape), torch.arange(9) % 3
    found = nissl.structure(model, (x, y), 1, by="attribution_patching", baseline="mean", size=0.05, **QUIET)
    assert 0 < len(found) == round(0.05 * sum(found.every().values()))
    with torch.no_grad():
        before = model(x)
        with found.delete():
            assert (model(x) - before).abs().max() > 0
        assert torch.equal(model(x), before)


# how many


def test_sizes(learnt):
    model, x, y = learnt
    total = 40
    for size, count in ((0.1, 4), (7, 7), (1.0, total), (1, 1)):
        assert len(nissl.structure(model, (x, y), 1, size=size, **QUIET)) == count
    for size in (0, -1, 1.5, True, "faithful", "faithful<=0.5", "target>=0.1", "target<=2"):
        with pytest.raises(BadValue, match="size"):
            nissl.structure(model, (x, y), 1, size=size, **QUIET)


def test_as_many_as_are_faithful_or_as_take_the_class(learnt):
    model, x, y = learnt
    mine = y == 1
    rest = {"rank": "score", "by": "integrated_gradients", "baseline": "mean"}
    found = nissl.structure(model, (x, y), 1, size="faithful>=0.9", **rest, **QUIET)

    def odds():
        with torch.no_grad():
            out = model(x[mine])
        return (out[:, 1] - torch.logsumexp(out[:, [0, 2, 3]], 1)).mean().item()

    def share(structure):
        full = odds()
        with structure.keep():
            kept = odds()
        with structure.having({}).keep():
            nothing = odds()
        return (kept - nothing) / (full - nothing)

    assert found.recipe["reached"] is True
    assert share(found) >= 0.9 > share(nissl.structure(model, (x, y), 1, size=len(found) - 1, **rest, **QUIET))
    found = nissl.structure(model, (x, y), 1, size="target<=0.1", **QUIET)
    with found.delete():
        assert accuracy(model, x[mine], y[mine]) <= 0.1
    with nissl.structure(model, (x, y), 1, size=len(found) - 1, **QUIET).delete():
        assert accuracy(model, x[mine], y[mine]) > 0.1


def test_a_goal_that_can_not_be_reached_warns(learnt):
    model, x, y = learnt
    wide = nn.Sequential(*model[:-1], nn.Linear(16, 4))
    with torch.no_grad():
        wide[-1].weight.zero_()
        wide[-1].bias.copy_(torch.tensor([0.0, 5.0, 0.0, 0.0]))  # always class 1, whatever is cut
    with pytest.warns(NisslWarning, match="not even 20 of 40 units"):
        found = nissl.structure(wide, (x, y), 1, by="attribution_patching", size="target<=0.5", **QUIET)
    assert found.recipe["reached"] is False


@pytest.mark.parametrize("least", [1, 2, 7, 19, 20])
def test_the_fewest_are_found(least):
    asked = []

    def reached(count):
        asked.append(count)
        return count >= least

    assert fewest(reached, 20) == least
    assert len(asked) < 20
    assert fewest(lambda count: False, 20) is None


# values


def test_sets(family):
    first, second = family[0], family[1]
    units = [{(unit.layer, unit.unit) for unit in one} for one in (first, second)]
    assert {(u.layer, u.unit) for u in first | second} == units[0] | units[1]
    assert {(u.layer, u.unit) for u in first & second} == units[0] & units[1]
    assert {(u.layer, u.unit) for u in first - second} == units[0] - units[1]
    assert (first | second).target == "(sw | nw)"
    assert len(first | second) == len(first) + len(second) - len(first & second)
    place = next(iter(first))
    assert (place.layer, place.unit) in first and ("0", 999) not in first
    assert first.share() == pytest.approx(0.25)
    assert [first.ranking[u.layer][u.unit] for u in first] == sorted(
        (first.ranking[u.layer][u.unit] for u in first), reverse=True
    )
    other = nissl.structure(mlp(2, 24, 16, 4), (torch.rand(40, 2), torch.arange(40) % 4), 1, **QUIET)
    with pytest.raises(BadValue, match="different models"):
        first | other
    with pytest.raises(TypeError):
        first | 3


def test_intervals_hold_the_score(family):
    for found in family.values():
        for name, scores in found.scores.items():
            assert (found.lows[name] <= scores + 1e-9).all() and (scores <= found.highs[name] + 1e-9).all()
            assert (found.lows[name] < found.highs[name]).any()


def test_owners_backbone_and_specificity(family):
    tables = {name: np.stack([one.scores[name] for one in family.values()]) for name in family[0].scores}
    for name, table in tables.items():
        owners = family.owners()[name]
        assert (owners == np.where(table.max(0) > 0, table.argmax(0), -1)).all()
        special = family.specificity()[name]
        assert ((special >= 0) & (special <= 1 + 1e-9)).all()
        alone = (table > 0).sum(0) == 1
        np.testing.assert_allclose(special[alone], 1)
    votes = {place: 0 for one in family.values() for place in ((u.layer, u.unit) for u in one)}
    for one in family.values():
        for unit in one:
            votes[unit.layer, unit.unit] += 1
    assert {(u.layer, u.unit) for u in family.backbone} == {place for place, count in votes.items() if count > 2}
    assert family[0].backbone.members == family.backbone.members
    with pytest.raises(UnknownName, match="nw"):
        family["nv"]


def test_what_only_describes_says_so(learnt):
    model, x, y = learnt
    for by, causal in (("contrast", False), ("random", False), ("secant", True), ("learned_mask", True)):
        options = {"steps": 2} if by == "learned_mask" else {}
        found = nissl.structure(model, (x, y), 1, by=by, **options, **QUIET)
        assert found.causal is causal
        assert ("annotation" in repr(found)) is not causal


def test_a_table(family):
    table = family["ne"].to_dataframe()
    assert table.index.names == ["layer", "unit"]
    assert len(table) == 40 and table.member.sum() == len(family["ne"])
    for unit in family["ne"]:
        assert table.loc[(unit.layer, unit.unit), "score"] == unit.score


def test_saved_and_read_back(learnt, family, tmp_path):
    model, x, _ = learnt
    found = family["ne"]
    file = found.save(tmp_path / "deep" / "ne.json")
    back = Structure.load(file, model)
    assert back.members == found.members and back.target == "ne" and back.recipe["by"] == found.recipe["by"]
    for name, scores in found.scores.items():
        np.testing.assert_array_equal(back.scores[name], scores)
    outputs = []
    for one in (found, back):
        with one.delete(), torch.no_grad():
            outputs.append(model(x))
    assert torch.equal(*outputs)
    with pytest.raises(MissingData, match="not saved"):
        _ = back.edges
    with pytest.raises(MissingData, match="no model"):
        Structure.load(file).delete()
    with pytest.raises(BadValue, match="other layers or weights"):
        Structure.load(file, mlp(2, 24, 16, 4))
    file.write_text("{}")
    with pytest.raises(DamagedData, match="no structure"):
        Structure.load(file, model)


def test_the_same_seed_is_the_same_structure(learnt, tmp_path):
    model, x, y = learnt
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        files = [
            nissl.structure(model, (x, y), 2, seed=seed, **QUIET).save(tmp_path / f"{number}").read_bytes()
            for number, seed in enumerate((4, 4, 5))
        ]
    assert files[0] == files[1] != files[2]
