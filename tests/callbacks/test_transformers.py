"""What Trainers are asked to do: accumulate, count in steps, go on inside an epoch, load the best, fail."""

import copy
import importlib
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from nissl import callbacks
from nissl.core.trace import open as open_trace
from nissl.errors import NisslWarning

pytestmark = pytest.mark.framework("transformers")


@pytest.fixture
def example():
    return importlib.import_module("tests.callbacks.example_transformers")


def test_a_transformer_of_its_own(example, tmp_path):
    from transformers import BertConfig, BertForSequenceClassification

    sizes = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 12}
    config = BertConfig(vocab_size=20, max_position_embeddings=8, num_labels=3, **sizes)
    words = torch.randint(0, 20, (24, 6))
    examples = [{"input_ids": words[i], "labels": i % 3} for i in range(24)]
    callback = callbacks.Transformers()
    example.fit([callback], 2, tmp_path, module=lambda: BertForSequenceClassification(config), examples=examples)
    assert callback.trace[2]["classifier"].array("class_count").tolist() == [8, 8, 8]
    assert callback.trace[2]["classifier"].array("count").tolist() == [24] * 3
    query = callback.trace[2]["bert.encoder.layer.0.attention.self.query"]
    assert query.array("count").tolist() == [24 * 6] * 8
    assert (callback.trace.scalars["accuracy"].values <= 1).all()


def test_the_loss_is_of_one_epoch_whenever_the_trainer_logs(example, tmp_path):
    often, seldom = callbacks.Transformers(), callbacks.Transformers()
    example.fit([often], 3, tmp_path / "often", save_strategy="no")
    example.fit([seldom], 3, tmp_path / "seldom", save_strategy="no", logging_strategy="steps", logging_steps=8)
    losses = often.trace.scalars["loss"].values
    np.testing.assert_array_equal(seldom.trace.scalars["loss"].values, losses)
    np.testing.assert_allclose(often.trace.scalars["train_loss"].values, losses, rtol=1e-5)  # epochs of full batches
    assert np.isnan(seldom.trace.scalars["train_loss"].values).tolist() == [True, False, False]


def test_labels_of_words_that_are_to_be_left_out(example, tmp_path):
    class Tagger(nn.Module):
        def __init__(self):
            super().__init__()
            self.words, self.out = nn.Embedding(20, 8), nn.Linear(8, 3)

        def forward(self, x, labels=None):
            scores = self.out(self.words(x))
            return nn.functional.cross_entropy(scores.flatten(0, 1), labels.flatten()), scores

    words = torch.randint(0, 20, (24, 6))
    tags = words % 3
    tags[:, 4:] = -100
    examples = [{"x": words[i], "labels": tags[i]} for i in range(24)]
    callback = callbacks.Transformers(classes=["a", "b", "c"])
    example.fit([callback], 1, tmp_path, module=Tagger, examples=examples)
    counts = callback.trace[1]["out"].array("class_count")
    assert counts.tolist() == [int((tags == k).sum()) for k in range(3)]


def test_every_forward_is_a_step_where_gradients_are_accumulated(example, tmp_path):
    callback = callbacks.Transformers()
    example.fit([callback], 2, tmp_path, gradient_accumulation_steps=4)
    assert callback.trace.scalars["steps"].values.tolist() == [6, 6]
    assert callback.trace[2]["net.0"].array("count")[0] == 48


def test_evaluations_inside_an_epoch_and_a_number_of_steps(example, run_path, tmp_path):
    often = {"eval_strategy": "steps", "eval_steps": 2, "logging_strategy": "steps", "logging_steps": 1}
    saving = {"save_strategy": "steps", "save_steps": 8}
    example.fit([callbacks.Transformers(run_path)], 9, tmp_path, max_steps=8, **often, **saving)
    trace = open_trace(run_path)
    assert trace.scalars["steps"].values.tolist() == [6, 2]
    assert trace[1]["net.0"].array("count")[0] == 48
    assert trace[2]["net.0"].array("count")[0] == 16
    example.fit([callbacks.Transformers(run_path)], 9, tmp_path, max_steps=18, resume=True, **often, **saving)
    assert open_trace(run_path).scalars["steps"].values.tolist() == [6, 2, 6]


def test_a_checkpoint_from_inside_an_epoch(example, run_path, tmp_path):
    saving = {"save_strategy": "steps", "save_steps": 8}
    with pytest.raises(ZeroDivisionError), callbacks.Transformers(run_path) as callback:
        example.fit([callback, example.failing(2, ZeroDivisionError())], 3, tmp_path, **saving)
    assert open_trace(run_path).epochs == [1]
    example.fit([callbacks.Transformers(run_path)], 3, tmp_path, resume=True, **saving)
    assert open_trace(run_path).scalars["steps"].values.tolist() == [6, 4, 6]


def test_the_last_epoch_is_recorded_before_the_best_one_is_loaded(example, tmp_path):
    class Worse(example.TrainerCallback):
        def on_evaluate(self, args, state, control, metrics=None, **others):
            metrics["eval_loss"] = state.epoch  # the first epoch is the best

    callback = callbacks.Transformers()
    best = {"load_best_model_at_end": True, "metric_for_best_model": "eval_loss", "greater_is_better": False}
    left = example.fit([Worse(), callback], 3, tmp_path, **best)
    np.testing.assert_array_equal(callback.trace[1]["net.0"].array("weight"), left["net.0.weight"])
    assert (callback.trace[3]["net.0"].array("weight") != left["net.0.weight"]).any()
    assert "eval_loss" in callback.trace[3].scalars


def test_labels_that_the_trainer_takes_away_are_missed_aloud(example, tmp_path):
    class Unjudged(example.Net):
        config = SimpleNamespace()

        def forward(self, x, labels=None):
            return {"logits": self.net(x)}

    with pytest.warns(NisslWarning, match="label_smoothing_factor"):
        callback = callbacks.Transformers()
        example.fit([callback], 1, tmp_path, module=Unjudged, label_smoothing_factor=0.1)
    assert callback.trace[1]["net.0"].array("count")[0] == 48
    assert callback.trace.classes == ()


def test_copies_of_the_model_are_not_heard(example, tmp_path):
    class Averaging(example.TrainerCallback):
        def on_step_end(self, args, state, control, model=None, **others):
            copy.deepcopy(model).train()(torch.ones(5, 5), torch.zeros(5, dtype=torch.long))

    callback = callbacks.Transformers()
    example.fit([callback, Averaging()], 1, tmp_path)
    assert callback.trace[1]["net.0"].array("count")[0] == 48
    assert callback.trace[1].scalars["steps"] == 6


def test_bfloat16(example, tmp_path):
    callback = callbacks.Transformers()
    example.fit([callback], 1, tmp_path, bf16=True)
    assert callback.trace[1]["net.0"].array("count")[0] == 48


def test_a_trainer_may_train_again(example, run_path, tmp_path):
    callback = callbacks.Transformers(run_path)
    trainer = example.trainer([callback, example.failing(2, ZeroDivisionError())], 3, tmp_path, example.Net())
    with pytest.raises(ZeroDivisionError):
        trainer.train()
    trainer.pop_callback(example.failing)
    trainer.train(resume_from_checkpoint=True)
    assert open_trace(run_path).epochs == [1, 2, 3]
    assert open_trace(run_path).header["ended"] == "finished"
    assert not trainer.model._forward_pre_hooks


SCRIPT = """
import sys
sys.path.insert(0, {root!r})
from pathlib import Path
from nissl import callbacks
from tests.callbacks import example_transformers as example
wrong = example.failing(3, ZeroDivisionError("in a script"))
example.fit([callbacks.Transformers({run!r}), wrong], 4, Path({folder!r}))
"""


def test_a_script_that_fails_leaves_a_trace_that_is_closed(run_path, tmp_path):
    script = tmp_path / "train.py"
    root = str(Path(__file__).parents[2])
    script.write_text(SCRIPT.format(root=root, run=str(run_path), folder=str(tmp_path / "out")))
    done = subprocess.run([sys.executable, "-W", "ignore", script], capture_output=True, text=True, check=False)
    assert done.stderr.rstrip().endswith("ZeroDivisionError: in a script")
    assert open_trace(run_path).epochs == [1, 2]
    assert open_trace(run_path).header["ended"] == "ZeroDivisionError: in a script"


@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf:UserWarning")  # dynamo looks
def test_a_compiled_model(example, tmp_path):
    compiled = {"torch_compile": True, "torch_compile_backend": "aot_eager"}
    callback = callbacks.Transformers()
    recorded = example.fit([callback], 1, tmp_path / "recorded", **compiled)
    alone = example.fit([], 1, tmp_path / "alone", **compiled)
    assert callback.trace[1].scalars["steps"] == 6
    assert callback.trace[1]["net.0"].array("class_count").tolist() == [16, 16, 16]
    assert all((recorded[name] == alone[name]).all() for name in alone)


def test_a_stream_of_data_of_unknown_length(example, tmp_path):
    class Stream(torch.utils.data.IterableDataset):
        def __iter__(self):
            yield from example.data()

    callback = callbacks.Transformers(probe=example.probe())
    endless = {"max_steps": 9, "examples": Stream(), "eval_strategy": "no", "save_strategy": "no"}
    example.fit([callback], 1, tmp_path, **endless)
    assert callback.trace.epochs[0] == 0
    assert np.nansum(callback.trace.scalars["steps"].values) == 9
