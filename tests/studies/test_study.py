"""A study of a small network that learns which half of a picture is bright: what it says against what is counted by hand."""

import numpy as np
import pytest
import torch
from torch import nn

from nissl.core.attributing import attribute
from nissl.core.marks import Text
from nissl.core.search import structure
from nissl.errors import BadValue, DamagedData, MissingData, UnknownName
from nissl.studies.stages import Stages
from nissl.studies.study import of, study
from nissl.studies.subject import subject
from nissl.studies.train import train
from nissl.views.misclassified import Misclassified

HALVES = ("left", "right", "top")


def pictures(count, seed):
    """Grey pictures with a bright half, and some of each that no rule tells apart."""
    draw = np.random.default_rng(seed)
    y = draw.integers(0, 3, count)
    x = draw.normal(0, 1, (count, 1, 10, 8)).astype(np.float32)
    for which, part in enumerate([np.s_[:, :4], np.s_[:, 4:], np.s_[:5]]):
        for number in np.flatnonzero(y == which):
            x[number, 0][part] += 0.45
    return x, y


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.bn, self.relu = nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU()
        self.hidden, self.out = nn.Linear(4 * 48, 12), nn.Linear(12, 3)

    def forward(self, x):
        return self.out(torch.relu(self.hidden(self.relu(self.bn(self.conv(x))).flatten(1))))


@pytest.fixture(scope="module")
def learnt(tmp_path_factory):
    torch.manual_seed(0)
    net, stages = Net(), Stages(tmp_path_factory.mktemp("kept") / "stages")
    x, y = (torch.from_numpy(part) for part in pictures(240, 0))
    optimiser = torch.optim.Adam(net.parameters(), 1e-2)
    stages.keep(net, 0)
    for epoch in range(1, 5):
        for at in range(0, 240, 40):
            optimiser.zero_grad()
            nn.functional.cross_entropy(net(x[at : at + 40]), y[at : at + 40]).backward()
            optimiser.step()
        stages.keep(net, epoch)
    net.eval()
    return net, stages, pictures(90, 1)


@pytest.fixture(scope="module")
def seen(learnt):
    net, stages, data = learnt
    return study(net, data, stages, classes=HALVES, samples=4, progress=False)


def test_of_a_long_name_below_a_map_the_number_is_whole():
    names = ("a name that is far longer than a picture is wide", "b")
    likely = np.array([[[0.0171, 0.9829]], [[0.6, 0.4]], [[0.25, 0.75]]])
    shown = Misclassified(
        np.array([7]), np.zeros((1, 1, 4, 4)), np.array([1]), likely, np.ones((3, 1, 1, 4, 4)), [0, 1, 2], names, "gradient", 1, 9
    )  # fmt: skip
    words = [mark.words for mark in shown.describe().marks if isinstance(mark, Text)]
    below = [word for word in words if ", p " in word]
    assert [word.rpartition(", ")[2] for word in below] == ["p 0.98", "p 0.40", "p 0.75"]
    assert [word.startswith("right") for word in below] == [True, False, True]
    assert "…" in below[1]


def test_each_stage_is_judged_as_the_network_then_was(learnt, seen):
    net, stages, (x, y) = learnt
    assert seen.epochs == (0, 1, 2, 3, 4)
    for stage in seen.judged:
        with stages.at(net, stage.epoch) as then:
            logits = torch.from_numpy(then.forward(x))
        given = logits.softmax(1).numpy()
        np.testing.assert_allclose(stage.probabilities, given, atol=1e-6)
        assert stage.accuracy == pytest.approx((given.argmax(1) == y).mean())
        assert stage.loss == pytest.approx(float(nn.functional.cross_entropy(logits, torch.from_numpy(y))), rel=1e-5)
        by_hand = np.zeros((3, 3), int)
        for truth, said in zip(y, given.argmax(1), strict=True):
            by_hand[truth, said] += 1
        np.testing.assert_array_equal(stage.confusion, by_hand)
        np.testing.assert_array_equal(np.asarray(seen.trace.array("probe_confusion", epoch=stage.epoch)), by_hand)
    assert seen.judged[-1].accuracy > seen.judged[0].accuracy + 0.2


def test_mistakes_come_worst_first(learnt, seen):
    _, _, (_, y) = learnt
    last = seen.judged[-1]
    wrong = [number for number in range(len(y)) if last.predicted[number] != y[number]]
    assert sorted(seen.mistakes()) == wrong and len(wrong) > 2
    given = last.probabilities[seen.mistakes(), y[seen.mistakes()]]
    assert (np.diff(given) >= 0).all()


def test_the_pictures_show_what_attribution_says(learnt, seen):
    net, stages, (x, y) = learnt
    before = {name: value.clone() for name, value in net.state_dict().items()}
    made = dict(seen.pictures())
    assert {"curves", "projection", "misclassified", "portraits", "portraits_over_training"} <= set(made)
    assert len([name for name in made if name.startswith("saliency/")]) == 5
    assert [name for name in made if name.startswith("confusion_matrix/")] == [
        f"confusion_matrix/confusion_matrix_{epoch}" for epoch in range(5)
    ]
    shown = made["misclassified"]
    assert list(shown.numbers) == list(seen.mistakes()[:4])
    for at, epoch in enumerate(seen.epochs):
        with stages.at(net, epoch) as then:
            wanted = attribute(then, x[shown.numbers], y[shown.numbers], "guided_backprop")
        np.testing.assert_allclose(shown.attributions[at], wanted.values, rtol=1e-6, atol=1e-9)
    attention = [view for name, view in made.items() if name.startswith("attention/")]
    assert len(attention) == 3 and attention[0].layers == ["conv", "hidden", "out"]
    with stages.at(net, 2) as then:
        number = int(seen.mistakes()[0])
        wanted = attribute(then, x[[number]], by="guided_backprop", at="hidden", unit="whole")
    np.testing.assert_allclose(attention[0].maps[1, 2], wanted.values[0], rtol=1e-6, atol=1e-9)
    for view in made.values():
        words = [mark.words for mark in view.describe().marks if hasattr(mark, "words")]
        assert words
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert not net.training


def test_logs_for_tensorboard(learnt, seen, tmp_path):
    written = seen.to_tensorboard(tmp_path / "logs")
    files = sorted(file.name for file in written.iterdir())
    assert files[0].startswith("events.out.tfevents") and files[1] == "projector"
    raw = (written / files[0]).read_bytes()
    for tag in (b"Loss/eval", b"Accuracy/eval", b"Confusion", b"Misclassified/%d" % seen.mistakes()[0], b"Conv2d"):
        assert tag in raw
    assert (written / "projector/projector_config.pbtxt").exists()
    with pytest.raises(BadValue, match="nothing is overwritten"):
        seen.to_tensorboard(written)


def test_two_networks_are_laid_side_by_side(learnt):
    net, stages, data = learnt
    other = Net()
    torch.manual_seed(1)
    found = study(net, data, stages, epochs=[4], against=other, names=("old", "new"), classes=HALVES, progress=False)
    both = [view for name, view in found.pictures() if name.startswith("side_by_side/")]
    assert len(both) == 3 and all(list(view.columns) == ["old", "new"] for view in both)
    assert all(not np.allclose(view.maps[:, 0], view.maps[:, 1]) for view in both)


def test_a_checkpoint_needs_no_stages_and_a_single_output_is_class_one(learnt):
    net, _, (x, y) = learnt
    alone = study(net, (x, y), classes=HALVES, progress=False)
    assert len(alone.judged) == 1 and "curves" not in dict(alone.pictures())
    half = y < 2
    one = nn.Sequential(nn.Flatten(), nn.Linear(80, 1), nn.Tanh())
    found = study(one, (x[half], y[half].astype(np.float32)), progress=False)
    said = 1 / (1 + np.exp(-one(torch.from_numpy(x[half])).detach().numpy()[:, 0]))
    np.testing.assert_allclose(found.judged[0].probabilities[:, 1], said, atol=1e-6)
    assert "smooth grad" in dict(found.pictures())["misclassified"].by  # there is no ReLU that could be guided


def test_tables_are_studied_without_pictures_of_samples():
    draw = np.random.default_rng(0)
    net = nn.Sequential(nn.Linear(5, 6), nn.ReLU(), nn.Linear(6, 2))
    found = study(net, (draw.normal(size=(40, 5)).astype(np.float32), np.arange(40) % 2), progress=False)
    assert set(dict(found.pictures())) == {"confusion_matrix/confusion_matrix_0", "projection"}


def test_what_cannot_be_studied_is_said(learnt, tmp_path):
    net, stages, (x, y) = learnt
    for options, message in [
        ({"samples": 0}, "samples=0"), ({"epochs": [1, 9], "stages": stages}, r"epochs=\[1, 9\].*0, 1, 2, 3, 4"),
        ({"epochs": [1]}, "give stages="), ({"stages": tmp_path}, "holds no stages"),
    ]:  # fmt: skip
        with pytest.raises(BadValue, match=message):
            study(net, (x, y), progress=False, **options)
    with pytest.raises(BadValue, match="labels"):
        study(net, x, progress=False)
    sick = Net()
    sick.out.weight.data.fill_(np.nan)
    with pytest.raises(BadValue, match="diverge"):
        study(sick, (x, y), progress=False)
    with pytest.raises(MissingData):
        of("no/such/run:" + "thing", data="digits")


def test_a_checkpoint_is_studied_without_training(run_path):
    done = train(run_path, data="iris", epochs=2, progress=False, device="cpu", model_options={"hidden": (7,)})
    found = of(f"mlp,hidden=7:{done.best}", data="iris", progress=False)
    assert found.judged[0].loss == pytest.approx(min(done.losses), rel=1e-5) and found.run is None
    assert found.epochs == (0,)
    run = of(
        str(run_path), progress=False
    )  # only the best weights were kept, and the trace says of which epoch they are
    assert run.epochs == (1 + int(np.argmin(done.losses)),)
    assert run.judged[0].loss == found.judged[0].loss
    for where, message in [
        (f"mlp:{done.best}", "for another network"),
        (f"mlp,shape=3:{done.best}", "no option .shape"),
    ]:
        with pytest.raises((UnknownName, DamagedData), match=message):
            of(where, data="iris")


def test_a_run_is_trained_anew_with_layers_frozen_and_a_structure_gone(run_path, tmp_path):
    quiet = {"progress": False, "device": "cpu"}
    first = train(run_path, data="iris", epochs=3, keep="improvements", **quiet)
    found = of(str(run_path))
    assert found.run is not None and found.run.epochs == first.trace.epochs

    known = subject(str(run_path))
    gone = structure(known.model, known.discovery, 1, size=3, progress=False)
    gone.save(tmp_path / "one.json")
    options = {"start": run_path, "freeze": ["hidden_1"], "delete": [tmp_path / "one.json"], "epochs": 2, **quiet}
    again = train(run_path.with_name("again"), keep="recorded", **options)
    then, now = (Stages(again.stages.folder).at(again.network, epoch) for epoch in (0, 2))
    with then as network:
        before = network.weights("hidden_1"), network.weights("output")
    with now as network:
        after = network.weights("hidden_1"), network.weights("output")
    assert all(np.array_equal(after[0][name], before[0][name]) for name in before[0])
    assert not np.array_equal(after[1]["weight"], before[1]["weight"])
    config = again.trace.header["config"]
    assert config["freeze"] == ["hidden_1"] and config["delete"] == [str(tmp_path / "one.json")]
    assert config["data"]["name"] == "Iris"
    judged = of(str(run_path.with_name("again"))).judged  # by what was kept: what was deleted is in no weights
    assert [one.loss for one in judged[1:]] == pytest.approx(again.losses, rel=1e-5)
    best = of(f"mlp:{again.best}", data="iris").judged[0]
    assert best.loss == pytest.approx(min(again.losses), rel=1e-5)
    with pytest.raises(BadValue, match="other layers or weights"):
        train(run_path.with_name("other"), data="iris", epochs=1, delete=[tmp_path / "one.json"], **quiet)
