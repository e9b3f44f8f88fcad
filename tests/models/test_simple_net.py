"""SimpleNet against what its authors published: the places, shapes and padding that their checkpoints depend on."""

import pytest
import torch
from torch import nn

from nissl.models.simple_net import SimpleNet

USUAL = [0, 4, 8, 12, 17, 21, 25, 30, 34, 39, 43, 47, 52]
AUTHORS = {  # where the convolutions stand in `features`, their widths, the whole network's weights
    "310k": (USUAL, [64, 32, 32, 32, 32, 32, 64, 64, 64, 128, 256, 64, 64], 312_362),
    "460k": (USUAL, [32, 32, 32, 64, 64, 64, 64, 64, 64, 96, 96, 96, 100], 385_790),
    "5m": (USUAL, [64, 128, 128, 128, 128, 128, 256, 256, 256, 512, 2048, 256, 256], 5_498_378),
    "5m_extra_pool": (
        [*USUAL[:10], 45, 49, 54],
        [64, 128, 128, 128, 128, 128, 256, 256, 256, 512, 2048, 256, 256],
        5_498_378,
    ),
}


@pytest.mark.parametrize("variant", AUTHORS)
def test_weights_have_the_authors_names_and_sizes(variant: str) -> None:
    network = SimpleNet(variant=variant).build()
    places, widths, weights = AUTHORS[variant]
    convolutions = {place: layer for place, layer in enumerate(network.features) if isinstance(layer, nn.Conv2d)}
    assert list(convolutions) == places
    assert [layer.out_channels for layer in convolutions.values()] == widths
    assert [layer.kernel_size[0] for layer in convolutions.values()] == [3] * 10 + [1, 1, 3]
    assert {layer.padding for layer in convolutions.values()} == {(1, 1)}
    assert sum(value.numel() for value in network.parameters()) == weights
    assert {name.split(".")[0] for name in network.state_dict()} == {"features", "classifier"}


def test_the_slim_one_takes_mnist_and_its_output_is_the_classifier_of_the_strongest_pixels() -> None:
    network = SimpleNet(shape=(1, 28, 28)).build().eval()
    x = torch.randn(2, 1, 28, 28)
    features = network.features(x)
    assert features.shape == (2, 64, 3, 3)  # 28, halved to 14, 7, 3, grown to 7, halved to 3
    torch.testing.assert_close(network(x), network.classifier(features.amax((2, 3))))


def test_dropout_is_everywhere_it_can_be_and_off_when_not_training() -> None:
    network = SimpleNet(dropout=0.5).build()
    assert {layer.p for layer in network.modules() if isinstance(layer, nn.Dropout2d)} == {0.5}
    x = torch.randn(2, 3, 32, 32)
    assert not torch.equal(network(x), network(x))
    network.eval()
    assert torch.equal(network(x), network(x))
