"""What Lightning modules look like: parts that are called by themselves, two networks, metrics, other batches and clocks."""

import importlib
import warnings

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader

from nissl import callbacks
from nissl.core.trace import open as open_trace
from nissl.errors import BadValue, NotHeard, UnknownName

pytestmark = pytest.mark.framework("lightning")


@pytest.fixture
def example():
    return importlib.import_module("tests.callbacks.example_lightning")


@pytest.fixture
def L(example):  # noqa: N802 - as everybody calls it
    return example.L


def counts(trace, epoch=1):
    return {layer: int(trace[epoch][layer].array("count")[0]) for layer in trace.layers}


def test_a_module_whose_forward_never_runs_is_heard_by_its_parts(example, tmp_path):
    class Parts(example.Net):
        def __init__(self):
            super().__init__()
            self.head = nn.Linear(3, 3)

        def forward(self, x):
            raise AssertionError("never called")

        def loss(self, batch):
            x, y = batch
            return F.cross_entropy(self.head(self.net(x).relu()), y)

    callback = callbacks.Lightning()
    example.fit([callback], 2, tmp_path, module=Parts)
    assert counts(callback.trace, 1) == counts(callback.trace, 2) == {"net.0": 48, "net.3": 48, "head": 48}
    assert callback.trace[1]["net.0"].array("class_count").sum() == 48
    values = callback.trace[1]["net.0"]
    assert (values.array("min") >= 0).all()  # the ReLU that follows is the layer's


def test_a_part_is_judged_where_the_module_itself_is_not_called(example, tmp_path):
    class Parts(example.Net):
        def loss(self, batch):
            return F.cross_entropy(self.net(batch[0]), batch[1])

    whole, part = callbacks.Lightning(), callbacks.Lightning(part="net")
    example.fit([whole], 1, tmp_path / "whole", module=Parts)
    example.fit([part], 1, tmp_path / "part", module=Parts)
    assert part.trace.layers == ("0", "3")
    assert "accuracy" in part.trace.scalars
    np.testing.assert_array_equal(part.trace[1]["0"].array("mean"), whole.trace[1]["net.0"].array("mean"))


def test_a_part_that_is_not_there_is_named_with_those_that_are(example, tmp_path):
    with pytest.raises(UnknownName, match=r"part='nett'.*net"):
        example.fit([callbacks.Lightning(part="nett")], 1, tmp_path)


def test_two_networks_that_are_optimised_by_hand(example, L, tmp_path):  # noqa: N803
    class Adversaries(L.LightningModule):
        def __init__(self):
            super().__init__()
            self.automatic_optimization = False
            self.maker = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 5))
            self.judge = nn.Sequential(nn.Linear(5, 6), nn.LeakyReLU(), nn.Linear(6, 1))

        def training_step(self, batch, index):
            real = batch[0]
            makes, judges = self.optimizers()
            made = self.maker(torch.randn(len(real), 4))
            right, wrong = torch.ones(len(real), 1), torch.zeros(len(real), 1)
            for optimizer, loss in (
                (judges, lambda: self.loss(real, right) + self.loss(made.detach(), wrong)),
                (makes, lambda: self.loss(made, right)),
            ):
                optimizer.zero_grad()
                self.manual_backward(loss())
                optimizer.step()

        def loss(self, x, y):
            return F.binary_cross_entropy_with_logits(self.judge(x), y)

        def configure_optimizers(self):
            return [torch.optim.Adam(part.parameters()) for part in (self.maker, self.judge)]

    callback = callbacks.Lightning(labels=lambda batch: None, quantities=["activation", "gradient", "weights"])
    torch.manual_seed(0)
    model = Adversaries()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="lightning|torch")
        example.quiet(max_epochs=2, callbacks=[callback]).fit(model, example.loader())
    assert counts(callback.trace, 2) == {"maker.0": 48, "maker.2": 48, "judge.0": 144, "judge.2": 144}
    assert callback.trace[2].scalars["steps"] == 6


def test_metrics_inside_the_module_are_no_layers(example, tmp_path):
    from torchmetrics.classification import MulticlassAccuracy

    class Measured(example.Net):
        def __init__(self):
            super().__init__()
            self.loss_of = nn.CrossEntropyLoss()
            self.right = MulticlassAccuracy(3, average="micro")

        def training_step(self, batch, index):
            scores = self(batch[0])
            self.right(scores, batch[1])
            self.log("right", self.right, on_epoch=True, on_step=False)
            return self.loss_of(scores, batch[1])

    callback = callbacks.Lightning()
    example.fit([callback], 2, tmp_path, module=Measured)
    assert callback.trace.layers == ("net.0", "net.3")
    scalars = callback.trace.scalars
    np.testing.assert_allclose(scalars["right"].values, scalars["accuracy"].values, rtol=1e-6)


def test_numbers_belong_to_the_epoch_that_they_were_logged_in(example, tmp_path):
    callback = callbacks.Lightning()
    example.fit([callback], 4, tmp_path, check_val_every_n_epoch=2)
    assert callback.trace.scalars["seen"].values.tolist() == [1, 2, 3, 4]
    assert np.isnan(callback.trace.scalars["val_loss"].values).tolist() == [True, False, True, False]


def test_labels_are_where_the_user_says(example, tmp_path):
    class Named(example.Net):
        def loss(self, batch):
            return F.cross_entropy(self(batch["x"]), batch["kind"])

    def together(pairs):
        return {"x": torch.stack([x for x, _ in pairs]), "kind": torch.stack([y for _, y in pairs])}

    callback = callbacks.Lightning(labels=lambda batch: batch["kind"])
    data = DataLoader(example.loader().dataset, batch_size=8, collate_fn=together)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="lightning|torch")
        example.quiet(max_epochs=1, callbacks=[callback], accumulate_grad_batches=4).fit(Named(), data)
    assert callback.trace[1]["net.0"].array("class_count").tolist() == [16, 16, 16]
    assert callback.trace[1].scalars["steps"] == 6  # batches, not the optimiser's steps


def test_a_training_that_is_counted_in_steps_ends_inside_an_epoch_and_goes_on_there(example, run_path, tmp_path):
    first = callbacks.Lightning(run_path)
    torch.manual_seed(0)
    model = example.Net()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="lightning|torch")
        trainer = example.quiet(max_steps=8, callbacks=[first], num_sanity_val_steps=0)
        trainer.fit(model, example.loader(True))
        trainer.save_checkpoint(tmp_path / "at-8.ckpt")
        assert open_trace(run_path).scalars["steps"].values.tolist() == [6, 2]
        trainer = example.quiet(max_steps=20, callbacks=[callbacks.Lightning(run_path)], num_sanity_val_steps=0)
        trainer.fit(example.Net(), example.loader(True), ckpt_path=tmp_path / "at-8.ckpt")
    # Lightning counts what is left of that epoch as one more
    assert open_trace(run_path).scalars["steps"].values.tolist() == [6, 2, 4, 6, 2]


def test_a_checkpoint_from_inside_an_epoch(example, L, run_path, tmp_path):  # noqa: N803
    saving = L.pytorch.callbacks.ModelCheckpoint(tmp_path, every_n_train_steps=8, save_top_k=-1, filename="{step}")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="lightning|torch")
        with pytest.raises(ZeroDivisionError):
            example.quiet(
                max_epochs=3, callbacks=[callbacks.Lightning(run_path), saving, example.failing(2, ZeroDivisionError())],
                enable_checkpointing=True,
            ).fit(example.Net(), example.loader(True))  # fmt: skip
        assert open_trace(run_path).epochs == [1]
        example.quiet(max_epochs=3, callbacks=[callbacks.Lightning(run_path)]).fit(
            example.Net(), example.loader(True), ckpt_path=tmp_path / "step=8.ckpt"
        )
    assert open_trace(run_path).scalars["steps"].values.tolist() == [6, 4, 6]


def test_the_older_package_trains_with_the_same_callback(example, tmp_path):
    older = pytest.importorskip("pytorch_lightning")

    class Older(older.LightningModule):
        def __init__(self):
            super().__init__()
            self.net = nn.Linear(5, 3)

        def training_step(self, batch, index):
            return F.cross_entropy(self.net(batch[0]), batch[1])

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), 0.1)

    callback = callbacks.Lightning(part="net")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="pytorch_lightning|torch")
        older.Trainer(
            max_epochs=2, callbacks=[callback], accelerator="cpu", logger=False, enable_checkpointing=False,
            enable_progress_bar=False, enable_model_summary=False,
        ).fit(Older(), example.loader())  # fmt: skip
    assert counts(callback.trace, 2) == {"model": 48}


def test_a_network_that_nobody_calls_ends_the_training_in_its_first_step(example, run_path, tmp_path):
    class Around(example.Net):
        def loss(self, batch):
            return F.cross_entropy(F.linear(F.linear(batch[0], self.net[0].weight), self.net[3].weight), batch[1])

    with pytest.raises(NotHeard, match="Nothing was heard of any of the 2 layers in the first training step"):
        example.fit([callbacks.Lightning(run_path)], 1, tmp_path, module=Around)


def test_nothing_is_recorded_of_validating_testing_and_predicting(example, tmp_path):
    callback = callbacks.Lightning()
    trainer = example.quiet(callbacks=[callback])
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="lightning|torch")
        trainer.validate(example.Net(), example.loader(), verbose=False)
        trainer.predict(example.Net(), DataLoader(torch.randn(8, 5)))
    with pytest.raises(BadValue, match="has not started to train"):
        _ = callback.trace
