"""`train`: what it records, what it keeps, and what it says of pairs that cannot be."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from nissl.core.dataset import Examples, Splits
from nissl.core.settings import Settings
from nissl.core.trace import open as opened
from nissl.errors import BadValue, MissingData, TraceExists, UnknownName, Unsupported
from nissl.models.mlp import Mlp
from nissl.models.transformer import Transformer
from nissl.studies.train import train
from tests.studies.small import QUIET, few, weights


def test_a_run_is_recorded_and_its_best_weights_are_kept(run_path: Path) -> None:
    done = train(run_path, data="digits", model="mlp", epochs=3, learning_rate=1e-2, **QUIET)
    trace = opened(run_path)
    assert trace.epochs == [0, 1, 2, 3]
    assert trace.layers == ("hidden_1", "hidden_2", "output")
    assert trace.classes == tuple("0123456789")
    assert trace.closed
    assert trace.scalars["probe_accuracy"].values[-1] > 0.9
    np.testing.assert_allclose(done.losses, trace.scalars["probe_loss"].values[1:], rtol=1e-5)
    assert done.best == run_path.parent / "checkpoints" / run_path.name / "best_model.pt"
    best = torch.load(done.best, weights_only=True)
    epoch = int(np.argmin(done.losses)) + 1
    kept = trace.layer("output").array("weight").sel(epoch=epoch).values
    np.testing.assert_array_equal(best["output.weight"].numpy(), kept)
    again = Mlp((1, 8, 8), 10, weights=str(done.best)).build()
    np.testing.assert_array_equal(weights(again)["output.weight"], kept)
    names = {file.name for file in done.best.parent.iterdir()}
    assert names == {"best_model.pt", "state_000002.pt", "state_000003.pt"}


def test_the_best_is_not_the_last_where_the_last_is_worse(run_path: Path) -> None:
    done = train(run_path, data=few(32), epochs=12, learning_rate=0.1, **QUIET)
    lowest = int(np.argmin(done.losses))
    assert lowest < len(done.losses) - 1
    assert done.best is not None
    network = Mlp((1, 8, 8), 10, weights=str(done.best)).build()
    x, y = map(torch.from_numpy, few().test)
    with torch.no_grad():
        loss = float(torch.nn.functional.cross_entropy(network(x), y))
    assert loss == pytest.approx(done.losses[lowest], rel=1e-5)


def test_recording_changes_nothing_of_a_plain_loop() -> None:
    splits = few()
    done = train(data=splits, epochs=2, batch_size=40, seed=3, learning_rate=1e-3, **QUIET)
    torch.manual_seed(3)
    network = Mlp(splits.shape, 10).build()
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-3)
    order = torch.Generator().manual_seed(3)
    x, y = map(torch.from_numpy, splits.train)
    for _ in range(2):
        for rows in torch.randperm(len(x), generator=order).split(40):
            optimiser.zero_grad()
            torch.nn.functional.cross_entropy(network(x[rows]), y[rows]).backward()
            optimiser.step()
    for name, value in weights(network).items():
        np.testing.assert_array_equal(value, weights(done.network)[name])


def test_the_seed_decides_and_torch_is_left_as_it_was() -> None:
    before = torch.get_rng_state()
    one, same, other = (train(data=few(), epochs=1, seed=seed, **QUIET) for seed in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), before)
    for name, value in weights(one.network).items():
        np.testing.assert_array_equal(value, weights(same.network)[name])
    assert one.losses == same.losses != other.losses
    stats = [done.trace["E_1"]["L_hidden_1"].array("mean") for done in (one, same)]
    np.testing.assert_array_equal(*stats)


def test_everything_that_was_asked_is_in_the_header(run_path: Path) -> None:
    train(
        run_path, data="iris", data_options={"test_share": 0.3}, model="mlp", model_options={"hidden": (7,)}, epochs=4,
        seed=5, batch_size=10, optimiser="sgd", learning_rate=0.05, layers="hidden*", quantities=["activation", "weights"],
        epoch_intervals=[2, 4], drop_batches=False, every=2, rounding=10, **QUIET,
    )  # fmt: skip
    trace = opened(run_path)
    assert trace.epochs == [2, 4]
    assert trace.layers == ("hidden_1",)
    config, settings = trace.header["config"], trace.header["settings"]
    assert config["data"] == {"name": "Iris", "test_share": 0.3}
    assert config["model"] == {"name": "Mlp", "shape": [4], "classes": 3, "weights": None, "hidden": [7]}
    asked = {"optimiser": "sgd", "device": "cpu", "epochs": 4, "batch_size": 10, "learning_rate": 0.05, "seed": 5}
    assert {name: config[name] for name in asked} == asked
    assert settings["epoch_intervals"] == [2, 4]
    assert (settings["every"], settings["rounding"], settings["drop_batches"]) == (2, 10, False)
    assert trace.batches("hidden_1", 2).shape[1:] == (7, 7)


def test_settings_may_be_given_whole() -> None:
    done = train(data=few(), epochs=2, device="cpu", settings=Settings(epoch_intervals=2, progress=False))
    assert done.trace.epochs == [0, 2]
    assert done.best is None


def test_losses_that_are_no_numbers_leave_no_best_weights(run_path: Path) -> None:
    done = train(run_path, data=few(), epochs=2, optimiser="sgd", learning_rate=1e30, **QUIET)
    assert not np.isfinite(done.losses).any()
    assert done.best is None
    assert not list(run_path.parent.rglob("best_model.pt"))
    assert opened(run_path).epochs == [0, 1, 2]


def numbers(y: Any, classes: tuple[str, ...] = (), shape: tuple[int, ...] = (6,)) -> Splits:
    x = np.random.default_rng(0).normal(size=(len(y), *shape)).astype(np.float32)
    return Splits(Examples(x, y), Examples(x[:20], y[:20]), classes)


random = np.random.default_rng(1)
TASKS = {
    "multiclass": (few(), "mlp"),
    "binary": (numbers(random.integers(0, 2, 40), ("no", "yes")), "simple_nn"),
    "multilabel": (numbers(random.integers(0, 2, (40, 3)), ("a", "b", "c")), "mlp"),
    "regression": (numbers(random.normal(size=40)), "mlp"),
}


@pytest.mark.parametrize("kind", TASKS)
def test_the_loss_fits_the_labels(kind: str) -> None:
    data, model = TASKS[kind]
    done = train(data=data, model=model, epochs=3, **QUIET)
    assert done.trace.header["task"]["kind"] == kind
    np.testing.assert_allclose(done.losses, done.trace.scalars["probe_loss"].values[1:], rtol=1e-4)


def test_tokens_are_learned_at_every_position() -> None:
    tokens = np.arange(12)[:, None] + np.arange(6)[None] % 5
    data = Splits(
        Examples(tokens % 5, (tokens + 1) % 5), Examples(tokens[:4] % 5, (tokens[:4] + 1) % 5), tuple("abcde")
    )
    model = Transformer((6,), 5, every=True, width=16, heads=2).build()
    done = train(data=data, model=model, epochs=12, learning_rate=1e-2, batch_size=4, layers=["*up", "output"], **QUIET)
    assert done.losses[-1] < done.losses[0] < math.log(5) * 1.2
    assert done.trace.header["task"]["kind"] == "tokens"


def test_a_module_of_ones_own() -> None:
    own = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 10))
    done = train(data=few(), model=own, epochs=1, **QUIET)
    assert done.network is own
    assert done.trace.layers == ("1",)
    assert done.trace.header["config"]["model"] == "Sequential"


WRONG: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    "images wanted": ({"data": "iris", "model": "basic_cnn"}, BadValue, r"BasicCnn takes images .* have the shape \(4,\)"),
    "a table wanted": ({"data": "digits", "model": "simple_nn"}, BadValue, r"SimpleNn takes rows of a table"),
    "tokens wanted": ({"data": "iris", "model": "transformer"}, BadValue, r"cannot learn from table examples of shape \(4,\)"),
    "no such data": ({"data": "digit"}, UnknownName, "no 'digit'. Did you mean 'digits'"),
    "no such model": ({"model": "resnet"}, UnknownName, "'resnet20'"),
    "no such data option": ({"data_options": {"test": 1}}, UnknownName, "digits has no option 'test'.*test_share"),
    "no such model option": ({"model_options": {"hiden": 1}}, UnknownName, "Did you mean 'hidden'"),
    "a shape is the data's": ({"model_options": {"shape": (3,)}}, UnknownName, "no option 'shape'"),
    "no such optimiser": ({"optimiser": "adan"}, BadValue, "Did you mean 'adam'"),
    "no such option": ({"layer": "*"}, BadValue, "no option 'layer'. Did you mean 'layers'"),
    "no epochs": ({"epochs": 0}, BadValue, "epochs=0: a whole number from 1"),
    "half an epoch": ({"epochs": 1.5}, BadValue, "epochs=1.5"),
    "no step": ({"learning_rate": 0.0}, BadValue, "learning_rate=0.0: a number above 0"),
    "no such device": ({"device": "abacus"}, BadValue, "device='abacus' cannot be used"),
    "a path is wanted": ({"data": "arrays"}, BadValue, "arrays: missing 1 required.*'path'"),
    "options of mine": ({"data": few(), "data_options": {"a": 1}}, BadValue, "yours has its own fields"),
    "data of mine": ({"data": [1, 2]}, BadValue, "list is no name, no DataSet and no Splits"),
    "no module": ({"model": object()}, Unsupported, "object is no torch module"),
    "no such layer": ({"layers": "conv*"}, UnknownName, "No layer matches 'conv.*hidden_1"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_is_told_before_anything_is_written(case: str, run_path: Path) -> None:
    options, error, words = WRONG[case]
    with pytest.raises(error, match=words):
        train(run_path, **{**QUIET, "data": "digits", "epochs": 1, **options})
    assert not run_path.exists()


def test_a_schedule_that_is_never_due_is_refused(run_path: Path) -> None:
    with pytest.raises(
        BadValue, match=r"epoch_intervals=\[3, 5\] names none of the epochs 1 to 2: nothing would be recorded"
    ):
        train(run_path, data=few(), epochs=2, epoch_intervals=[3, 5], **QUIET)
    assert train(run_path, data=few(), epochs=2, epoch_intervals=[0], **QUIET).trace.epochs == [0]


def test_missing_data_says_where_it_was_looked_for(run_path: Path, tmp_path: Path) -> None:
    with pytest.raises(MissingData, match=r"no train-images-idx3-ubyte.gz. Looked for: .*nowhere.* download=True"):
        train(run_path, data="mnist", data_options={"folder": str(tmp_path / "nowhere")}, model="basic_cnn", **QUIET)


def test_a_trace_is_not_overwritten_unasked(run_path: Path) -> None:
    train(run_path, data=few(), epochs=1, **QUIET)
    with pytest.raises(TraceExists, match="overwrite=True"):
        train(run_path, data=few(), epochs=1, **QUIET)
    done = train(run_path, data=few(), epochs=2, overwrite=True, **QUIET)
    assert done.trace.epochs == [0, 1, 2]


class Interrupted(torch.nn.Module):  # type: ignore[misc]
    """A network at whose nth training pass somebody presses Ctrl-C."""

    def __init__(self, at: int) -> None:
        super().__init__()
        self.at = at
        self.flatten, self.output = torch.nn.Flatten(), torch.nn.Linear(64, 10)

    def forward(self, x: Any) -> Any:
        self.at -= self.training
        if self.at == 0:
            raise KeyboardInterrupt
        return self.output(self.flatten(x))


def test_an_interrupted_run_is_whole_and_says_so(run_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(KeyboardInterrupt):
        train(run_path, data=few(), model=Interrupted(at=8), epochs=9, device="cpu")  # three steps an epoch
    trace = opened(run_path)
    assert trace.epochs == [0, 1, 2]
    assert trace.closed
    assert trace.header["ended"].startswith("KeyboardInterrupt")
    assert np.isfinite(trace["E_2"]["L_output"]["n_3"]["mean"])
    assert (
        f"stopped in epoch 3 of 9; the trace at {run_path} is whole, resume goes on with it; epochs recorded: 3"
        in capsys.readouterr().err
    )
