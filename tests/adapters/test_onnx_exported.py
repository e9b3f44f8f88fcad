"""Networks that torch's exporter wrote: the layers, values and parameters of the torch network."""

import copy

import numpy as np
import pytest

import nissl
from nissl.errors import BadValue
from tests.adapters.graphs import draw

pytestmark = pytest.mark.framework("onnx")


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A convolutional network of torch and the same as ONNX, as torch's exporter stores it: with a file beside it."""
    import onnx
    import torch
    from torch import nn

    torch.manual_seed(0)
    parts = [
        nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 6, 3, stride=2), nn.SiLU(),
        nn.ConvTranspose2d(6, 4, 2, stride=2, groups=2), nn.GELU(), nn.Flatten(), nn.Linear(144, 8), nn.Softplus(), nn.Dropout(),
        nn.Linear(8, 3),
    ]  # fmt: skip
    model = nn.Sequential(*parts).eval()
    path = tmp_path_factory.mktemp("exported") / "model.onnx"
    batch = torch.export.Dim("batch")
    torch.onnx.export(
        model, (torch.randn(2, 1, 8, 8),), path, dynamo=True, dynamic_shapes=({0: batch},), external_data=True,
        verbose=False,
    )  # fmt: skip
    assert path.with_name("model.onnx.data").exists()
    return model, onnx.load(path), path


EXPORTER = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")


@EXPORTER
def test_an_exported_network_has_torchs_layers_values_and_parameters(exported):
    model, proto, _ = exported
    ours, theirs, x = nissl.network(proto), nissl.network(model), draw(5, 1, 8, 8)
    wanted = list(theirs.layers)
    assert [(n.name, n.kind, n.units, n.nonlinearity, dict(n.parameters)) for n in ours.layers] == [
        (n.name, n.kind, n.units, n.nonlinearity, dict(n.parameters)) for n in wanted
    ]
    assert [layer.inputs for layer in ours.layers] == [(), ("0",), ("2",), ("4",), ("7",)]
    assert ours.layer("0").unit_shape == (8, 8)
    for place in ("activation", "preactivation"):
        heard, known = ours.probe(x, place=place), theirs.probe(x, place=place)
        for name, value in known.items():
            np.testing.assert_allclose(heard[name], value, atol=1e-5, err_msg=name)
    for layer in wanted:
        for key, value in theirs.weights(layer.name).items():
            np.testing.assert_array_equal(ours.weights(layer.name)[key], value)
    for layer in wanted:
        with (
            ours.change(layer.name, [0, 2], np.array([0.5, -1])),
            theirs.change(layer.name, [0, 2], np.array([0.5, -1])),
        ):
            np.testing.assert_allclose(ours.forward(x), theirs.forward(x), atol=1e-5)


@EXPORTER
def test_an_edit_is_the_edit_of_the_torch_network(exported):
    model, proto, _ = exported
    model, proto, x = copy.deepcopy(model), copy.deepcopy(proto), draw(3, 1, 8, 8)
    ours, theirs = nissl.network(proto), nissl.network(model)
    for layer in theirs.layers:
        new = {key: draw(*value.shape, seed=3) for key, value in theirs.weights(layer.name).items()}
        ours.edit(layer.name, new)
        theirs.edit(layer.name, new)
    np.testing.assert_allclose(ours.forward(x), theirs.forward(x), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(nissl.network(proto).forward(x), ours.forward(x))  # the user's own model was edited


@EXPORTER
def test_weights_that_were_left_in_their_file_are_asked_for(exported):
    import onnx

    with pytest.raises(BadValue, match=r"onnx\.load"):
        nissl.network(onnx.load(exported[2], load_external_data=False))


@EXPORTER
def test_recurrent_and_embedding_layers_are_torchs(run_path):
    import torch
    from torch import nn

    class Tagger(nn.Module):
        def __init__(self):
            super().__init__()
            self.emb, self.lstm = nn.Embedding(11, 6), nn.LSTM(6, 5, bidirectional=True)
            self.fc, self.head = nn.Linear(10, 4), nn.Linear(4, 3)

        def forward(self, x):
            return self.head(nn.functional.gelu(self.fc(self.lstm(self.emb(x))[0])).mean(0))

    torch.manual_seed(0)
    model, x = Tagger().eval(), torch.randint(0, 11, (7, 2))
    made = torch.onnx.export(model, (x,), dynamo=True, verbose=False)
    ours, theirs = nissl.network(made.model_proto), nissl.network(model)
    kinds = {"emb": "embedding", "lstm": "recurrent", "fc": "dense", "head": "dense"}
    assert {layer.name: layer.kind for layer in ours.layers} == kinds
    assert ours.layer("fc").nonlinearity == "GELU"
    x = x.numpy()
    heard, known = ours.probe(x), theirs.probe(x)
    for name in ("emb", "lstm", "head"):
        assert ours.layer(name).units == theirs.layer(name).units
        np.testing.assert_allclose(heard[name], known[name], atol=1e-5, err_msg=name)
    np.testing.assert_array_equal(ours.weights("emb")["weight"], theirs.weights("emb")["weight"])
    assert {k: v.shape for k, v in ours.weights("lstm").items()} == dict(ours.layer("lstm").parameters)
    with nissl.record(ours, run_path, probe=x, epoch_intervals=[0, 1], progress=False) as recorder:
        for _ in recorder.epochs(1):
            ours.run(x)
    recorded = recorder.trace["E_1/L_lstm"]
    np.testing.assert_allclose(recorded.array("probe_mean"), known["lstm"].reshape(-1, 10).mean(0), atol=1e-5)
    units = np.array([1, 7])
    with ours.change("lstm", units), theirs.change("lstm", units):
        np.testing.assert_allclose(ours.forward(x), theirs.forward(x), atol=1e-5)
    before = ours.weights("lstm")
    ours.edit("lstm", {key: 2 * value for key, value in before.items()})
    np.testing.assert_allclose(ours.weights("lstm")["recurrent_weight"], 2 * before["recurrent_weight"])
