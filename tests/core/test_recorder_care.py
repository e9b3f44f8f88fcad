"""What a recorder refuses, survives and goes on with."""

import subprocess
import sys
import textwrap
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

import nissl
from nissl.errors import BadValue, NisslWarning, NotHeard, OverBudget, TraceExists, UnknownName, Unsupported
from tests.core.loops import CLASSES, data, hidden, loader, mlp, train

ROOT = Path(__file__).parents[2]


def test_an_existing_trace_is_not_touched_by_accident(run_path):
    train(mlp(), loader(*data()), 2, run_path)
    with pytest.raises(TraceExists, match="resume=True"):
        nissl.record(mlp(), run_path)
    assert nissl.open(run_path).epochs == [1, 2]
    train(mlp(), loader(*data()), 1, run_path, overwrite=True)
    assert nissl.open(run_path).epochs == [1]


def test_a_run_is_resumed_after_the_last_committed_epoch(run_path):
    x, y = data()
    train(mlp(), loader(x, y), 3, run_path, resume=True)
    model, seen = mlp(), []
    with nissl.record(model, run_path, resume=True, progress=False) as recorder:
        for epoch in recorder.epochs(5):
            assert isinstance(epoch, int)
            seen.append(epoch)
            for a, b in recorder.batches(loader(x, y)):
                F.cross_entropy(model(a), b).backward()
    assert seen == [4, 5]
    trace = nissl.open(run_path)
    assert trace.epochs == [1, 2, 3, 4, 5] and trace.closed
    assert np.isfinite(trace.layer("0").mean.values).all()


def test_a_resumed_run_keeps_the_names_of_its_classes(run_path):
    x, y = data()
    train(mlp(), loader(x, y), 1, run_path, classes=["red", "green", "blue"])
    trace = train(mlp(), loader(x, y), 2, run_path, resume=True)
    assert trace.classes == ("red", "green", "blue") and trace.epochs == [1, 2]


@pytest.mark.parametrize("other", [{"quantities": ["activation"]}, {"probe": data()}, {"classes": ["a", "b", "c"]}])
def test_a_run_cannot_be_resumed_as_another(run_path, other):
    x, y = data()
    train(mlp(), loader(x, y), 1, run_path)
    with pytest.raises(BadValue, match="cannot go on"):
        train(mlp(), loader(x, y), 2, run_path, resume=True, **other)
    assert nissl.open(run_path).epochs == [1]


@pytest.mark.parametrize(("early", "kept"), [(False, [1, 2, 3]), (True, [1, 2])])
def test_early_stopping_keeps_the_last_whole_epoch(early, kept):
    model, (x, y) = mlp(), data()
    with nissl.record(model, progress=False) as recorder:
        for epoch in recorder.epochs(9):
            for step, (a, b) in enumerate(recorder.batches(loader(x, y))):
                F.cross_entropy(model(a), b).backward()
                if early and epoch == 3 and step == 1:
                    break
            if epoch == 3:
                break
    assert recorder.trace.epochs == kept


def test_an_interrupt_leaves_a_valid_trace(run_path):
    model, (x, y) = mlp(), data()
    with pytest.raises(KeyboardInterrupt), nissl.record(model, run_path, progress=False) as recorder:
        for epoch in recorder.epochs(9):
            for a, b in recorder.batches(loader(x, y)):
                F.cross_entropy(model(a), b).backward()
                if epoch == 3:
                    raise KeyboardInterrupt
    trace = nissl.open(run_path)
    assert trace.epochs == [1, 2] and trace.closed and "KeyboardInterrupt" in trace.header["ended"]


def test_nothing_heard_is_an_error_in_the_first_step_and_not_an_empty_trace():
    model, other, (x, y) = mlp(), mlp(), data()
    steps = 0
    with pytest.raises(NotHeard, match="3 layers"), nissl.record(model, progress=False) as recorder:
        for _ in recorder.epochs(1):
            for a, _ in recorder.batches(loader(x, y)):
                steps += 1
                other(a).sum().backward()
    assert steps == 1


def test_a_layer_that_was_asked_for_and_never_ran_is_an_error():
    class Partial(nn.Module):
        def __init__(self):
            super().__init__()
            self.used, self.spare = nn.Linear(8, 3), nn.Linear(8, 3)

        def forward(self, x):
            return self.used(x)

    with pytest.raises(NotHeard, match="spare"):
        train(Partial(), loader(*data()), 1, layers=["used", "spare"])
    assert "mean" in train(Partial(), loader(*data()), 1).names("used")


def test_choices_that_match_nothing_say_what_there_is():
    with pytest.raises(UnknownName, match="The layers are: 0, 2, 4"):
        nissl.record(mlp(), layers="conv*")
    with pytest.raises(BadValue, match="no option epoch_interval"):
        nissl.record(mlp(), epoch_interval=3)
    with pytest.raises(BadValue, match="epochs"), nissl.record(mlp(), progress=False) as recorder:
        list(recorder.epochs(0))
    with pytest.raises(BadValue, match="batches"), nissl.record(mlp(), progress=False) as recorder:
        list(recorder.batches([1]))


@pytest.mark.parametrize("layers", [None, [], "", ["nope"]])
def test_layers_that_name_none_are_refused(layers):
    with pytest.raises(UnknownName, match="The layers are"):
        nissl.record(mlp(), layers=layers)


def test_only_chosen_layers_and_quantities_are_recorded():
    trace = train(mlp(), loader(*data()), 1, layers=["0", "4"], quantities=["activation"])
    assert trace.layers == ("0", "4") and "weight" not in trace.names("0")


def test_a_budget_is_checked_before_training(run_path):
    with pytest.raises(OverBudget, match="epoch_intervals"), nissl.record(mlp(), run_path, budget="1kB") as recorder:
        for _ in recorder.epochs(100):
            pytest.fail("training started")


def test_a_budget_holds_where_nobody_knows_how_many_epochs_will_come(run_path):
    model, (x, y) = mlp(), data()
    with (
        pytest.warns(NisslWarning, match=r"epoch \d+ would take the trace beyond its budget") as said,
        nissl.record(model, run_path, budget="20kB", progress=False) as recorder,
    ):
        for epoch in range(1, 31):
            recorder.begin_epoch(epoch)
            recorder.step(y)
            F.cross_entropy(model(x), y).backward()
            recorder.end_epoch()
    trace = nissl.open(run_path)
    assert len(said) == 1 and 1 < len(trace.epochs) < 30 and trace.closed
    assert trace.header["costs"]["bytes"] <= 20_000 + 2_000 * len(trace)  # and what files say of themselves


def test_the_epoch_before_training_counts_in_the_budget(capsys):
    model, (x, y) = mlp(), data()
    with nissl.record(model, probe=(x, y)) as recorder:
        for _ in recorder.epochs(3):
            for a, b in recorder.batches(loader(x, y)):
                F.cross_entropy(model(a), b).backward()
    assert len(recorder.trace) == 4 and "; 4 epochs, at most" in capsys.readouterr().err


def test_a_file_where_the_trace_should_be_is_named(tmp_path):
    (tmp_path / "taken").write_text("")
    for path in (tmp_path / "taken", tmp_path / "taken" / "run"):
        with pytest.raises(BadValue, match="taken is a file"), nissl.record(mlp(), path, progress=False):
            pytest.fail("training began")


def test_batches_that_are_kept_count_in_the_budget():
    model, (x, y) = mlp(), data()
    assert train(model, loader(x, y), 3, budget="20kB").epochs == [1, 2, 3]
    with pytest.raises(OverBudget, match="Every batch"):
        train(model, loader(x, y, 1), 3, budget="20kB", drop_batches=False)


def test_the_forecast_is_what_is_written(capsys):
    model, (x, y) = mlp(), data()
    with nissl.record(model, classes=CLASSES, probe=(x, y)) as recorder:
        for _ in recorder.epochs(1):
            for a, b in recorder.batches(loader(x, y)):
                F.cross_entropy(model(a), b).backward()
    said = capsys.readouterr().err
    written = recorder.trace.header["costs"]["bytes"]
    assert "14 neurons in 3 layers" in said and "us an example" in said and "recording took" in said and written > 0


def test_a_probe_that_the_network_cannot_take_is_refused_before_training(run_path):
    with pytest.raises(BadValue, match="probe"), nissl.record(mlp(), run_path, probe=torch.zeros(4, 9)):
        pytest.fail("training began")
    assert not run_path.exists()


def test_a_run_goes_on_when_its_directory_vanishes(run_path):
    import shutil

    model, (x, y) = mlp(), data()
    done = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with nissl.record(model, run_path, progress=False) as recorder:
            for epoch in recorder.epochs(4):
                for a, b in recorder.batches(loader(x, y)):
                    F.cross_entropy(model(a), b).backward()
                done.append(epoch)
                if epoch == 2:
                    shutil.rmtree(run_path)
    assert done == [1, 2, 3, 4]
    assert any(issubclass(w.category, NisslWarning) and "epoch" in str(w.message) for w in caught)


def test_a_run_goes_on_through_a_full_disk_and_loses_nothing_once_there_is_room(run_path):
    """No file may grow during epochs 1 to 3, as on a full disk; from epoch 4 on there is room again."""
    code = f"""
        import resource, warnings, sys
        import nissl
        from tests.core.loops import *
        warnings.simplefilter("always")
        full, room = (1, resource.RLIM_INFINITY), (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
        model, (x, y) = mlp(), data()
        with nissl.record(model, {str(run_path)!r}, progress=False) as recorder:
            for epoch in recorder.epochs(6):
                resource.setrlimit(resource.RLIMIT_FSIZE, full if epoch <= 3 else room)
                for a, b in recorder.batches(loader(x, y)):
                    F.cross_entropy(model(a), b).backward()
        print("trained", epoch)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert done.stdout == "trained 6\n", done.stderr
    assert "could not write epochs [1, 2, 3]" in done.stderr
    trace = nissl.open(run_path)
    assert trace.epochs == [1, 2, 3, 4, 5, 6] and trace.classes == ("0", "1", "2")
    assert np.isfinite(trace.layer("0").mean.values).all()


def test_a_framework_without_gradients_refuses_them_by_name():
    arrays = nissl.Arrays({"hidden": np.zeros((4, 3))})
    with pytest.raises(Unsupported, match="Gradient"):
        nissl.record(arrays, quantities=["gradient"])


def test_an_epoch_that_is_there_is_not_begun_again(run_path):
    x, y = data()
    model = mlp()
    with nissl.record(model, run_path, progress=False) as recorder:
        for epoch in (1, 2):
            recorder.begin_epoch(epoch)
            recorder.step(labels=y)
            F.cross_entropy(model(x), y).backward()
            recorder.end_epoch()
        with pytest.raises(BadValue, match="the next is 3"):
            recorder.begin_epoch(2)  # a notebook's cell that is run twice
        recorder.begin_epoch(3)
        recorder.step(labels=y)
        F.cross_entropy(model(x), y).backward()
        recorder.end_epoch()
    assert nissl.open(run_path).epochs == [1, 2, 3]


def test_a_recorder_that_is_not_open_says_so(run_path):
    recorder = nissl.record(mlp(), run_path, progress=False)
    for use in (lambda: next(recorder.epochs(2)), lambda: recorder.begin_epoch(1), recorder.step):
        with pytest.raises(BadValue, match="is not open"):
            use()


def test_what_comes_after_a_break_is_no_training_step(run_path):
    x, y = data()
    model = mlp()
    with nissl.record(model, run_path, progress=False) as recorder:
        for _ in recorder.epochs(1):
            for a, b in recorder.batches(loader(x, y)):
                F.cross_entropy(model(a), b).backward()
                break
            model(x)  # in training mode, with gradients
    assert nissl.open(run_path)["E_1"]["L_0"]["n_0"]["count"] == 16


def test_labels_are_lists_too_and_odd_ones_never_reach_the_loop(run_path):
    x, y = data()
    model = mlp()
    steps = [(x, y.tolist()), (x, torch.rand(len(x), 5, CLASSES)), (x, ["north"] * len(x)), (x, y)]
    with nissl.record(model, run_path, progress=False) as recorder, pytest.warns(NisslWarning, match="left out"):
        for _ in recorder.epochs(1):
            for a, _ in recorder.batches(steps):
                F.cross_entropy(model(a), y).backward()
    trace = nissl.open(run_path)
    values = hidden(model, x)
    assert trace["E_1"]["L_0"]["n_0"]["count"] == 4 * len(x)
    wanted = [values[y == k].mean(0) for k in range(CLASSES)]
    got = [trace["E_1"]["L_0"][f"n_{n}"]["class_mean"] for n in range(values.shape[1])]
    np.testing.assert_allclose(np.stack(got, 1), wanted, rtol=1e-5, atol=1e-6)
