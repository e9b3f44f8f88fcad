"""What several processes record together is what one would have recorded; recording changes nothing of their training."""

import numpy as np
import pytest

import nissl
from tests.ranks.worker import BATCHES, CLASSES, EXAMPLES, QUANTITIES, WHOLE, data, network, shares, train

EXACT = ("count", "nan", "inf", "class_count", "confusion", "prediction")
NEARLY = ("q05", "q25", "median", "q75", "q95", "gradient_snr")  # averages of what each rank has found


def named(trace):
    """Every recorded name of every layer, and of the whole network."""
    return [(layer, name) for layer in (*trace.layers, None) for name in trace.names(layer)]


def like(found, wanted, name):
    if name.endswith(EXACT):
        return np.array_equal(found, wanted, equal_nan=True)
    if name.endswith("std"):
        found, wanted = found**2, wanted**2
    return np.allclose(found, wanted, rtol=1e-9, atol=1e-12, equal_nan=True)


@pytest.mark.parametrize("kind", ["ddp", "fsdp"])
def test_two_processes_record_what_one_would(kind, tmp_path, launch):
    launch(kind, tmp_path)
    train(network(), 0, 1, tmp_path / "one", quantities=WHOLE if kind == "ddp" else QUANTITIES)
    one, two = nissl.open(tmp_path / "one"), nissl.open(tmp_path / "run")
    assert two.epochs == one.epochs == [0, 1, 2] and two.closed and not two.missing
    assert named(two) == named(one)
    for layer, name in named(one):
        found, wanted = (trace.read(layer, name, [0, 1, 2]) for trace in (two, one))
        if name in NEARLY[:-1]:
            low, high, found = (two.read(layer, key, [1, 2]) for key in ("min", "max", name))
            assert ((low <= found) & (found <= high)).all()
        elif name not in NEARLY:
            ours = name.startswith("gradient_") and name != "gradient_count"
            scale = 2 if ours else 1  # the loss that each rank differentiates is twice its share of the whole
            assert like(found / scale, wanted, name), (layer, name, np.nanmax(np.abs(found - wanted)))
    assert (two.read("0", "count", [1, 2]) == EXAMPLES).all()
    for name in ("loss", "accuracy", "probe_loss", "probe_accuracy", "steps"):
        np.testing.assert_allclose(two.scalars[name].values, one.scalars[name].values, rtol=1e-9)


def test_uneven_ranks_are_what_numpy_says(tmp_path, launch):
    """Without training, by hand: ranks with more steps, fewer, and none."""
    assert sum(len(x) for rank in range(2) for x, _, _ in shares(rank, 2)) == EXAMPLES == BATCHES[-1][1]
    launch("uneven", tmp_path, world=3)
    trace, (x, y), model = nissl.open(tmp_path / "run"), data(), network()
    for epoch in (1, 2):
        rows = np.concatenate([np.arange(10 * (rank + 2 - epoch)) for rank in range(3)])
        values, labels = model[:2](x[rows]).detach().numpy(), y[rows].numpy()
        found = {name: trace.read("0", name, [epoch])[0] for name in trace.names("0")}
        assert (found["count"] == len(rows)).all()
        for name, wanted in (("mean", values.mean(0)), ("min", values.min(0)), ("max", values.max(0))):
            np.testing.assert_allclose(found[name], wanted, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(found["std"] ** 2, values.var(0), rtol=1e-9, atol=1e-15)
        np.testing.assert_allclose(found["active"], (values > 0).mean(0), rtol=1e-12)
        assert found["class_count"].tolist() == np.bincount(labels, minlength=CLASSES).tolist()
        for k in range(CLASSES):
            mine = values[labels == k]
            np.testing.assert_allclose(found["class_mean"][:, k], mine.mean(0), rtol=1e-9, atol=1e-12)
            np.testing.assert_allclose(found["class_std"][:, k] ** 2, mine.var(0), rtol=1e-9, atol=1e-15)
        wanted = np.zeros((CLASSES, CLASSES), int)
        np.add.at(wanted, (labels, model(x[rows]).argmax(1).numpy()), 1)
        assert trace.array("confusion", epoch).tolist() == wanted.tolist()
        accuracy = trace.scalars["accuracy"].sel(epoch=epoch).values
        np.testing.assert_allclose(accuracy, wanted.trace() / len(rows), rtol=1e-12)
