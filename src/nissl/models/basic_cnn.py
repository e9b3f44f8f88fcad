"""exigo's small convolutional network."""

from dataclasses import dataclass

from torch import Tensor, nn

from nissl.core.blueprint import Blueprint
from nissl.models._weights.checkpoint import loaded


@dataclass(frozen=True)
class BasicCnn(Blueprint):
    """Four 3 x 3 convolutions without padding, to 10, 7, 5 and 1 channels, ReLU after each, and one dense layer.

    With `embedding` it gives (logits, flattened last channel), as exigo asks of every network.
    """

    shape: tuple[int, ...] = (1, 28, 28)
    classes: int = 10
    embedding: bool = False

    def check(self) -> None:
        self.want_images(9)

    def build(self) -> nn.Module:
        return loaded(_BasicCnn(self.shape, self.classes, self.embedding), self.weights)


class _BasicCnn(nn.Module):
    def __init__(self, shape: tuple[int, ...], classes: int, embedding: bool) -> None:
        super().__init__()
        channels, height, width = shape
        self.embedding = embedding
        self.conv1, self.relu1 = nn.Conv2d(channels, 10, 3), nn.ReLU()
        self.conv2, self.relu2 = nn.Conv2d(10, 7, 3), nn.ReLU()
        self.conv3, self.relu3 = nn.Conv2d(7, 5, 3), nn.ReLU()
        self.conv4, self.relu4 = nn.Conv2d(5, 1, 3), nn.ReLU()
        self.flatten = nn.Flatten()
        self.output = nn.Linear((height - 8) * (width - 8), classes)

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        x = self.relu1(self.conv1(x))
        x = self.relu2(self.conv2(x))
        x = self.relu3(self.conv3(x))
        flat = self.flatten(self.relu4(self.conv4(x)))
        logits: Tensor = self.output(flat)
        return (logits, flat) if self.embedding else logits
