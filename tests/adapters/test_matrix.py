"""The same weights in two frameworks: the same values, gradients and profiles come out; docs/frameworks.md shows what works where."""

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest

from nissl.core.capabilities import Differentiable, Editable, Labelling, Trainable
from nissl.core.network import network
from nissl.core.profiling import profile
from nissl.core.record import record
from nissl.core.search import structure, structures
from nissl.core.topomap import topomap
from tests.adapters.twins import CLASSES, LABELS, TWINS

PAGE = Path(__file__).parents[2] / "docs" / "frameworks.md"
TITLES = {
    "torch": "PyTorch",
    "flax": "Flax nnx",
    "equinox": "Equinox",
    "onnx": "ONNX",
    "sklearn": "scikit-learn MLPs",
    "tf_keras": "tf_keras, SavedModels",
}
CLOSE = {"rtol": 1e-5, "atol": 1e-5}
KINDS = (False, True)  # an MLP, a CNN


def units_second(layer, value):
    """(example, unit, *positions), whatever the framework's order."""
    return np.moveaxis(np.asarray(value), (layer.batch_axis, layer.unit_axis), (0, 1))


def same_values(name, cnn):
    """Values of every layer equal torch's; where the framework's nonlinearity is a function of its own, those before it."""
    (twin, net), (reference, torch) = opened(name, cnn), opened("torch", cnn)
    heard, places = net.probe(twin.x), {"activation": torch.probe(reference.x)}
    places["preactivation"] = torch.probe(reference.x, place="preactivation")
    assert len(net.layers) == len(torch.layers) == 3
    for layer, other in zip(net.layers, torch.layers, strict=True):
        place = "activation" if layer.nonlinearity or not other.nonlinearity else "preactivation"
        mine, theirs = heard[layer.name], places[place][other.name]
        np.testing.assert_allclose(units_second(layer, mine), units_second(other, theirs), **CLOSE)
        for key, parameter in torch.weights(other.name).items():
            np.testing.assert_allclose(net.weights(layer.name)[key].reshape(parameter.shape), parameter, **CLOSE)


def same_profiles(name, cnn):
    """Mean by class of every layer's probe, as a trace holds it; and of every position, as `nissl.profile` finds it."""
    means, groups = [], []
    for which in (name, "torch"):
        twin, net = opened(which, cnn)
        with record(
            net, probe=(twin.x, LABELS), quantities=["activation", "profile"], epoch_intervals=[0], progress=False
        ) as recorder:
            list(recorder.epochs(1))
        means.append([recorder.trace.read(layer, "probe_class_mean", [0])[0] for layer in recorder.trace.layers])
        found = profile(net, (twin.x, LABELS), batch=7, classes=CLASSES, progress=False)
        groups.append([units_second(layer, found[layer.name]) for layer in net.layers])
    for layer, mine, theirs in zip(opened(name, cnn)[1].layers[:-1], *means, strict=False):
        if layer.nonlinearity:
            np.testing.assert_allclose(mine, theirs, **CLOSE)
    for layer, mine, theirs in zip(opened(name, cnn)[1].layers[:-1], *groups, strict=False):
        if layer.nonlinearity:
            np.testing.assert_allclose(mine, theirs, **CLOSE)


def same_maps(name, cnn):
    """The same units in the same places: profiles that differ in their last digits move nobody."""
    places = []
    for which in (name, "torch"):
        twin, net = opened(which, cnn)
        with record(
            net, probe=(twin.x, LABELS), quantities=["profile"], epoch_intervals=[0], progress=False
        ) as recorder:
            list(recorder.epochs(1))
        places.append([topomap(recorder.trace, layer).positions for layer in recorder.trace.layers])
    for layer, mine, theirs in zip(opened(name, cnn)[1].layers[:-1], *places, strict=False):
        if layer.nonlinearity:
            np.testing.assert_array_equal(mine, theirs)


def same_gradients(name, cnn):
    """Of a class's output, with respect to the input and to every layer."""
    (twin, net), (reference, torch) = opened(name, cnn), opened("torch", cnn)
    mine, theirs = net.gradient(twin.x, "sum"), torch.gradient(reference.x, "sum")
    mine, theirs = np.asarray(net.to_numpy(mine)), torch.to_numpy(theirs)
    if name == "sklearn":  # the sum of its outputs, which are probabilities, is 1
        np.testing.assert_allclose(mine, 0, atol=1e-6)
        return
    np.testing.assert_allclose(np.moveaxis(mine, twin.channels, 1), theirs, **CLOSE)
    for layer, other in zip(net.layers, torch.layers, strict=True):
        if layer.nonlinearity == other.nonlinearity or (layer.nonlinearity and other.nonlinearity):
            mine = net.to_numpy(net.gradient(twin.x, LABELS, at=layer.name))
            theirs = torch.to_numpy(torch.gradient(reference.x, LABELS, at=other.name))
            np.testing.assert_allclose(units_second(layer, mine), units_second(other, theirs), **CLOSE)


def same_cut(name, cnn):
    """Two units of the first layer deleted: the same outputs."""
    outputs = []
    for which in (name, "torch"):
        twin, net = opened(which, cnn)
        with net.change(net.layers[0].name, [0, 2]):
            outputs.append(net.forward(twin.x))
    mine, theirs = outputs
    layer, other = opened(name, cnn)[1].layers[0], opened("torch", cnn)[1].layers[0]
    if bool(layer.nonlinearity) == bool(other.nonlinearity) or layer.nonlinearity is None:  # relu(0) is 0 as well
        np.testing.assert_allclose(mine, softmax(theirs) if name == "sklearn" else theirs, **CLOSE)


def same_scores(name, cnn):
    """What each unit of the layers that are heard alike adds to a class, by gradients and by cuts; and the whole way of a layer."""
    found = []
    for which in (name, "torch"):
        twin, net = opened(which, cnn)
        net.probe(twin.x)
        asked = {"layers": [layer.name for layer in net.layers[:-1]], "progress": False, "classes": CLASSES}
        methods = [("exact_ablation", {})] if isinstance(net, Editable) else []
        methods += [("attribution_patching", {})] if isinstance(net, Differentiable) else []
        if len(methods) == 2 and net.together:
            methods += [("integrated_gradients", {"steps": 2})]
        found.append(
            {
                by: structures(net, (twin.x, LABELS), by=by, baseline="mean", **options, **asked)
                for by, options in methods
            }
        )
    layers = zip(opened(name, cnn)[1].layers[:-1], opened("torch", cnn)[1].layers[:-1], strict=True)
    alike = [(mine.name, theirs.name) for mine, theirs in layers if mine.nonlinearity]
    for by, family in found[0].items():
        for target, one in family.items():
            for mine, theirs in alike:
                wanted = found[1][by][target].scores[theirs]
                np.testing.assert_allclose(one.scores[mine], wanted, rtol=1e-3, atol=1e-4, err_msg=f"{by} {mine}")


def unnamed(name):
    """Where no method is named, one is taken that the framework can."""
    twin, net = opened(name, cnn=False)
    net.probe(twin.x)
    layers = [layer.name for layer in net.layers[:-1]]
    found = structure(net, (twin.x, LABELS), 1, layers=layers, classes=CLASSES, progress=False)
    best = {"torch": "Secant", "onnx": "ExactAblation", "equinox": "AttributionPatching"}.get(
        name, "IntegratedGradients"
    )
    assert found.recipe["by"].startswith(best)
    assert len(found) >= 1


def softmax(values):
    exponentials = np.exp(values - values.max(1, keepdims=True))
    return exponentials / exponentials.sum(1, keepdims=True)


def opened(name, cnn):
    twin = TWINS[name](cnn)
    return twin, network(twin.model)


def title(name):
    if name != "keras":
        return TITLES[name]
    backend = importlib.import_module("keras").backend.backend()
    return "Keras 3 on " + {"tensorflow": "TensorFlow", "torch": "PyTorch", "jax": "JAX"}[backend]


def row(name):
    """What was just seen to work, as a line of the table."""
    twin, net = opened(name, cnn=False)
    net.probe(twin.x)
    after = "after the nonlinearity" if net.layers[0].nonlinearity else "before a nonlinearity that is a function"
    cells = [
        title(name),
        after,
        "yes" if net.steps_heard else "the probe",
        "yes" if isinstance(net, Labelling) else "from the loader",
        "yes" if isinstance(net, Differentiable) else "no",
        "yes" if isinstance(net, Trainable) else "no",
        "yes" if isinstance(net, Editable) else "no",
    ]
    return f"| {' | '.join(cells)} |"


@pytest.mark.parametrize("name", [pytest.param(name, marks=pytest.mark.framework(name)) for name in TWINS])
def test_the_same_weights_show_the_same(name):
    for cnn in KINDS[: 1 if name == "sklearn" else 2]:
        same_values(name, cnn)
        same_profiles(name, cnn)
        same_maps(name, cnn)
        net = opened(name, cnn)[1]
        if isinstance(net, Differentiable):
            same_gradients(name, cnn)
        if isinstance(net, Editable):
            same_cut(name, cnn)
        same_scores(name, cnn)
    unnamed(name)
    assert row(name) in PAGE.read_text().splitlines(), f"docs/frameworks.md does not say so yet:\n{row(name)}"


def test_no_framework_is_loaded_to_find_out():
    present = set(sys.modules) & {"torch", "keras", "tensorflow", "tf_keras", "jax", "flax", "equinox", "onnx"}
    with pytest.raises(TypeError, match="No adapter"):
        network(object())
    assert set(sys.modules) & {"torch", "keras", "tensorflow", "tf_keras", "jax", "flax", "equinox", "onnx"} == present
