"""Structures as they are recorded: equal to what is found in the model, at each epoch, whatever the run."""

import re
import warnings

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

import nissl
from nissl.core import traced
from nissl.core.following import evenly
from nissl.errors import BadValue, NisslWarning, Unsupported
from nissl.quantities.structures import Structures
from nissl.views.divergence import Divergence
from tests.core.loops import CLASSES, data, loader, mlp, train

HELD = data(40, seed=7)
WANTED = ["activation", "structures"]


def cnn():
    torch.manual_seed(2)
    return nn.Sequential(
        nn.Unflatten(1, (1, 2, 4)), nn.Conv2d(1, 4, 2, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 5, 2),
        nn.ReLU(), nn.Flatten(), nn.Dropout(0.3), nn.Linear(40, 6), nn.ReLU(), nn.Linear(6, CLASSES),
    )  # fmt: skip


def binary():
    return nn.Sequential(nn.Linear(8, 6), nn.ReLU(), nn.Linear(6, 1))


class Attending(nn.Module):
    def __init__(self):
        super().__init__()
        self.block, self.last = nn.TransformerEncoderLayer(4, 2, 12, batch_first=True), nn.Linear(4, CLASSES)

    def forward(self, x):
        return self.last(self.block(x.reshape(-1, 2, 4)).mean(1))


MODELS = {"mlp": mlp, "cnn": cnn, "attending": Attending, "compiled": lambda: torch.compile(mlp(), backend="aot_eager")}


@pytest.mark.parametrize("batch", [300, 16])
@pytest.mark.parametrize("name", MODELS)
def test_what_is_recorded_is_what_is_found_in_the_model_after_the_epoch(name, batch):
    model, expected = MODELS[name](), []
    before = nissl.structures(model, HELD, by="attribution_patching", baseline="mean", rank="contrast", progress=False)
    optimizer = torch.optim.Adam(model.parameters(), 0.02)
    options = {"quantities": ["activation", Structures(batch=batch)], "probe": HELD, "progress": False}
    with nissl.record(model, **options) as recorder:
        for _ in recorder.epochs(2):
            for x, y in recorder.batches(loader(*data())):
                F.cross_entropy(model(x), y).backward()
                optimizer.step()
                optimizer.zero_grad()
            expected.append(
                nissl.structures(
                    model, HELD, by="attribution_patching", baseline="mean", rank="contrast", progress=False
                )
            )
    for epoch, found in enumerate([before, *expected]):
        told = recorder.trace.structures(epoch)
        for target in map(str, range(CLASSES)):
            assert set(told[target].scores) == set(found[target].scores)
            for layer, scores in found[target].scores.items():
                np.testing.assert_allclose(told[target].scores[layer], scores, rtol=1e-4, atol=1e-6)
            assert told[target].members == found[target].members
        for layer, owner in found.owners().items():
            np.testing.assert_array_equal(recorder.trace[epoch][layer].array("owner"), owner)
        for layer, own in found.specificity().items():
            np.testing.assert_allclose(recorder.trace[epoch][layer].array("specificity"), own, atol=1e-4)


def test_a_single_output_and_classes_that_do_not_occur():
    torch.manual_seed(1)
    x, y = torch.randn(40, 8), torch.arange(40) % 2
    trace = train(binary(), [(x, y.float()[:, None])], 1, probe=(x, y.float()), quantities=["structures"],
                  loss=F.binary_cross_entropy_with_logits)  # fmt: skip
    np.testing.assert_allclose(trace.structures()["0"].scores["0"].shape, (6,))
    held = HELD[0], HELD[1].clamp(max=1)  # no example of class 2
    trace = train(mlp(), loader(*data()), 1, probe=held, quantities=["structures"])
    assert list(trace.structures()) == ["0", "1"] and np.isnan(trace.layer("0").attribution[-1][:, 2]).all()


def test_likeness_is_that_of_the_structures_of_two_epochs():
    trace = train(mlp(), loader(*data()), 5, probe=HELD, quantities=WANTED, epoch_intervals=2)
    assert trace.epochs == [0, 2, 4]
    likeness = np.asarray(trace.scalars["structure_jaccard"])
    assert np.isnan(likeness[0])  # there was none before
    for at, (before, now) in enumerate([(0, 2), (2, 4)], 1):
        one, two = trace.structures(before), trace.structures(now)
        shares = [len(one[k] & two[k]) / len(one[k] | two[k]) for k in one]
        assert likeness[at] == pytest.approx(np.mean(shares))


def test_a_resumed_run_goes_on_from_what_the_trace_holds(run_path):
    options = {"probe": HELD, "quantities": WANTED}
    whole = train(mlp(), loader(*data()), 4, **options)
    model = mlp()
    train(model, loader(*data()), 2, run_path, **options)
    resumed = train(model, loader(*data()), 4, run_path, resume=True, **options)
    np.testing.assert_array_equal(resumed.layer("0").attribution, whole.layer("0").attribution)
    np.testing.assert_array_equal(resumed.scalars["structure_jaccard"], whole.scalars["structure_jaccard"])


def test_few_examples_are_as_many_of_each_class_and_the_same_at_every_epoch():
    groups = np.array([0] * 50 + [1] * 3 + [-1] * 20 + [2] * 40)
    chosen = evenly(groups, 23, seed=0)
    assert np.bincount(groups[chosen]).tolist() == [10, 3, 10] and len(set(chosen)) == 23
    assert (chosen == evenly(groups, 23, 0)).all() and (chosen != evenly(groups, 23, 1)).any()
    assert len(evenly(groups, 1000, 0)) == 93
    trace = train(mlp(), loader(*data()), 2, lr=0.0, probe=HELD, quantities=[Structures(examples=9)])
    np.testing.assert_array_equal(trace.layer("0").attribution[1], trace.layer("0").attribution[2])
    other = train(mlp(), loader(*data()), 1, lr=0.0, probe=HELD, quantities=[Structures(examples=9, seed=1)])
    assert (trace.layer("0").attribution[1] != other.layer("0").attribution[1]).any()


def test_of_more_classes_than_examples_one_of_each_is_asked():
    names = [f"class {k}" for k in range(12)]
    x, y = torch.randn(48, 8), torch.arange(48) % 11  # of the last class there is none
    options = {"probe": (x, y), "classes": names, "quantities": [Structures(examples=4)]}
    with nissl.record(mlp(12), progress=False, **options) as recorder:
        for _ in recorder.epochs(1):
            for xs, ys in recorder.batches([(x, y)]):
                F.cross_entropy(recorder.network.model(xs), ys).backward()
    known = np.isfinite(np.asarray(recorder.trace.layer("0").attribution)[-1]).all(0)
    assert known.tolist() == [True] * 11 + [False]
    assert traced.examples(recorder.trace) == "11 probe examples"


def test_what_cannot_be_followed_is_refused_before_training():
    x, _ = HELD
    for probe in (None, x):
        with pytest.raises(BadValue, match=r"structures are found on the probe.*probe=\(inputs, labels\)"):
            nissl.record(mlp(), probe=probe, quantities=WANTED)
    with (
        pytest.raises(Unsupported, match="these labels are regression"),
        nissl.record(mlp(1), probe=(x, torch.randn(40)), bins=3, quantities=WANTED, progress=False),
    ):
        pass
    with (
        pytest.raises(BadValue, match="only 4"),
        nissl.record(mlp(), layers="4", probe=HELD, quantities=WANTED, progress=False),
    ):
        pass
    with pytest.raises(BadValue, match="examples=0"):
        Structures(examples=0)
    arrays = nissl.Arrays({"hidden": 5})
    with pytest.raises(Unsupported, match=r"Structures.*gives no such gradients"):
        nissl.record(arrays, probe=HELD, quantities=WANTED)


def test_what_fails_later_is_told_and_costs_that_epochs_structures_alone():
    model = mlp()
    with (
        pytest.warns(NisslWarning, match="no structures are recorded at this epoch"),
        nissl.record(model, probe=HELD, quantities=WANTED, progress=False) as recorder,
    ):
        for epoch in recorder.epochs(3):
            with torch.no_grad():
                model[2].bias[0] = np.nan if epoch == 2 else 0.1
            for x, _ in recorder.batches(loader(*data())):
                model(x)
    trace = recorder.trace
    assert trace.epochs == [0, 1, 2, 3] and np.isnan(trace[2]["0"].array("owner")).all()
    assert "structure_jaccard" in trace["E_3"].scalars and trace.structures("E_3")
    with pytest.raises(nissl.errors.NotHeard, match="epoch 2, only at E_0, E_1, E_3"):
        trace.structures(2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert not trace.structure_events().empty


def test_a_model_can_be_given_to_cut_in_and_must_have_these_units():
    model = mlp()
    trace = train(model, loader(*data()), 1, probe=HELD, quantities=WANTED)
    found = trace.structures(model=model)["1"]
    live = nissl.structure(model, HELD, 1, by="attribution_patching", progress=False)
    assert len(found & live) == len(live)
    with torch.no_grad():
        plain = model(HELD[0])
        with found.delete():
            assert (model(HELD[0]) != plain).any()
        assert (model(HELD[0]) == plain).all()
    other = nn.Sequential(nn.Linear(8, 7), nn.ReLU(), nn.Linear(7, 5), nn.Tanh(), nn.Linear(5, 3))
    with pytest.raises(BadValue, match=r"0 \(6 units in the trace, 7 in the model\)"):
        trace.structures(model=other)


def test_classes_sets_are_those_that_the_picture_of_their_divergence_counts():
    trace = train(mlp(), loader(*data()), 1, probe=HELD, quantities=["activation", "profile"])
    said = Divergence(trace, pair=("0", "2")).describe().caption
    both, of, one, two, neither = map(int, re.search(
        r"A1 has (\d+) of (\d+) units, A0 − A1 (\d+), A1 − A0 (\d+); (\d+) are in neither", said).groups())  # fmt: skip
    sets = trace.class_sets()
    first, second = sets["0"], sets["2"]
    assert (len(first & second), len(first - second), len(second - first)) == (both, one, two)
    assert (len(first | second), sum(first.every().values())) == (of - neither, of)


def test_activity_and_structures_of_one_run_combine_as_an_annotation():
    trace = train(mlp(), loader(*data()), 1, probe=HELD, quantities=[*WANTED, "profile"])
    both = trace.structures()["1"] & trace.class_sets()["1"]
    assert not both.causal and all(unit in trace.structures()["1"] for unit in [(u.layer, u.unit) for u in both])
