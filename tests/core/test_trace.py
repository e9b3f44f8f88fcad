"""A trace: every way to address it, its tables, and what it says of what isn't there."""

import subprocess
import sys
import textwrap

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

import nissl
from nissl.core import address
from nissl.errors import BadValue, NisslWarning, NoTrace, UnknownName

NAMES = ["input", "hidden_1", "L_odd", "output"]


class Named(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.input, self.hidden_1 = nn.Linear(6, 5), nn.Linear(5, 4)
        self.L_odd, self.output = nn.Linear(4, 4), nn.Linear(4, 2)
        self.relu = nn.ReLU()

    def forward(self, x):
        return self.output(self.relu(self.L_odd(self.relu(self.hidden_1(self.relu(self.input(x)))))))


def made(path=None, epochs=5):
    torch.manual_seed(0)
    model, x, y = Named(), torch.randn(40, 6), torch.arange(40) % 2
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    with nissl.record(model, path, classes=["cat", "dog"], probe=(x, y), progress=False) as recorder:
        for _ in recorder.epochs(epochs):
            for batch in recorder.batches([(x[:20], y[:20]), (x[20:], y[20:])]):
                F.cross_entropy(model(batch[0]), batch[1]).backward()
                optimizer.step()
                optimizer.zero_grad()
    return recorder.trace


@pytest.fixture(scope="module")
def trace(tmp_path_factory):
    path = tmp_path_factory.mktemp("trace") / "run"
    made(path)
    return nissl.open(path)


def test_the_seeds_address(trace):
    neuron = trace["E_3"]["L_hidden_1"]["n_2"]
    assert isinstance(neuron["mean"], float) and neuron["class_mean"].shape == (2,) and neuron["weight"].shape == (5,)
    assert neuron.signature == "E_3-L_hidden_1-n_2"


@pytest.mark.parametrize("epoch", ["E_3", "e3", "3", 3, np.int64(3), "E3"])
@pytest.mark.parametrize("layer", ["L_hidden_1", "hidden_1"])
@pytest.mark.parametrize("neuron", ["n_2", "n2", 2, "2"])
def test_all_spellings_mean_the_same_cell(trace, epoch, layer, neuron):
    assert trace[epoch][layer][neuron]["mean"] == trace["e3/hidden_1/n2"]["mean"]


def test_paths_may_be_cut_anywhere(trace):
    assert trace["E_3/L_hidden_1"]["n_2"]["bias"] == trace["E_3"]["hidden_1/n2"]["bias"]


@pytest.mark.parametrize("said", ["stain=3,8", "stain=3&vs=e12&lamp=dark", "view=layers", "", "stain=a%2Fb"])
def test_what_a_page_says_beside_the_place_does_not_change_it(trace, said):
    for written in (f"e3/hidden_1/n2?{said}", f"#/e3/hidden_1/n2?{said}", f"/e3/L_hidden_1/n2?{said}"):
        assert trace[written].signature == "E_3-L_hidden_1-n_2"
    assert trace[f"e3/hidden_1?{said}"].name == "hidden_1"
    assert trace[f"e3?{said}"].number == 3


def test_an_address_names_the_epoch_beside():
    assert address.beside("#/e30/hidden_1/n20?stain=3&vs=e12") == "e12/hidden_1/n20"
    assert address.beside("e30?vs=e12&stain=3") == "e12"
    assert address.beside("e30/hidden_1/n20?stain=3") is None
    assert address.beside("e30/hidden_1/n20?vs=run:e12") is None


def test_a_layers_name_may_be_written_as_in_a_link():
    known = ("a/b", "c d", "100%", "x+y", "x y", "%2F")
    assert [address.layer_name(written, known) for written in ("a%2Fb", "c+d", "L_a%2Fb", "100%25", "100%")] == [
        "a/b",
        "c d",
        "a/b",
        "100%",
        "100%",
    ]
    assert [address.layer_name(name, known) for name in known] == list(known), "its own name comes first"


def test_a_layer_whose_own_name_starts_like_an_address(trace):
    assert trace["E_3"]["L_odd"].name == "L_odd" and trace["E_3"]["L_L_odd"].name == "L_odd"


def test_mappings_all_the_way(trace):
    assert list(trace) == [f"E_{e}" for e in range(6)] and len(trace) == 6 and "E_9" not in trace
    assert list(trace["E_1"]) == [f"L_{name}" for name in NAMES]
    assert list(trace["E_1"]["L_output"]) == ["n_0", "n_1"]
    assert {"mean", "std", "median", "min", "max", "bias"} <= set(trace["E_1"]["L_output"]["n_0"])
    assert [epoch.number for epoch in trace.values()] == [0, 1, 2, 3, 4, 5]
    assert dict(trace.items()).keys() == set(trace)


def test_slices_take_both_ends(trace):
    assert trace["E_2":"E_4"].epochs == [2, 3, 4] and trace[:2].epochs == [0, 1, 2] and trace[::2].epochs == [0, 2, 4]
    assert trace["E_2":"E_4"].layer("input").mean.shape == (3, 5)
    with pytest.raises(KeyError):
        trace["E_2":"E_4"]["E_5"]


@pytest.mark.parametrize(
    ("look", "said"),
    [
        (lambda t: t["E_9"], "The nearest are E_3, E_4, E_5"),
        (lambda t: t["epoch3"], "'E_30'"),
        (lambda t: t["/"], "'/' is no address"),
        (lambda t: t.scalars["acuracy"], "Did you mean 'accuracy'"),
        (lambda t: t["E_3"]["L_hiden_1"], "Did you mean 'hidden_1'"),
        (lambda t: t["E_3"]["L_output"]["n_2"], "n_0 to n_1"),
        (lambda t: t["E_3"]["L_output"]["n_1"]["avg"], "It has: count, mean"),
        (lambda t: t["E_0"]["L_output"]["n_1"]["mean"], "At this epoch there is no value"),
    ],
)
def test_what_is_not_there_is_a_key_error_with_near_misses(trace, look, said):
    with pytest.raises(KeyError, match=said):
        look(trace)


def test_a_layer_over_time(trace):
    layer = trace.layer("hidden_1")
    assert layer.mean.dims == ("epoch", "neuron") and layer.class_mean.dims == ("epoch", "neuron", "class")
    assert layer.class_mean.sel(epoch=3, neuron=1, **{"class": "dog"}) == trace["e3/hidden_1/n1"]["class_mean"][1]
    np.testing.assert_array_equal(np.asarray(layer.mean)[3], trace["E_3"]["L_hidden_1"].array("mean"))
    assert layer.layer.kind == "dense" and layer.layer.inputs == ("input",) and layer.layer.nonlinearity == "ReLU"
    with pytest.raises(AttributeError, match="Did you mean 'mean'"):
        _ = layer.meen


def test_what_columns_are_stored_in_is_no_name(trace):
    with pytest.raises(UnknownName, match="Nothing called 'stats' is recorded of layer 'hidden_1'"):
        trace[3]["hidden_1"].array("stats")


def test_the_data_frame_holds_every_number(trace):
    frame = trace.to_dataframe()
    assert frame.index.names == ["epoch", "layer", "neuron"] and len(frame) == 6 * (5 + 4 + 4 + 2)
    assert frame.loc[(3, "hidden_1", 2), "mean"] == np.float32(trace["e3/hidden_1/n2"]["mean"])
    few = trace.to_dataframe(layers="L_output", stats=["mean", "bias"])
    assert list(few.columns) == ["mean", "bias"] and len(few) == 12
    long = trace.to_dataframe(layers=["output"], stats=["mean"], long=True)
    assert long.index.names[-1] == "stat" and len(long) == 10  # epoch 0 has no training mean
    with pytest.raises(UnknownName, match="Did you mean"):
        trace.to_dataframe(stats=["meen"])
    with pytest.raises(BadValue, match="engine"):
        trace.to_dataframe(engine="excel")


@pytest.mark.parametrize("engine", ["polars", "arrow"])
def test_other_engines_give_the_same_table(trace, engine):
    pytest.importorskip({"arrow": "pyarrow"}.get(engine, engine))
    table = trace.to_dataframe(engine=engine, stats=["bias"])
    back = table.to_pandas() if engine == "arrow" else table
    np.testing.assert_array_equal(np.asarray(back["bias"]), trace.to_dataframe(stats=["bias"])["bias"])


def test_connections_are_the_weights(trace):
    table = trace.connections("E_5")
    row = table[(table.target_layer == "hidden_1") & (table.target_neuron == 2) & (table.source_neuron == 4)]
    assert row.source_layer.item() == "input" and row.weight.item() == trace["e5/hidden_1/n2"]["weight"][4]
    assert len(table) == 6 * 5 + 5 * 4 + 4 * 4 + 4 * 2 and len(trace.connections()) == 6 * len(table)


def test_connections_of_groups_and_of_layers_that_were_not_recorded():
    model = nn.Sequential(nn.Conv2d(2, 8, 3), nn.ReLU(), nn.Conv2d(8, 6, 3, groups=2), nn.ReLU(), nn.Conv2d(6, 3, 3))
    for layers, source, units in (("*", "0", 8), (["2", "4"], "0", 4)):
        with nissl.record(model, layers=layers, epoch_intervals=[0, 1], progress=False) as recorder:
            for _ in recorder.epochs(1):
                for (x,) in recorder.batches([(torch.ones(2, 2, 9, 9),)]):
                    model(x).sum().backward()
        table = recorder.trace.connections(1)
        grouped = table[table.target_layer == "2"]
        assert set(grouped.source_layer) == {source} and len(grouped) == 6 * 4
        assert set(grouped[grouped.target_neuron == 5].source_neuron) == set(range(units - 4, units))
        last = table[(table.target_layer == "4") & (table.target_neuron == 1)]
        np.testing.assert_allclose(last.weight, model[4].weight[1].sum((1, 2)).detach(), rtol=1e-5, atol=1e-6)


def test_damage_that_shows_only_when_reading_costs_that_epoch_alone(run_path):
    trace = made(run_path)
    shard = run_path / "layers/hidden_1/stats/c/0/0/0"
    whole = trace.to_dataframe(layers="output", stats="mean")
    shard.write_bytes(shard.read_bytes()[:100])
    with pytest.warns(NisslWarning, match="cannot be read"):
        assert nissl.open(run_path).to_dataframe().empty
    with pytest.warns(NisslWarning):
        assert nissl.open(run_path).layer("hidden_1").mean.shape == (0, 4)
    assert nissl.open(run_path).to_dataframe(layers="output", stats="mean").equals(whole)


def test_xarray_is_lazy_and_the_same(trace):
    tree = trace.to_xarray()
    found = tree["hidden_1"]["class_mean"]
    assert not found._in_memory
    np.testing.assert_array_equal(found.values, trace.layer("hidden_1").class_mean.values)
    np.testing.assert_array_equal(found[1:4, ::-2, 1], trace.layer("hidden_1").class_mean.values[1:4, ::-2, 1])
    np.testing.assert_array_equal(found[[5, 1], 2], trace.layer("hidden_1").class_mean.values[[5, 1], 2])
    assert list(found.coords["class"].values) == ["cat", "dog"]
    assert tree["probe_accuracy"].shape == (6,)


def test_dask_reads_the_same(trace):
    pytest.importorskip("dask")
    found = trace.to_xarray(chunks={"epoch": 2})["input"]["stats"]
    assert found.chunks is not None
    np.testing.assert_array_equal(found.compute(), trace.to_xarray()["input"]["stats"])


def test_it_shows_itself(trace):
    assert "6 epochs, E_0 to E_5; 4 layers; closed" in repr(trace)
    assert "hidden_1" in trace._repr_html_() and "<table>" in trace._repr_html_()
    assert "E_3-L_input-n_0" in repr(trace["e3/input/n0"]) and "hidden_1" in repr(trace.layer("hidden_1"))


def test_no_trace_says_so(tmp_path):
    with pytest.raises(NoTrace, match=str(tmp_path)):
        nissl.open(tmp_path / "nowhere")


def test_opening_needs_no_framework(trace):
    code = f"""
        import sys, nissl
        trace = nissl.open({str(trace.store.path)!r})
        print(trace["E_3"]["L_hidden_1"]["n_2"]["mean"], "torch" in sys.modules)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(trace["e3/hidden_1/n2"]["mean"]), "False"]


def test_a_second_process_follows_while_training_goes_on(run_path):
    code = f"""
        import nissl, os, time
        print("ready", flush=True)
        while not os.path.exists({str(run_path / "index.json")!r}) and os.getppid() != 1:
            time.sleep(0.002)
        trace = nissl.open({str(run_path)!r})
        for epoch in trace.follow(poll=0.01, timeout=20):
            print(epoch.number, epoch["L_output"]["n_0"]["bias"], flush=True)
    """
    follower = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, text=True)
    assert follower.stdout is not None
    assert follower.stdout.readline() == "ready\n"
    trace = made(run_path, epochs=30)
    said = [line.split() for line in follower.communicate(timeout=30)[0].splitlines()]
    assert [int(epoch) for epoch, _ in said] == list(range(31))
    assert all(float(bias) == trace[f"E_{epoch}"]["L_output"]["n_0"]["bias"] for epoch, bias in said)
