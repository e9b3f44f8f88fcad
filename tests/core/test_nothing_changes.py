"""Recording changes nothing: weights, buffers, optimiser and random state are bit-identical with and without it."""

import contextlib

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

import nissl
from nissl import plugins

EVERYTHING = [name for name in plugins.names("quantities") if name != "samples"]


class Residual(nn.Module):
    """Convolutions, batch norm, functional and in-place ReLU, one module called twice, dropout."""

    def __init__(self):
        super().__init__()
        self.first, self.norm = nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4)
        self.twice, self.relu = nn.Conv2d(4, 4, 3, padding=1), nn.ReLU(inplace=True)
        self.drop, self.last = nn.Dropout(0.3), nn.Linear(4 * 16, 3)

    def forward(self, x):
        x = F.relu(self.norm(self.first(x.reshape(-1, 1, 4, 4))))
        for _ in range(2):
            x = x + self.relu(self.twice(x))
        return self.last(self.drop(x.flatten(1)))


class Recurrent(nn.Module):
    """An LSTM's tuple, attention, and a transformer block."""

    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(4, 8, batch_first=True, num_layers=2, dropout=0.2)
        self.attend = nn.MultiheadAttention(8, 2, batch_first=True, dropout=0.1)
        self.block = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
        self.last = nn.Linear(8, 3)

    def forward(self, x):
        x, _ = self.lstm(x.reshape(-1, 4, 4))
        return self.last(self.block(self.attend(x, x, x)[0]).mean(1))


class Checkpointed(nn.Module):
    """Part of the forward pass is run again in the backward pass."""

    def __init__(self, reentrant):
        super().__init__()
        self.reentrant = reentrant
        self.body = nn.Sequential(nn.Linear(16, 8), nn.ReLU(), nn.Dropout(0.2), nn.Linear(8, 8), nn.Tanh())
        self.last = nn.Linear(8, 3)

    def forward(self, x):
        return self.last(checkpoint(self.body, x.requires_grad_(), use_reentrant=self.reentrant))


def plain():
    return nn.Sequential(nn.Linear(16, 8), nn.ReLU(), nn.Dropout(0.4), nn.Linear(8, 3))


def reference(name, **fields):
    return lambda: plugins.load("models", name)(classes=3, **fields).build()


MODELS = {
    "plain": plain,
    "residual": Residual,
    "recurrent": Recurrent,
    "reentrant": lambda: Checkpointed(True),
    "not reentrant": lambda: Checkpointed(False),
    "compiled": lambda: torch.compile(plain(), backend="aot_eager"),
    "mlp": reference("mlp", shape=(16,)),
    "simple_net": lambda: nn.Sequential(nn.Unflatten(1, (1, 4, 4)), nn.Upsample(32), reference("simple_net", shape=(1, 32, 32))()),
    "resnet20": lambda: nn.Sequential(nn.Unflatten(1, (1, 4, 4)), nn.Conv2d(1, 3, 1), nn.Upsample(32), reference("resnet20", shape=(3, 32, 32))()),
}  # fmt: skip


def trained(make, recording, style="plain"):
    torch.manual_seed(3)
    model = make()
    optimizer = torch.optim.Adam(model.parameters(), 0.01)
    x, y = torch.randn(24, 16), torch.arange(24) % 3
    held = torch.randn(10, 16), torch.arange(10) % 3
    refused = {"gradient": hasattr(model, "_orig_mod"), "structures": getattr(model, "reentrant", False)}
    wanted = [name for name in EVERYTHING if not refused.get(name)]
    options = {"quantities": wanted, "probe": held, "drop_batches": False, "progress": False, "functional": False}
    with nissl.record(model, None, **options) if recording else contextlib.nullcontext() as recorder:
        for _ in recorder.epochs(2) if recorder else range(2):
            batches = [(x[i : i + 8], y[i : i + 8]) for i in (0, 8, 16)]
            for step, (a, b) in enumerate(recorder.batches(batches) if recorder else batches):
                with torch.autocast("cpu", torch.bfloat16, enabled=style == "autocast"):
                    loss = F.cross_entropy(model(a.clone()), b)
                loss.backward()
                if style != "accumulate" or step == 2:
                    optimizer.step()
                    optimizer.zero_grad()
    state = {"random": torch.get_rng_state(), **model.state_dict()}
    for index, slots in optimizer.state_dict()["state"].items():
        state |= {f"{index}.{name}": torch.as_tensor(value) for name, value in slots.items()}
    return state


@pytest.mark.parametrize("name", MODELS)
def test_every_bit_is_the_same(name):
    with_it, without = trained(MODELS[name], True), trained(MODELS[name], False)
    assert with_it.keys() == without.keys()
    assert [key for key in without if not torch.equal(with_it[key], without[key])] == []


@pytest.mark.parametrize("style", ["autocast", "accumulate"])
@pytest.mark.parametrize("name", ["plain", "residual"])
def test_in_mixed_precision_and_with_accumulated_gradients(name, style):
    with_it, without = trained(MODELS[name], True, style), trained(MODELS[name], False, style)
    assert [key for key in without if not torch.equal(with_it[key], without[key])] == []


def test_hugging_face_models_from_a_config():
    transformers = pytest.importorskip("transformers")
    config = transformers.BertConfig(
        vocab_size=50, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32, num_labels=3
    )

    def run(recording):
        torch.manual_seed(0)
        model = transformers.BertForSequenceClassification(config)
        optimizer = torch.optim.AdamW(model.parameters(), 1e-3)
        x, y = torch.randint(0, 50, (12, 7)), torch.arange(12) % 3
        batches = [{"input_ids": x[i : i + 4], "labels": y[i : i + 4]} for i in (0, 4, 8)]
        with nissl.record(model, None, progress=False) if recording else contextlib.nullcontext() as recorder:
            for _ in recorder.epochs(2) if recorder else range(2):
                for batch in recorder.batches(batches) if recorder else batches:
                    model(**batch).loss.backward()
                    optimizer.step()
                    optimizer.zero_grad()
        return model.state_dict(), recorder and recorder.trace

    (with_it, trace), (without, _) = run(True), run(False)
    assert [key for key in without if not torch.equal(with_it[key], without[key])] == []
    assert trace.header["task"]["kind"] == "multiclass" and trace["E_2"].scalars["loss"] > 0
    kinds = {trace.place(layer).kind for layer in trace.layers}
    assert {"dense", "embedding", "attention"} <= kinds
