"""The graph's files: layers as the header knows them, blocks folded, and what is whose."""

from dataclasses import asdict

import numpy as np
import pytest

from nissl.core.layer import Layer
from nissl.core.store import ArraySpec, Column, Record
from nissl.core.trace import Trace
from nissl.errors import BadValue, UnknownKey
from nissl.stores.memory import Memory
from nissl.studies._feed.graph import ABOVE, recorded
from nissl.studies.feed import Feed
from nissl.testing.specimens import conv, dense, specimen, trace
from tests.studies.test_feed import unpacked


def blocky():
    layers = [conv("stem", 8)]
    for block in range(3):
        for part in ("conv1", "conv2"):
            layers.append(conv(f"layer.{block}.{part}", 8, layers[-1]))
    return [*layers, dense("fc", 10, layers[-1], bends=None)]


def test_a_deep_network_is_drawn_as_its_header_has_it():
    seen = specimen("deep")
    head, _ = unpacked(Feed(seen).file("graph/layers.bin"))
    ids = {node["path"]: node["id"] for node in head["nodes"]}
    assert list(ids) == list(seen.layers)
    wanted = {(ids[name], ids[layer]) for layer in seen.layers for name in seen.place(layer).inputs}
    assert {(edge["source"], edge["target"]) for edge in head["edges"]} == wanted
    boxes = [(n["x"], n["y"], n["x"] + n["w"], n["y"] + n["h"]) for n in head["nodes"]]
    for i, one in enumerate(boxes):
        assert one[2] <= head["width"] + 1
        assert one[3] <= head["height"] + 1
        assert not any(a[0] < one[2] and one[0] < a[2] and a[1] < one[3] and one[1] < a[3] for a in boxes[:i])
    params = sum(int(np.prod(shape)) for x in seen.layers for shape in seen.place(x).parameters.values())
    assert head["params"] == params == sum(node["params"] for node in head["nodes"])


def test_blocks_fold_one_by_one_and_by_levels():
    feed = Feed(trace(blocky()))
    whole, _ = unpacked(feed.file("graph/layers.bin"))
    paths = {node["path"]: node["id"] for node in whole["nodes"]}
    assert set(paths) == {"stem", "fc", "layer", *(f"layer.{b}" for b in range(3)), *(f"layer.{b}.{c}" for b in range(3) for c in ("conv1", "conv2"))}  # fmt: skip
    one, _ = unpacked(feed.file(f"graph/layers.f{paths['layer.1']}.bin"))
    assert one["closed"] == [paths["layer.1"]]
    assert {node["path"] for node in one["nodes"]} == set(paths) - {"layer.1.conv1", "layer.1.conv2"}
    assert one["layers"][str(paths["layer.1"])] == ["layer.1.conv1", "layer.1.conv2"]
    assert {(e["source"], e["target"]) for e in one["edges"]} >= {
        (paths["layer.0.conv2"], paths["layer.1"]), (paths["layer.1"], paths["layer.2.conv1"])
    }  # fmt: skip
    top, _ = unpacked(feed.file("graph/layers.d1.bin"))
    assert [node["path"] for node in top["nodes"]] == ["stem", "layer", "fc"]
    assert sum(node["params"] for node in top["nodes"]) == top["params"] > top["nodes"][1]["params"] > 0
    for name in ("graph/layers.d0.bin", "graph/modules.bin", "graph/x.bin", "graph/layers.f1--2.bin"):
        with pytest.raises(UnknownKey):
            feed.file(name)
    with pytest.raises(BadValue, match="no blocks"):
        feed.file("graph/layers.f999.bin")


def test_what_is_whose_is_what_is_above_the_mean():
    seen = specimen("followed")
    head, arrays = unpacked(Feed(seen).file("graph/dye.2.bin"))
    assert head["layers"] == ["hidden_1", "hidden_2", "output"]
    table = seen.read("hidden_1", "attribution", [2])[0].astype(float)
    last = seen.read("hidden_1", "attribution", [5])[0].astype(float)
    full = np.percentile(np.maximum(last, 0).max(1), 99)
    share = np.clip(table / full, 0, 1.2)
    np.testing.assert_allclose(
        arrays["causal"][0], np.maximum(share - ABOVE * share.mean(1, keepdims=True), 0).mean(0), rtol=1e-4
    )


def test_of_three_hundred_layers_blocks_are_closed_at_first():
    layers = [Layer("stem", "conv", 4, parameters={"weight": (4, 1, 3, 3)})]
    for number in range(300):
        layers.append(Layer(f"stage{number // 30}.block{number // 3}.c{number}", "conv", 4, inputs=(layers[-1].name,)))
    graph = recorded("deep", layers)
    assert (len(graph.nodes) - len(graph.blocks), graph.depth) == (301, 3)
    from nissl.studies._feed.graph import READ, _folded

    shown = _folded(graph, "")
    assert len(shown.nodes) - len(shown.blocks) <= READ


def test_a_layer_of_which_only_means_were_kept_is_no_class_s_own():
    layers = [dense("silent", 6), dense("output", 4, dense("silent", 6), bends=None)]
    store = Memory("means")
    store.create({"classes": list("abcd"), "layers": [asdict(layer) for layer in layers]})
    once = (Column("", "first"),)
    store.declare(
        [
            ArraySpec("stats", ("neuron", "stat"), (6, 1), "silent", columns=(Column("probe_mean", "first"),)),
            ArraySpec("probe_class_mean", ("neuron", "class"), (4, 4), "output", columns=once),
        ]
    )
    store.append(Record(0, {"layers/silent/stats": np.ones((6, 1)), "layers/output/probe_class_mean": np.eye(4)}))
    store.close()
    _, arrays = unpacked(Feed(Trace(store)).file("graph/dye.0.bin"))
    np.testing.assert_array_equal(arrays["contrast"][0], np.zeros(4))
    assert (arrays["contrast"][1] > 0).all()
