"""Hostile input to `nissl.portrait`: each is refused in words that say what to do."""

import numpy as np
import pytest
import torch
from torch import nn

import nissl

SHAPED = {"shape": (1, 8, 8)}
X = np.random.default_rng(0).normal(size=(30, 1, 8, 8))


def model():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU(), nn.Flatten(), nn.Linear(108, 4))


@pytest.mark.parametrize(("options", "said"), [
    ({}, "shape="), ({"shape": (1, 0, 8)}, "shape"), ({"shape": (1, 9, 9)}, "can't take inputs of shape"), ({"shape": "8x8"}, "shape"),
    ({**SHAPED, "target": 4}, "There are: 0, 1, 2, 3"), ({**SHAPED, "target": [-1]}, "target=-1"), ({**SHAPED, "target": []}, "empty"),
    ({**SHAPED, "target": "tree", "classes": ["tee", "cat", "dog", "cow"]}, "Did you mean 'tee'"), ({**SHAPED, "target": True}, "True"),
    ({**SHAPED, "target": [10, -10, -10, -10]}, "floats"), ({**SHAPED, "target": [1.0, 2.0]}, "4 in all"),
    ({**SHAPED, "target": [np.nan, 0, 0, 0.0]}, "finite"), ({**SHAPED, "target": [[1.0], [2, 3]]}, "a vector of 4"),
    ({**SHAPED, "target": lambda out: out}, "one number an example"), ({**SHAPED, "of": "1"}, "no layer '1'"),
    ({**SHAPED, "of": "0", "target": 3}, "target=3 is none of 0"), ({**SHAPED, "of": "0", "metric": "logit"}, "metric='logit'"),
    ({**SHAPED, "metric": "logits"}, "metric='logits'"), ({**SHAPED, "span": (1, 0)}, "smaller one first"), ({**SHAPED, "span": 3}, "span=3"),
    ({**SHAPED, "span": ([0, 0], [1, 1])}, "each channel"), ({**SHAPED, "count": 0}, "count=0"), ({**SHAPED, "steps": 1.5}, "steps=1.5"),
    ({**SHAPED, "search": -1}, "search=-1"), ({**SHAPED, "batch": 0}, "batch=0"), ({**SHAPED, "rate": 0}, "rate"),
    ({**SHAPED, "noise": -1}, "noise=-1"), ({**SHAPED, "turn": "far"}, "turn='far'"), ({**SHAPED, "shfit": 1}, "shift"),
    ({**SHAPED, "classes": ["a", "b"]}, "names 2 classes"), ({**SHAPED, "target": lambda out: out[:, 0], "judge": model()}, "judge"),
    ({**SHAPED, "start": np.zeros((2, 1, 8, 8))}, "start"), ({"data": X[:, 0, 0, 0]}, "no inputs"), ({"data": X[:0]}, "empty"),
    ({"data": np.where(np.arange(30)[:, None, None, None] == 4, np.nan, X)}, "input 4"), ({"data": X, "shape": (1, 7, 7)}, "leave shape out"),
    ({"data": {"a": X, "b": X}}, "several inputs"), ({"data": X.astype(str)}, "numbers"), ({"data": X, "canvas": "wave"}, "no 'wave'"),
])  # fmt: skip
def test_what_cannot_be_meant_is_said_in_words(options, said):
    with pytest.raises((ValueError, LookupError, TypeError), match=said):
        nissl.portrait(model(), **{"steps": 2, **options}, progress=False)


def test_a_network_that_is_broken_is_told():
    broken = model()
    with torch.no_grad():
        broken[0].weight[0] = np.nan
    with pytest.raises(ValueError, match="no finite number"):
        nissl.portrait(broken, 0, **SHAPED, steps=2, progress=False)


def test_tokens_have_nothing_between_them():
    net = nn.Sequential(nn.Embedding(9, 4), nn.Flatten(), nn.Linear(12, 2))
    with pytest.raises(TypeError, match="tokens"):
        nissl.portrait(net, shape=3, progress=False)


def test_more_targets_than_anyone_would_draw_are_to_be_named():
    with pytest.raises(ValueError, match="name those to draw"):
        nissl.portrait(nn.Linear(3, 500), shape=3, progress=False)
    assert len(nissl.portrait(nn.Linear(3, 500), [7, 499], shape=3, steps=2, progress=False)) == 2


def test_loaders_pairs_and_odd_shapes_are_taken():
    net, y = model(), np.zeros(30, int)
    loader = torch.utils.data.DataLoader(
        torch.utils.data.TensorDataset(torch.from_numpy(X).float(), torch.from_numpy(y)), 7
    )
    made = [nissl.portrait(net, 1, data=data, steps=3, progress=False) for data in (X, (X, y), loader)]
    assert made[0].pictures.tobytes() == made[1].pictures.tobytes()
    np.testing.assert_allclose(made[2].pictures, made[0].pictures, atol=1e-5)
    for shape in ((5,), (1, 2, 2), (3, 9, 4), (2, 3, 4, 5)):
        flat = nn.Sequential(nn.Flatten(), nn.Linear(int(np.prod(shape)), 2))
        found = nissl.portrait(flat, shape=shape, steps=3, progress=False)
        assert found.pictures.shape == (2, *shape)
        assert (found.pixels is None) == (shape in ((5,), (1, 2, 2), (2, 3, 4, 5)))


def test_what_is_found_can_be_taken_apart_and_kept(tmp_path):
    found = nissl.portrait(model(), data=X, classes=["a", "b", "c", "d"], count=2, steps=3, progress=False)
    assert len(found) == 8
    assert len(found["c"]) == 2
    assert found["c"].scores.tolist() == found.scores[4:6].tolist()
    with pytest.raises(LookupError, match="There are: a, b, c, d"):
        found["e"]
    table = found.to_dataframe()
    assert list(table["target"]) == list("aabbccdd")
    assert {"scores", "probabilities", "steady", "realism", "realism_of_inputs"} <= set(table)
    kept = np.load(found.save(tmp_path / "new" / "found.npz"))
    assert (kept["pictures"] == found.pictures).all()
    assert kept["target"].tolist() == list("aabbccdd")
    with pytest.raises(ValueError, match="npz"):
        found.save(tmp_path / "found.png")
    assert "8 portraits of a, b, c, d" in repr(found)


def test_of_many_inputs_some_are_taken_from_all_over():
    many = np.repeat(np.arange(3.0), 4000)[:, None] * np.ones(4)
    labels = np.repeat(np.arange(3), 4000)
    for data in (many, (many, labels), [torch.from_numpy(many), torch.from_numpy(labels)]):
        paper = nissl.portrait(nn.Linear(4, 2), data=data, steps=1, progress=False).paper
        assert len(paper.sample) == 4000
        assert [round(float((paper.sample[:, 0] == k).mean()), 2) for k in range(3)] == [0.33, 0.33, 0.33]
