"""How many units a structure takes, and what can be done with it as a value."""

import pickle
import warnings

import numpy as np
import pytest
import torch
from torch import nn

import nissl
from nissl.core.choosing import fewest
from nissl.core.structure import Structure
from nissl.errors import BadValue, DamagedData, MissingData, NisslWarning, UnknownName, Unsupported
from nissl.models.transformer import Transformer
from tests.structures.corners import QUIET, accuracy, mlp


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
    for unit in found:  # each is needed
        fewer = {name: [u for u in which if (name, u) != unit[:2]] for name, which in found.members.items()}
        with found.having(fewer).delete():
            assert accuracy(model, x[mine], y[mine]) > 0.1


def test_a_pickled_structure_is_the_same_with_its_question(learnt):
    model, x, y = learnt
    for target in (1, (1, 2)):
        found = nissl.structure(model, (x, y), target, **QUIET)
        again = pickle.loads(pickle.dumps(found))
        assert again.units == found.units and again.edges == found.edges
        with found.delete(), again.delete():
            assert np.array_equal(found.network.forward(x), again.network.forward(x))


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
    assert list(family)[1] in family and "no such class" not in family
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


def test_structures_of_different_layers_are_joined_whole(learnt):
    model, x, y = learnt
    one, two = (nissl.structure(model, (x, y), k, layers=name, size=5, **QUIET) for k, name in ((1, "0"), (2, "2")))
    for both in (one | two, two | one):
        assert both.members == {**one.members, **two.members}
        assert {unit.score for unit in both} == {unit.score for unit in (*one, *two)}
        assert both.case.names == ["0", "2"]
        with both.delete():
            cut = model(x)
        with one.delete(), two.delete():
            assert torch.equal(cut, model(x))
    assert (one - two).members == one.members and len(one & two) == 0
    assert len(one.keep().changes) == 1


def test_edges_where_nothing_leads_from_one_to_another(learnt, family):
    assert (family["sw"] - family["sw"]).edges == []
    assert nissl.structure(*learnt[:1], learnt[1:], 1, layers="0", **QUIET).edges == []


class _Apart(nn.Module):
    """Two layers side by side: neither feeds the other."""

    def __init__(self):
        super().__init__()
        self.left, self.right, self.last = nn.Linear(2, 6), nn.Linear(2, 6), nn.Linear(6, 4)

    def forward(self, x):
        return self.last(torch.relu(self.left(x)) + torch.relu(self.right(x)))


def test_edges_between_layers_that_do_not_feed_each_other_are_refused(learnt):
    found = nissl.structure(_Apart(), learnt[1:], 1, size=0.5, **QUIET)
    with pytest.raises(Unsupported, match=r'feeds another directly.*layers="\*"'):
        _ = found.edges


@pytest.mark.parametrize("by", ["attribution_patching", "secant"])
def test_edges_pass_through_layers_that_were_not_asked_about(learnt, by):
    deep = mlp(2, 8, 8, 8, 4)
    options = {"pairs": 1} if by == "secant" else {}
    ends = nissl.structure(deep, learnt[1:], 1, by=by, layers=["0", "4"], rank="score", size=1.0, **options, **QUIET)
    assert {(edge.source, edge.target) for edge in ends.edges} == {("0", "4")}
    added = np.zeros(8)
    for edge in ends.edges:
        added[edge.source_unit] += edge.signed
    np.testing.assert_allclose(added, ends.scores["0"], rtol=1e-4, atol=1e-6)  # all that it does, it does through these


def test_heads_and_neurons_of_a_transformer_meet_through_its_projections():
    torch.manual_seed(0)
    model = Transformer((6,), 8, layers=2, width=16, heads=2).build()
    x = torch.randint(0, 8, (24, 6))
    found = nissl.structure(model, (x, x[:, 0]), "label", size=0.3, **QUIET)
    pairs = {(edge.source, edge.target) for edge in found.edges}
    assert {("blocks.0.attention", "blocks.1.attention"), ("blocks.0.attention", "blocks.0.up")} <= pairs
    assert max(edge.absolute for edge in found.edges) > 0


def test_a_goal_for_what_is_never_recognised_says_so(learnt):
    _, x, y = learnt
    blind = mlp(2, 8, 4)
    with torch.no_grad():
        blind[-1].weight.zero_()
        blind[-1].bias.copy_(torch.tensor([1.0, 0, 0, 0]))
    with pytest.warns(NisslWarning, match="with nothing cut 0% of its examples are recognised"):
        nissl.structure(blind, (x, y), 1, size="target<=0.05", **QUIET)
    with pytest.raises(BadValue, match="is about classes"):
        nissl.structure(blind, x, 1, size="target<=0.05", **QUIET)


def test_a_file_of_bytes_is_no_structure(tmp_path):
    (tmp_path / "bytes.json").write_bytes(b"\xff\x00")
    with pytest.raises(DamagedData, match="no structure that nissl saved"):
        nissl.Structure.load(tmp_path / "bytes.json")
