"""The network as it was at several moments: kept whole, shown exactly, and put back."""

import numpy as np
import pytest
import torch
from torch import nn

from nissl import plugins
from nissl.core.projection import projection
from nissl.errors import BadValue, DamagedData, MissingData, UnknownName, Unsupported
from nissl.studies.stages import Stages
from nissl.studies.train import train

QUIET = {"progress": False, "device": "cpu"}


def net(seed=0, width=4):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(3, width), nn.BatchNorm1d(width), nn.ReLU(), nn.Linear(width, 2))


def test_what_was_kept_is_shown_exactly_and_the_model_is_put_back(tmp_path):
    model, stages, x = net(), Stages(tmp_path / "stages"), torch.randn(5, 3)
    said = {}
    for epoch in (0, 3, 12):
        model(x)  # moves the running means, which belong to what is kept
        said[epoch] = model.eval()(x)
        model.train()
        stages.keep(model, epoch)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(0.5)
    now = {name: value.clone() for name, value in model.state_dict().items()}
    assert stages.epochs == (0, 3, 12) and len(stages) == 3
    for epoch, wanted in said.items():
        with stages.at(model, epoch) as then:
            assert np.array_equal(then.forward(x), wanted.detach().numpy())
    with pytest.raises(KeyError), stages.at(model, 3):
        raise KeyError
    assert all(torch.equal(value, now[name]) for name, value in model.state_dict().items())
    found = projection(stages.each(model), (torch.randn(30, 3), torch.arange(30) % 2), by="pca", progress=False)
    assert [frame.name for frame in found.frames] == ["epoch 0", "epoch 3", "epoch 12"]


def test_what_cannot_be_shown_is_said(tmp_path):
    stages = Stages(tmp_path / "stages")
    assert stages.epochs == ()
    path = stages.keep(net(), 1)
    with pytest.raises(MissingData, match=r"epoch 2.*There are: 1"), stages.at(net(), 2):
        pass
    with pytest.raises(BadValue, match="shape"), stages.at(net(width=5), 1):
        pass
    with (
        pytest.raises(BadValue, match=r"another model.*0\.weight"),
        stages.at(nn.Sequential(nn.Flatten(), nn.Linear(3, 2)), 1),
    ):
        pass
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(DamagedData, match="epoch 1 cannot be read"), stages.at(net(), 1):
        pass
    with pytest.raises(BadValue, match="epoch=-1"):
        stages.keep(net(), -1)
    sklearn = pytest.importorskip("sklearn.neural_network").MLPClassifier((3,), max_iter=1)
    sklearn.partial_fit(np.zeros((4, 2)), [0, 1, 0, 1], classes=[0, 1])
    with pytest.raises(Unsupported, match="sklearn"):
        stages.keep(sklearn, 1)


@pytest.mark.parametrize("keep", ["improvements", "recorded"])
def test_training_keeps_the_stages_that_were_asked_for(run_path, keep):
    options = {"data": "iris", "epochs": 6, "seed": 2, "keep": keep, "epoch_intervals": [2, 5], **QUIET}
    done = train(run_path, **options)
    lowest = [epoch for epoch in range(1, 7) if done.losses[epoch - 1] == min(done.losses[:epoch])]
    assert done.stages.epochs == (0, *(lowest if keep == "improvements" else [2, 5]))
    again = train(run_path, overwrite=True, **{**options, "epochs": 1, "epoch_intervals": 1})
    assert again.stages.epochs == (0, 1)  # of the earlier run nothing is left


def test_nothing_is_kept_where_nothing_was_asked_for(run_path):
    done = train(run_path, data="iris", epochs=1, **QUIET)
    assert done.stages is None and not (run_path.parent / "checkpoints" / run_path.name / "stages").exists()
    with pytest.raises(BadValue, match=r"keep='improvements'.*in memory"):
        train(None, data="iris", epochs=1, keep="improvements", **QUIET)
    with pytest.raises(BadValue, match="keep='all'"):
        train(run_path, data="iris", epochs=1, keep="all", overwrite=True, **QUIET)


def test_a_folder_is_a_data_set(tmp_path, run_path):
    image = pytest.importorskip("PIL.Image")
    for name, grey in (("dark", 20), ("light", 230)):
        (tmp_path / "mine" / name).mkdir(parents=True)
        for number in range(6):
            image.new("L", (9, 9), grey + number).save(tmp_path / "mine" / name / f"{number}.png")
    done = train(run_path, data=str(tmp_path / "mine"), model="mlp", epochs=2, data_options={"gray": True}, **QUIET)
    assert done.trace.classes == ("dark", "light")
    assert done.trace.header["config"]["data"]["name"] == "Folder"


@pytest.mark.parametrize("name", ["SimpleNet", "simplenet", "simple-net", "simple_net"])
def test_names_may_be_written_as_one_is_used_to(name):
    assert plugins.load("models", name).__name__ == "SimpleNet"
    with pytest.raises(UnknownName, match="simple_net"):
        plugins.load("models", "simplnet")
