"""Structures put to the proof: planted ones of every kind, figures by hand, and what a report can be made into."""

import json

import numpy as np
import pytest
import torch
from rich.console import Console

import nissl
from nissl.data.digits import Digits
from nissl.errors import BadValue, MissingData, NisslWarning
from nissl.models.mlp import Mlp
from tests.core.planted import CLASSES, Describing, Told, entangled, examples, pathways, perceptron, twice


def planted(members, model, *, target=2, by=Told, classes=CLASSES, **options):
    size = sum(map(len, members.values()))
    data = examples(0, classes=classes)
    return nissl.structure(model, data, target, by=by(members), size=size, rank="score", progress=False, **options)


def quick(structure, data, **options):
    return structure.verify(data, progress=False, **{"controls": False, **options})


def test_a_true_structure_is_necessary_sufficient_and_specific():
    model, members, _ = pathways()
    report = quick(planted(members[2], model), examples(1))
    assert report.verdict == ("necessary", "sufficient", "specific")
    assert report.intact.accuracy == 1 and report.deleted.accuracy < 0.1 and report.deleted.others == 1
    assert report.random.p_lost == report.random.p_alone == report.random.p_apart == 1 / 21
    assert report.alone > 0.9 and report.separation > 0.9
    assert report.held_out and report.asked == 20 and report.units == 8


def test_decoys_are_nothing_though_they_are_as_active():
    model, _, decoys = pathways()
    report = quick(planted(decoys[2], model), examples(1))
    assert report.verdict == ()
    assert report.alone == pytest.approx(0, abs=1e-6) and report.deleted.lost == pytest.approx(0, abs=1e-6)
    assert report.random.p_lost > 0.05 and report.random.p_alone > 0.05


def test_one_of_two_pathways_is_redundant_and_the_next_units_are_the_other():
    model, members = twice()
    first, other = members[2]
    structure = planted({"hidden_1": first}, model, layers="hidden_1")
    structure.ranking["hidden_1"][other] = 0.5
    report = quick(structure, examples(1))
    assert report.verdict == ("sufficient", "redundant")
    assert report.second.units == 3 and report.second.alone > 0.9 and report.second.lost > 0.9
    assert report.completeness.mean > 0.2  # what the other pathway does is not in this one
    assert quick(structure | structure.having({"hidden_1": other}), examples(1), target=2).verdict[0] == "necessary"


def test_a_class_without_units_of_its_own_has_no_separable_structure():
    report = quick(
        planted({"hidden_1": [0, 1, 2, 3]}, entangled(), target=4, classes=8), examples(1, each=40, classes=8)
    )
    assert "inseparable" in report.verdict and "specific" not in report.verdict
    assert "this class has no separable structure" in str(report)
    assert report.deleted.worst_lost > 0.2


def test_a_class_that_is_still_recognised_by_exclusion_keeps_its_accuracy_and_loses_its_work():
    """Held at their means the units of a class still say more than the others', which are silent."""
    model = perceptron(
        (np.tile(np.eye(CLASSES), (8, 1)), np.zeros(48)), (np.tile(np.eye(CLASSES), 8), np.zeros(CLASSES))
    )
    report = quick(planted({"hidden_1": list(range(2, 48, CLASSES))}, model), examples(1))
    assert report.deleted.accuracy == 1 and report.deleted.lost > 0.7
    assert report.verdict == ("sufficient",) and "by exclusion" in report.findings[0].why


def test_everything_is_never_proof():
    """All units but one: whatever it does, random units of this number do as well."""
    model, _, _ = pathways()
    every = {name: list(range(53)) for name in ("hidden_1", "hidden_2")}
    report = quick(planted(every, model, target=0), examples(1))
    assert report.random.p_lost > 0.05 and "necessary" not in report.verdict


def test_random_structures_have_p_values_of_all_sizes():
    draw = np.random.default_rng(0)
    weights, inputs = draw.normal(size=(24, CLASSES)), examples(0)
    heads = np.linalg.lstsq(np.maximum(inputs[0] @ weights.T, 0), 10 * np.eye(CLASSES)[inputs[1]], rcond=None)[0]
    model = perceptron((weights, np.zeros(24)), (heads.T, np.zeros(CLASSES)))
    structure, found = planted({"hidden_1": [0]}, model), []
    for seed in range(12):
        random = structure.having({"hidden_1": np.sort(draw.choice(24, 5, replace=False)).tolist()})
        found.append(quick(random, examples(1), seed=seed).random)
    for values in ([one.p_lost for one in found], [one.p_alone for one in found]):
        assert 0.25 < np.mean(values) < 0.75  # uniform: .52, and a standard error of .09
        assert np.mean(np.array(values) <= 0.1) <= 0.25


def test_curve_and_its_areas_equal_those_computed_by_hand():
    """Through one layer that is linear where it is used, every unit adds weight x deviation to a logit, whatever the others do."""
    draw = np.random.default_rng(3)
    weights = draw.uniform(0, 1, (20, 4))
    heads = weights.T + draw.normal(0, 0.2, (4, 20))
    model = perceptron((weights, np.full(20, 5.0)), (heads, np.zeros(4)))
    (x, y), (held_x, held_y) = examples(0, classes=4), examples(1, classes=4)
    structure = nissl.structure(
        model, (x, y), 1, by=Told({"hidden_1": [3, 7]}), size=2, rank="score", metric="logit", progress=False
    )
    report = quick(structure, (held_x, held_y))
    means, hidden = (x @ weights.T + 5).mean(0), (held_x[held_y == 1] @ weights.T + 5).mean(0)
    adds = heads[1] * (hidden - means)
    order = [3, 7, *[unit for unit in range(20) if unit not in (3, 7)]]
    units = [0, 1, 2, 4, 10, 20]
    f = np.array([adds[order[:k]].sum() / adds.sum() for k in units])
    assert report.curve.units == tuple(units)
    np.testing.assert_allclose(report.curve.faithful, f, atol=1e-4)
    shares = np.array(units) / 20
    cpr = sum((shares[i + 1] - shares[i]) * (f[i] + f[i + 1]) / 2 for i in range(5))
    cmd = sum((shares[i + 1] - shares[i]) * (abs(1 - f[i]) + abs(1 - f[i + 1])) / 2 for i in range(5))
    np.testing.assert_allclose([report.curve.cpr, report.curve.cmd], [cpr, cmd], atol=1e-4)
    np.testing.assert_allclose(report.deleted.lost, f[2], atol=1e-4)
    assert report.completeness.largest == pytest.approx(abs(1 - f[2]), abs=1e-4)  # nothing depends on anything here
    assert report.minimality.needed == np.mean(np.abs(adds[[3, 7]] / adds.sum()) > 0.05)


def test_to_zero_and_by_resample_are_what_those_edits_do():
    model, members, _ = pathways()
    structure, (x, y) = planted(members[2], model), examples(1)
    report = quick(structure, (x, y))
    with structure.delete(to="zero"), torch.no_grad():
        right = (model(torch.tensor(x)).argmax(1).numpy() == y)[y == 2].mean()
    assert report.ways["zero"].accuracy == right
    assert report.ways["resample"].accuracy < 0.5 and report.ways["resample"].aim < report.intact.aim
    alone = quick(structure, (x[:9], y[:9]))  # what is over after a batch
    assert planted(members[2], model, batch=8).verify((x[:9], y[:9]), controls=False).ways.keys() == alone.ways.keys()


def test_naive_methods_and_shams_stand_beside_it():
    model, members, _ = pathways()
    report = planted(members[2], model).verify(examples(1), progress=False)
    assert report.verdict == ("necessary", "sufficient", "specific")
    assert {sham.name for sham in report.shams} == {"shuffled labels", "permuted weights"}
    assert any("doubt the method" in note for note in report.notes)  # it was told, and looked at nothing
    naive = {curve.name: curve for curve in report.naive}
    for name in ("random", "contrast"):
        assert naive[name].deleted.lost < 0.1 < report.deleted.lost and naive[name].cpr < report.curve.cpr


def test_without_data_it_says_that_the_figures_flatter():
    model, members, _ = pathways()
    with pytest.warns(NisslWarning, match="held-out"):
        report = planted(members[2], model).verify(controls=False)
    assert not report.held_out and report.discovery is None and "flatter" in report.notes[0]
    held = quick(planted(members[2], model), examples(1))
    assert held.discovery[1].accuracy == report.deleted.accuracy
    assert held.gap == pytest.approx(held.deleted.accuracy - report.deleted.accuracy)


def test_descriptions_say_so():
    model, members, _ = pathways()
    report = quick(planted(members[2], model, by=Describing), examples(1))
    assert any("active" in note for note in report.notes)


@pytest.mark.parametrize("target", [(2, 3), lambda outputs: outputs[:, 2] - outputs[:, 4]])
def test_targets_without_classes_are_judged_by_their_aim(target):
    model, members, decoys = pathways()
    both = {name: members[2][name] + members[3 if isinstance(target, tuple) else 4][name] for name in members[2]}
    report = quick(planted(both, model, target=target), examples(1))
    assert {"necessary", "sufficient"} == set(report.verdict)
    assert np.isnan(report.deleted.accuracy) and any("left out" in note for note in report.notes)
    assert quick(planted(decoys[2], model, target=target), examples(1)).verdict == ()


def test_an_output_is_judged_by_how_closely_it_is_kept():
    """The mean of a regression's output is that of its units' means, whatever is deleted; its course is not."""
    model, members, _ = pathways()
    x = examples(0)[0]
    by = Told(members[2])
    structure = nissl.structure(model, x, 2, by=by, size=8, rank="score", progress=False)
    report = quick(structure, examples(1)[0])
    assert report.verdict == ("necessary", "sufficient") and report.alone > 0.99
    assert report.asked == report.examples == 120 and "specific" not in [f.word for f in report.findings]
    found = nissl.structure(model, x, 2, by=by, size="faithful>=0.95", rank="score", progress=False)
    assert len(found) == 8 and found.recipe["reached"]


def test_a_report_is_the_same_to_the_byte_and_goes_through_json(tmp_path):
    model, members, _ = pathways()
    structure = planted(members[2], model)
    first, again = (quick(structure, examples(1)) for _ in range(2))
    assert str(first) == str(again)
    files = [one.save(tmp_path / name) for one, name in ((first, "a.json"), (again, "b.json"))]
    assert files[0].read_bytes() == files[1].read_bytes()
    held = json.loads(files[0].read_text())
    assert held.pop("nissl_report") == 1 and held == first.to_dict()
    assert held["verdict"] == ["necessary", "sufficient", "specific"] and held["deleted"]["lost"] == first.deleted.lost
    assert quick(structure, examples(1), seed=1).random.cuts != first.random.cuts


def test_a_saved_structure_is_verified_with_new_data(tmp_path):
    model, members, _ = pathways()
    structure = planted(members[2], model)
    loaded = nissl.Structure.load(structure.save(tmp_path / "two.json"), model)
    report = loaded.verify(examples(1), progress=False)
    assert report.deleted == quick(structure, examples(1)).deleted and report.discovery is None
    assert report.naive == () and report.shams == () and sum("not saved" in note for note in report.notes) == 3
    with pytest.raises(MissingData, match="verify"):
        loaded.verify()


def test_few_examples_are_taken_and_that_is_said():
    model, members, _ = pathways()
    report = quick(planted(members[2], model), examples(1), examples=30)
    assert (report.examples, report.available, report.asked) == (30, 120, 15)
    assert "30 of 120" in str(report) and report.verdict == ("necessary", "sufficient", "specific")


def test_weights_that_changed_since_are_noticed():
    model, members, _ = pathways()
    structure = planted(members[2], model)
    with torch.no_grad():
        next(model.parameters())[0] += 0.01
    with pytest.warns(NisslWarning, match="weights have changed"):
        report = quick(structure, examples(1))
    assert any("weights have changed" in note for note in report.notes)


def test_what_cannot_be_verified_is_refused_in_words():
    model, members, _ = pathways()
    two, three = (planted(members[c], model, target=c) for c in (2, 3))
    with pytest.raises(BadValue, match="random=3"):
        quick(two, examples(1), random=3)
    with pytest.raises(BadValue, match="no units"):
        quick(two - two, examples(1))
    with pytest.raises(BadValue, match="target="):
        quick(two | three, examples(1))
    x, y = examples(1)
    with pytest.raises(BadValue, match="does not occur"):
        quick(two, (x[y != 2], y[y != 2]))
    with pytest.raises(BadValue, match="labels"):
        quick(two, x)


def test_nothing_of_the_model_is_changed():
    model, members, _ = pathways()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    planted(members[2], model).verify(examples(1), progress=False)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert torch.equal(model(torch.eye(CLASSES)).argmax(1), torch.arange(CLASSES))


@pytest.fixture(scope="module")
def three_of_digits():
    data = Digits().load()
    torch.manual_seed(0)
    model = Mlp(hidden=(128, 64)).build()
    optimiser = torch.optim.Adam(model.parameters(), 1e-3)
    x, y = torch.tensor(data.train.x), torch.tensor(data.train.y)
    for _ in range(15):
        for part in torch.randperm(len(x)).split(64):
            optimiser.zero_grad()
            torch.nn.functional.cross_entropy(model(x[part]), y[part]).backward()
            optimiser.step()
    structure = nissl.structure(
        model.eval(), (data.train.x[:300], data.train.y[:300]), 3, size=0.2, progress=False, by="attribution_patching"
    )
    return structure.verify((data.test.x, data.test.y), progress=False)


def test_a_class_of_the_digits_is_proved_and_naive_methods_are_not(three_of_digits):
    report = three_of_digits
    assert {"necessary", "specific"} <= set(report.verdict)
    assert report.deleted.accuracy < 0.1 and report.deleted.others > report.intact.others - 0.05
    assert report.random.mean.accuracy > 0.85 and report.separation > 0.8
    assert report.curve.cpr > 0.6 and report.curve.cmd < 0.35
    assert len(report.naive) >= 4
    for rival in report.naive:
        assert rival.cpr < report.curve.cpr - 0.1 and rival.cmd > report.curve.cmd + 0.1
        assert rival.deleted.accuracy > report.deleted.accuracy + 0.3


def test_a_report_as_text_is_text_wherever_it_is_printed(three_of_digits, monkeypatch):
    plain = str(three_of_digits)
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert str(three_of_digits) == plain
    assert "\x1b" not in plain


def test_every_method_has_its_whole_name_above_its_column_where_a_hundred_letters_are_a_line(three_of_digits, capsys):
    Console(width=100).print(three_of_digits)
    names = [rival.name for rival in three_of_digits.naive]
    assert " ".join(["work alone the structure", *names]) in " ".join(capsys.readouterr().out.split())
    assert "gradient_activation" in names


def test_what_is_found_under_shuffled_labels_or_in_other_weights_does_no_more_than_random_units(three_of_digits):
    assert [sham.name for sham in three_of_digits.shams] == ["shuffled labels", "permuted weights"]
    assert all(sham.p_lost > 0.05 and sham.deleted.accuracy > 0.7 for sham in three_of_digits.shams)
    assert not any("doubt" in note for note in three_of_digits.notes)
