"""What the page reads of single examples, unpacked and held to the trace."""

import numpy as np
import pytest

from nissl.core.attributing import attribute
from nissl.core.projection import projection
from nissl.data.digits import Digits
from nissl.errors import MissingData, UnknownKey
from nissl.studies._feed.moments import Moments
from nissl.studies.feed import Feed
from nissl.studies.stages import Stages
from nissl.studies.subject import Subject, at_hand
from nissl.testing.sampled import sampled
from nissl.testing.specimens import conv, dense, specimen, trace
from tests.studies.test_feed import unpacked


@pytest.fixture(scope="module")
def seen():
    return sampled()


@pytest.fixture
def feed(seen):
    return Feed(seen)


def test_answers_are_those_of_the_trace(seen, feed):
    labels = unpacked(feed.file("answers/labels.bin"))[1]["labels"]
    np.testing.assert_array_equal(labels, Digits().load().test.y)
    for epoch in (0, 5):
        arrays = unpacked(feed.file(f"answers/{epoch}.bin"))[1]
        outputs = seen.read("output", "samples", [epoch])[0].astype(float)
        chances = np.exp(outputs) / np.exp(outputs).sum(1, keepdims=True)
        np.testing.assert_array_equal(arrays["said"], outputs.argmax(1))
        np.testing.assert_allclose(arrays["sure"] / 255, chances.max(1), atol=1 / 255)
        np.testing.assert_allclose(arrays["own"] / 255, chances[np.arange(len(labels)), labels], atol=1 / 255)
    assert feed.index()["parts"]["answers"]["epochs"] == [0, 1, 2, 5]
    with pytest.raises(UnknownKey):
        feed.file("answers/3.bin")


def test_points_are_nissls_own_projection(seen, feed):
    told = feed.index()["parts"]["points"]
    assert [layer["name"] for layer in told["layers"]] == ["hidden_1", "hidden_2", "output"]
    assert (told["first"], told["by"], told["count"]) == (1, ["tsne", "pca"], 359)
    made = projection(seen, None, "hidden_1", by="pca", progress=False)
    quality = made.quality
    for frame, kept in zip(made.frames, quality.frames, strict=True):
        head, arrays = unpacked(feed.file(f"points/0.pca.{frame.moment.epoch}.bin"))
        assert arrays["places"].shape == (359, 2)
        np.testing.assert_allclose(head["trust"], kept.trustworthiness, atol=1e-5)
        found = arrays["places"].astype(float)
        scale = (found - found.mean(0)).std() / (frame.positions - frame.positions.mean(0)).std()
        np.testing.assert_allclose(found - found.mean(0), scale * (frame.positions - frame.positions.mean(0)), atol=2)


def test_all_epochs_have_one_scale(feed):
    places = [unpacked(feed.file(f"points/0.pca.{epoch}.bin"))[1]["places"] for epoch in (0, 1, 2, 5)]
    every = np.concatenate(places)
    low, high = every.min(0), every.max(0)
    assert (high - low).max() == 65535
    assert low[np.argmax(high - low)] == 0


def test_an_epoch_with_not_a_number_has_no_points_and_the_others_do():
    feed = Feed(sampled(bad=2))
    with pytest.raises(MissingData, match="finite"):
        feed.file("points/0.pca.2.bin")
    assert unpacked(feed.file("points/0.pca.5.bin"))[0]["epoch"] == 5


def test_pictures_are_the_examples_in_blocks(feed):
    x = Digits().load().test.x
    told = feed.index()["parts"]["thumbs"]
    assert told == {"count": 359, "block": 256}
    for block, some in ((0, slice(0, 256)), (1, slice(256, 359))):
        head, arrays = unpacked(feed.file(f"thumbs/{block}.bin"))
        assert head["shape"] == [8, 8, 1]
        np.testing.assert_allclose(arrays["pixels"][..., 0], 255 * x[some, 0], atol=1)
    with pytest.raises(UnknownKey):
        feed.file("thumbs/2.bin")


def test_without_data_there_is_a_reason_in_place_of_pictures():
    feed = Feed(sampled(config=False))
    assert "does not say which data" in feed.index()["parts"]["thumbs"]["absent"]
    assert list(feed.parts["thumbs"].names()) == []


def test_driving_examples_are_the_largest(seen, feed):
    values = seen.read("hidden_1", "samples", [2])[0].astype(float)
    head, arrays = unpacked(feed.file("driving/0.2.bin"))
    for unit in (0, 7):
        wanted = np.argsort(-values[:, unit], kind="stable")[:9]
        np.testing.assert_array_equal(arrays["examples"][unit], wanted)
        np.testing.assert_allclose(arrays["values"][unit] / 32767 * head["most"], values[wanted, unit], atol=1e-3)
    head, arrays = unpacked(feed.file("driving/0.7.2.bin"))
    np.testing.assert_allclose(arrays["values"] / 255 * head["most"], values[:, 7].clip(0), atol=head["most"] / 255)
    for name in ("driving/2.2.bin", "driving/0.99.2.bin", "driving/0.x.2.bin", "driving/2.bin"):
        with pytest.raises(UnknownKey):
            feed.file(name)


def test_a_trace_without_single_examples_says_what_would_record_them():
    parts = Feed(specimen("followed")).index()["parts"]
    for kind in ("answers", "points", "driving"):
        assert "quantities" in parts[kind]["absent"], kind


def test_examples_that_came_with_the_network_are_pictured_whole_and_no_others(network):
    """More than are taken to find with; and the same in another order are not the same."""
    test = Digits().load().test
    own = sampled(config=False)
    for given in ((test.x, test.y), ((test.x[:9], test.y[:9]), (test.x, test.y)), (test.x, [str(y) for y in test.y])):
        held = Feed(own, network=lambda given=given: at_hand(network, given, limit=100))
        head, arrays = unpacked(held.file("thumbs/1.bin"))
        assert (head["first"], len(arrays["pixels"])) == (256, 103)
        np.testing.assert_allclose(arrays["pixels"][..., 0], 255 * test.x[256:, 0], atol=1)
    for given, why in (
        ((test.x[::-1], test.y[::-1]), r"of \d\d\d of 359 the data say another class"),
        ((test.x[:200], test.y[:200]), r"359 examples were recorded, the data hold 200 of shape \(1, 8, 8\)"),
    ):
        with pytest.raises(MissingData, match=why):
            Feed(own, network=lambda given=given: at_hand(network, given)).file("thumbs/0.bin")


@pytest.fixture(scope="module")
def network():
    from torch import nn

    layers = nn.Flatten(), nn.Linear(64, 12), nn.ReLU(), nn.Linear(12, 8), nn.ReLU(), nn.Linear(8, 10)
    return nn.Sequential(*layers)


def test_attributions_are_nissls_own(seen, network):
    from nissl.studies.attribution import five

    splits = Digits().load()
    feed = Feed(seen, network=lambda: Subject("mine", network, splits.train, splits.test, splits.classes))
    head, arrays = unpacked(feed.file("attributions/7.panels.bin"))
    assert [stage["name"] for stage in head["stages"]] == ["the network at hand"]
    for name, one in five(network, splits.test.x[7:8], baseline=0.0).items():
        np.testing.assert_allclose(arrays[f"0.{name}"], one.values[0, 0], atol=1e-6)
    np.testing.assert_allclose(arrays["0.delta"], arrays["0.saliency"] - arrays["0.baseline"], atol=1e-6)
    np.testing.assert_allclose(arrays["source"][..., 0], 255 * splits.test.x[7, 0], atol=1)
    head, arrays = unpacked(feed.file("attributions/7.guided_backprop.bin"))
    np.testing.assert_allclose(
        arrays["0.guided_backprop"],
        attribute(network, splits.test.x[7:8], by="guided_backprop").values[0, 0],
        atol=1e-6,
    )
    for name in ("attributions/7.nothing.bin", "attributions/999.panels.bin", "attributions/x.panels.bin"):
        with pytest.raises(UnknownKey):
            feed.file(name)
    held = list(feed.parts["attributions"].names())
    wrong = int((seen.array("probe_prediction", 5) != seen.array("probe_label", 5)).sum())
    assert len(held) == 2 * min(24, wrong) > 0


def test_attributions_want_the_network(feed):
    assert "--model" in feed.index()["parts"]["attributions"]["absent"]
    assert list(feed.parts["attributions"].names()) == []


def test_stages_that_were_kept_are_looked_at_and_left_alone(network, tmp_path):
    import copy

    before = copy.deepcopy(network.state_dict())
    moments = Moments(lambda: network, tmp_path / "run")
    assert moments.epochs == ()
    other = copy.deepcopy(network)
    for parameter in other.parameters():
        parameter.data.mul_(0.5)
    Stages(tmp_path / "checkpoints" / "run" / "stages").keep(other, 3)
    assert moments.epochs == (3,)
    with moments.at(3) as then:
        np.testing.assert_allclose(then.weights("1")["weight"], other[1].weight.detach().numpy())
    with moments.at(None) as now:
        np.testing.assert_allclose(now.weights("1")["weight"], network[1].weight.detach().numpy())
    assert all((network.state_dict()[name] == value).all() for name, value in before.items())


def test_one_example_over_the_epochs_and_beside_its_class(seen, feed):
    head, arrays = unpacked(feed.file("examples/11.bin"))
    assert head["epochs"] == [0, 1, 2, 5]
    outputs = np.stack([seen.read("output", "samples", [epoch])[0][11] for epoch in (0, 1, 2, 5)]).astype(float)
    np.testing.assert_allclose(
        arrays["chances"] / 255, np.exp(outputs) / np.exp(outputs).sum(1, keepdims=True), atol=1 / 255
    )
    labels = seen.array("probe_label", 5)
    head, arrays = unpacked(feed.file("examples/11.5.bin"))
    values = seen.read("hidden_1", "samples", [5])[0].astype(float)
    whose = (labels == labels[11]) & (np.arange(len(labels)) != 11)
    assert (head["class"], head["alike"]) == (labels[11], whose.sum())
    found = arrays["0"] / 32767 * head["most"]["0"]
    np.testing.assert_allclose(found, [values[11], values[whose].mean(0), values[whose].std(0)], atol=2e-3)


def test_channels_are_the_layers_own_maps():
    import torch
    from torch import nn

    model = nn.Sequential()
    for name, layer in (
        ("look", nn.Conv2d(1, 5, 3)),
        ("bend", nn.ReLU()),
        ("flat", nn.Flatten()),
        ("output", nn.Linear(180, 10)),
    ):
        model.add_module(name, layer)
    splits = Digits().load()
    seen = trace([conv("look", 5), dense("output", 10, conv("look", 5), bends=None)])
    feed = Feed(seen, network=lambda: Subject("mine", model, splits.train, splits.test, splits.classes))
    assert "channels" in feed.index()["parts"]["channels"]["absent"], "nothing is known of single examples"
    feed.stage.probed.__dict__["count"] = len(splits.test.y)
    assert feed.index()["parts"]["channels"]["layers"] == [True]
    x = torch.as_tensor(splits.test.x[3:4])
    head, arrays = unpacked(feed.file("channels/0.3.now.bin"))
    wanted = torch.relu(model.look(x))[0].detach().numpy()
    np.testing.assert_allclose(arrays["maps"] / 32767 * head["most"], wanted, atol=1e-4)
    head, arrays = unpacked(feed.file("channels/0.3.guided.bin"))
    found = attribute(model, splits.test.x[3:4], by="guided_backprop", at="look", unit="every").values[:, 0, 0]
    np.testing.assert_allclose(arrays["maps"] / 32767 * head["most"], found, atol=1e-4)
    with pytest.raises(UnknownKey):
        feed.file("channels/0.3.never.bin")
