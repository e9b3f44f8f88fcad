"""Every form in which a user may hand over the probe."""

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, Dataset, TensorDataset

from nissl.core.probe import Probe, split
from nissl.errors import BadValue

x, y = torch.randn(10, 3), torch.arange(10) % 2


@pytest.mark.parametrize(
    "given",
    [
        (x, y),
        (x.numpy(), y.numpy()),
        [x, y],
        DataLoader(TensorDataset(x, y), 4),
        TensorDataset(x, y),
        [(x[:6], y[:6]), (x[6:], y[6:])],
        {"input_ids": x, "labels": y},
        ({"input_ids": x}, y),
    ],
    ids=["pair", "numpy", "a loader's batch", "loader", "data set", "batches", "dict", "dict and labels"],
)
def test_the_same_examples_come_out(given):
    probe = Probe(given, batch=4)
    inputs = [part["input_ids"] if isinstance(part, dict) else part for part, _ in probe]
    np.testing.assert_array_equal(np.concatenate([np.asarray(part) for part in inputs]), x)
    np.testing.assert_array_equal(np.concatenate([np.asarray(labels) for _, labels in probe]), y)
    assert probe.count == 10 and len(probe.labels) == len(inputs[0])


def test_inputs_without_labels():
    assert Probe(x).labels is None and Probe(x).count == 10


def test_what_cannot_be_a_probe():
    with pytest.raises(BadValue, match="probe"):
        Probe(3)
    with pytest.raises(BadValue, match="empty"):
        Probe([])


def test_batches_are_split_into_inputs_and_labels():
    assert (
        split((1, 2)) == (1, 2)
        and split([1, 2, 3]) == ((1, 2), 3)
        and split((1,)) == (1, None)
        and split(7) == (7, None)
    )
    assert split({"a": 1, "target": 2}) == ({"a": 1}, 2) and split({"a": 1}) == ({"a": 1}, None)


class Nested(Dataset):
    """Examples of two inputs, as a data set gives them."""

    def __init__(self, inputs):
        self.inputs = inputs

    def __len__(self):
        return 10

    def __getitem__(self, i):
        return self.inputs(x[i]), y[i]


@pytest.mark.parametrize("inputs", [lambda one: (one, -one), lambda one: {"a": one, "b": -one}], ids=["tuple", "dict"])
@pytest.mark.parametrize("loaded", [False, True])
def test_several_inputs_and_labels_of_a_data_set(inputs, loaded):
    found = list(Probe(DataLoader(Nested(inputs), 4) if loaded else Nested(inputs), batch=4))
    kind = type(inputs(x[0]))
    assert all(isinstance(part, kind) for part, _ in found)
    for name, sign in zip([0, 1] if kind is tuple else ["a", "b"], (1, -1), strict=True):
        np.testing.assert_array_equal(np.concatenate([np.asarray(part[name]) for part, _ in found]), sign * x)
    np.testing.assert_array_equal(np.concatenate([np.asarray(labels) for _, labels in found]), y)
