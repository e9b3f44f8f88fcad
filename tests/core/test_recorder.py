"""A recording, from the user's loop to the numbers in the trace."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

import nissl
from nissl.errors import NisslWarning
from tests.core.loops import CLASSES, data, hidden, loader, mlp, train


def test_an_epochs_statistics_equal_those_of_all_its_values():
    model, (x, y) = mlp(), data()
    cell = train(model, loader(x, y), 1, lr=0.0)["E_1"]["L_0"]
    values = hidden(model, x)
    for name, function in {"mean": np.mean, "std": np.std, "min": np.min, "max": np.max, "median": np.median}.items():
        np.testing.assert_allclose(cell.array(name), function(values, axis=0), rtol=1e-5, atol=1e-6, err_msg=name)
    np.testing.assert_allclose(cell.array("active"), (values > 0).mean(0), rtol=1e-6)
    np.testing.assert_allclose(cell.array("magnitude"), np.abs(values).mean(0), rtol=1e-5)
    assert (cell.array("count") == 60).all()
    for k in range(CLASSES):
        np.testing.assert_allclose(cell.array("class_mean")[:, k], values[y.numpy() == k].mean(0), rtol=1e-5)
        np.testing.assert_allclose(cell.array("class_std")[:, k], values[y.numpy() == k].std(0), rtol=1e-4, atol=1e-6)


def test_weights_are_those_of_their_epoch_and_not_of_the_last():
    model, (x, y) = mlp(), data()
    optimizer, seen = torch.optim.SGD(model.parameters(), 0.1), []
    with nissl.record(model, progress=False) as recorder:
        for _ in recorder.epochs(3):
            for a, b in recorder.batches(loader(x, y)):
                F.cross_entropy(model(a), b).backward()
                optimizer.step()
                optimizer.zero_grad()
            seen.append((model[2].weight.detach().clone(), model[2].bias.detach().clone()))
    for epoch, (weight, bias) in enumerate(seen, 1):
        cell = recorder.trace[epoch]["L_2"]
        np.testing.assert_array_equal(cell.array("weight"), weight)
        np.testing.assert_array_equal(cell.array("bias"), bias)
        np.testing.assert_allclose(cell.array("weight_median"), np.median(weight, 1), rtol=1e-6)
    moved = (seen[2][0] - seen[1][0]).norm(dim=1)
    np.testing.assert_allclose(recorder.trace["E_3"]["L_2"].array("weight_update"), moved, rtol=1e-5)


def test_the_probe_is_heard_in_evaluation_mode_at_the_end_of_each_epoch():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(8, 6), nn.ReLU(), nn.Dropout(0.5), nn.Linear(6, CLASSES))
    (x, y), held = data(), data(30, seed=5)
    trace = train(model, loader(x, y), 2, probe=held, quantities=["activation", "profile", "predictions", "samples"])
    assert list(trace) == ["E_0", "E_1", "E_2"]
    model.eval()
    values = hidden(model, held[0])
    cell = trace["E_2"]["L_0"]
    np.testing.assert_allclose(cell.array("probe_mean"), values.mean(0), rtol=1e-5)
    np.testing.assert_allclose(cell.array("samples"), values, atol=2e-3)
    np.testing.assert_allclose(cell.array("probe_class_mean")[:, 1], values[held[1] == 1].mean(0), rtol=1e-5)
    with torch.no_grad():
        scores = model(held[0])
    assert trace["E_2"].scalars["probe_accuracy"] == pytest.approx((scores.argmax(1) == held[1]).float().mean().item())
    assert trace["E_2"].scalars["probe_loss"] == pytest.approx(F.cross_entropy(scores, held[1]).item(), rel=1e-5)
    np.testing.assert_array_equal(trace["E_2"].array("probe_prediction"), scores.argmax(1))
    assert trace["E_2"].array("probe_confusion").sum() == 30
    assert "mean" not in trace["E_0"]["L_0"]["n_0"] and "probe_mean" in trace["E_0"]["L_0"]["n_0"]


def test_samples_of_maps_keep_every_position():
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Unflatten(1, (1, 2, 4)), nn.Conv2d(1, 5, 2), nn.ReLU(), nn.Flatten(), nn.Linear(15, CLASSES)
    )
    (x, y), held = data(), data(30, seed=5)
    trace = train(model, loader(x, y), 1, probe=held, quantities=["samples"])
    with torch.no_grad():
        maps = model[:3](held[0])
    kept = trace["E_1"]["L_1"].array("samples")
    np.testing.assert_allclose(kept.reshape(30, 5, 1, 3), maps, atol=2e-3)
    assert trace.place("1").unit_shape == (1, 3) and trace["E_0"]["L_4"].array("samples").shape == (30, CLASSES)


@pytest.mark.parametrize(("given", "expected"), [(None, [1, 2, 3, 4]), (2, [2, 4]), ([1, 4], [1, 4]), ([0, 3], [0, 3])])
def test_epoch_intervals(given, expected):
    assert train(mlp(), loader(*data()), 4, epoch_intervals=given).epochs == expected


def test_batches_are_dropped_or_kept_across_the_run():
    x, y = data()
    assert "batches" not in str(train(mlp(), loader(x, y), 2).names("0"))
    model = mlp()
    trace = train(model, loader(x, y), 2, lr=0.0, drop_batches=False)
    for epoch in (1, 2):
        table = trace[epoch]["L_0"].batches
        assert table.shape == (4, 6, 7)
        for step, part in enumerate(hidden(model, x)[i : i + 16] for i in range(0, 60, 16)):
            np.testing.assert_allclose(table[step, :, 1], part.mean(0), rtol=1e-5)
            assert (table[step, :, 0] == len(part)).all()
        np.testing.assert_allclose(trace[epoch]["L_0"].array("mean"), hidden(model, x).mean(0), rtol=1e-5)


def test_later_epochs_may_have_more_batches():
    model, (x, y) = mlp(), data()
    with nissl.record(model, progress=False, drop_batches=False) as recorder:
        for epoch in recorder.epochs(3):
            for a, b in recorder.batches(loader(x, y, 20 // epoch)):
                F.cross_entropy(model(a), b).backward()
    assert [len(recorder.trace[e]["L_0"].batches) for e in (1, 2, 3)] == [3, 6, 10]


def test_every_nth_step():
    model, (x, y) = mlp(), data()
    trace = train(model, loader(x, y), 1, lr=0.0, every=2)
    heard = np.concatenate([hidden(model, x)[0:16], hidden(model, x)[32:48]])
    np.testing.assert_allclose(trace["E_1"]["L_0"].array("mean"), heard.mean(0), rtol=1e-5)


def regression(outputs, y):
    return F.mse_loss(outputs.reshape(-1), y.float())


@pytest.mark.parametrize(
    ("kind", "outputs", "labels", "loss", "options", "names"),
    [
        ("binary", 1, lambda y: (y > 0).float(), lambda o, y: F.binary_cross_entropy_with_logits(o[:, 0], y), {}, 2),
        ("multilabel", 3, lambda y: F.one_hot(y, 3).float() + F.one_hot((y + 1) % 3, 3), None, {}, 3),
        ("regression", 1, lambda y: y * 1.5 + 0.25, regression, {"bins": 3}, 3),
        ("regression", 1, lambda y: y * 1.5 + 0.25, regression, {}, 0),
    ],
)
def test_every_kind_of_task(kind, outputs, labels, loss, options, names):
    x, y = data()
    loss = loss or F.binary_cross_entropy_with_logits
    trace = train(mlp(outputs), loader(x, labels(y)), 2, loss=loss, probe=(x, labels(y)), **options)
    assert trace.header["task"]["kind"] == kind and len(trace.classes) == names
    assert np.isfinite(trace.scalars["loss"].values[1:]).all()
    assert ("class_mean" in trace.names("0")) == bool(names)
    if kind == "multilabel":
        assert trace["E_2"].array("confusion").shape == (3, 2, 2)


def test_without_labels():
    model, (x, _) = mlp(), data()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    with nissl.record(model, progress=False) as recorder:
        for _ in recorder.epochs(1):
            for (a,) in recorder.batches(torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x), 16)):
                model(a).pow(2).mean().backward()
                optimizer.step()
    assert recorder.trace["E_1"]["L_0"]["n_0"]["count"] == 60 and recorder.trace.classes == ()


def test_labels_that_do_not_fit_are_left_out_with_a_warning():
    model, (x, y) = mlp(), data()
    with pytest.warns(NisslWarning, match="labels") as said, nissl.record(model, progress=False) as recorder:
        for _ in recorder.epochs(1):
            for a, _ in recorder.batches(loader(x, y)):
                model(a[: len(a) // 2]).sum().backward()
    assert len(said) == 1
    assert recorder.trace["E_1"]["L_0"]["n_0"]["count"] == 30


def test_one_step_of_odd_labels_costs_that_step_its_classes_and_no_more():
    model, (x, y) = mlp(), data()
    with pytest.warns(NisslWarning, match="labels of a step"), nissl.record(model, progress=False) as recorder:
        for _ in recorder.epochs(1):
            for step, (a, _) in enumerate(recorder.batches(loader(x, y))):
                model(a[:3] if step == 1 else a).sum().backward()
    cell = recorder.trace["E_1"]["L_0"]
    assert cell.array("count")[0] == 60 - 16 + 3 and cell.array("class_count").sum() == 60 - 16


def test_an_autoencoder_is_profiled_by_class_and_not_judged():
    model, (x, y) = nn.Sequential(nn.Linear(8, 3), nn.ReLU(), nn.Linear(3, 8)), data()
    trace = train(model, loader(x, y), 1, lr=0.0, loss=lambda out, _: out.sum(), classes=["a", "b", "c"], probe=(x, y))
    values = model[1](model[0](x)).detach().numpy()
    np.testing.assert_allclose(trace["E_1"]["L_0"].array("class_mean")[:, 1], values[y == 1].mean(0), rtol=1e-5)
    assert trace.header["task"]["kind"] == "grouped" and "loss" not in trace["E_1"].scalars


def test_a_loop_without_batches_is_heard_too():
    model, (x, y) = mlp(), data()
    with nissl.record(model, progress=False) as recorder:
        for _ in recorder.epochs(2):
            F.cross_entropy(model(x), y).backward()
    assert recorder.trace["E_2"]["L_0"]["n_0"]["count"] == 60


def test_logged_numbers_are_averaged():
    model, (x, y) = mlp(), data()
    with nissl.record(model, progress=False) as recorder:
        for _ in recorder.epochs(1):
            for step, (a, _) in enumerate(recorder.batches(loader(x, y))):
                model(a).sum().backward()
                recorder.log(loss=torch.tensor(float(step), requires_grad=True), rate=0.5)
    scalars = recorder.trace["E_1"].scalars
    assert scalars["loss"] == 1.5 and scalars["rate"] == 0.5 and scalars["steps"] == 4


def test_gradients_are_recorded_and_equal_autograds():
    model, (x, y) = mlp(), data(16)
    trace = train(model, loader(x, y), 1, lr=0.0, quantities=["gradient", "weight_gradients"])
    value = model[1](model[0](x))
    value.retain_grad()
    F.cross_entropy(model[2:](value), y).backward()
    cell = trace["E_1"]["L_0"]
    np.testing.assert_allclose(cell.array("gradient_magnitude"), value.grad.abs().mean(0), rtol=1e-5)
    np.testing.assert_allclose(cell.array("gradient_std"), value.grad.std(0, correction=0), rtol=1e-4)
    assert (cell.array("weight_gradient_magnitude") > 0).any()


def test_values_that_blew_up_are_counted_apart():
    model, (x, y) = mlp(), data()
    x[3, 0], x[40, 1] = float("nan"), float("inf")
    trace = train(model, loader(x, y), 1, lr=0.0)
    cell = trace["E_1"]["L_0"]
    assert cell.array("nan").sum() + cell.array("inf").sum() > 0 and np.isfinite(cell.array("mean")).all()


def test_evaluation_passes_inside_the_loop_are_not_training():
    model, (x, y) = mlp(), data()
    with nissl.record(model, progress=False) as recorder:
        for _ in recorder.epochs(1):
            for a, b in recorder.batches(loader(x, y)):
                F.cross_entropy(model(a), b).backward()
                model.eval()
                model(x)
                model.train()
                with torch.no_grad():
                    model(x)
    assert recorder.trace["E_1"]["L_0"]["n_0"]["count"] == 60


def test_precision_keeps_the_digits_that_float32_has_not(run_path):
    x, y = data()
    x, model = x.double() + 1e6, mlp().double()
    trace = train(model, loader(x, y), 1, run_path, lr=0.0, precision="float64")
    values = hidden(model, x)
    assert trace.read("0", "mean", [1]).dtype == trace.read("0", "class_mean", [1]).dtype == np.float64
    np.testing.assert_allclose(trace.read("0", "mean", [1])[0], values.mean(0), rtol=1e-12)
    np.testing.assert_array_equal(trace.read("0", "weight", [1])[0], model[0].weight.detach().numpy())
