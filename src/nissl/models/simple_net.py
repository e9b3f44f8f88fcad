"""SimpleNet: thirteen plain convolutions (Hasanpour et al., arXiv 1608.06037)."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from torch import Tensor, nn

from nissl.core.blueprint import Blueprint
from nissl.errors import UnknownName, listing, near
from nissl.models._weights.checkpoint import loaded

_POOL = 0  # stands in a plan where pictures are halved
_SINGLE_PIXEL = (11, 12)  # numbers of the convolutions, counted from one
_WITHOUT_DROPOUT = (4, 7, 9, 12, 13)  # decides the names of all later weights


@dataclass(frozen=True)
class SimpleNet(Blueprint):
    """Weights are named as in the authors' PyTorch checkpoints (`features.*`, `classifier.*`), which it loads.

    `extra_pool` is the authors' early slip, which their published CIFAR weights were trained with. The slim network
    takes one channel as well, and is then the slim network of their MNIST results.
    """

    shape: tuple[int, ...] = (3, 32, 32)
    classes: int = 10
    variant: str = "310k"
    """310k, 460k, 5m or 5m_extra_pool."""
    dropout: float = 0.0

    plans: ClassVar[Mapping[str, tuple[int, ...]]] = MappingProxyType(
        {
            "310k": (64, 32, 32, 32, _POOL, 32, 32, 64, _POOL, 64, 64, _POOL, 128, 256, 64, _POOL, 64),
            "460k": (32, 32, 32, 64, _POOL, 64, 64, 64, _POOL, 64, 64, _POOL, 96, 96, 96, _POOL, 100),
            "5m": (64, 128, 128, 128, _POOL, 128, 128, 256, _POOL, 256, 256, _POOL, 512, 2048, 256, _POOL, 256),
            "5m_extra_pool": (
                *(64, 128, 128, 128, _POOL, 128, 128, 256, _POOL, 256, 256, _POOL),
                *(512, _POOL, 2048, 256, _POOL, 256),
            ),
        }
    )

    def check(self) -> None:
        if self.variant not in self.plans:
            known = list(self.plans)
            raise UnknownName(
                f"SimpleNet has no variant {self.variant!r}.{near(self.variant, known)} It has: {listing(known)}."
            )
        self.want_images(16 if self.variant == "5m_extra_pool" else 8)

    def build(self) -> nn.Module:
        network = _SimpleNet(self.plans[self.variant], self.shape[0], self.classes, self.dropout)
        return loaded(network, self.weights)


class _SimpleNet(nn.Module):
    def __init__(self, plan: tuple[int, ...], channels: int, classes: int, dropout: float) -> None:
        super().__init__()
        self.features = nn.Sequential(*_features(plan, channels, dropout))
        self.pool = nn.AdaptiveMaxPool2d(1)
        self.dropout = nn.Dropout2d(dropout)
        self.flatten = nn.Flatten()
        self.classifier = nn.Linear(plan[-1], classes)

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.classifier(self.flatten(self.dropout(self.pool(self.features(x)))))
        return logits


def _features(plan: tuple[int, ...], channels: int, dropout: float) -> list[nn.Module]:
    layers: list[nn.Module] = []
    number = 0
    for size in plan:
        if size == _POOL:
            layers += [nn.MaxPool2d(2), nn.Dropout2d(dropout)]
            continue
        number += 1
        # Those of single pixels pad as well, so that the picture grows by two: the checkpoints were trained so.
        convolution = nn.Conv2d(channels, size, 1 if number in _SINGLE_PIXEL else 3, padding=1)
        nn.init.xavier_uniform_(convolution.weight, nn.init.calculate_gain("relu"))
        layers += [convolution, nn.BatchNorm2d(size, momentum=0.05), nn.ReLU()]
        if number not in _WITHOUT_DROPOUT:
            layers.append(nn.Dropout2d(dropout))
        channels = size
    return layers
