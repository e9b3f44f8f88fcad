"""The ResNet of 20 layers for CIFAR-10 (He et al., arXiv 1512.03385)."""

from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn.functional import pad

from nissl.core.blueprint import Blueprint
from nissl.models._weights.checkpoint import loaded


@dataclass(frozen=True)
class Resnet20(Blueprint):
    """Nine residual blocks with shortcuts that have no weights (the paper's option A).

    Weights are named as in Yerlan Idelbayev's published checkpoints, which want images standardised by mean
    .485 .456 .406 and deviation .229 .224 .225.
    """

    shape: tuple[int, ...] = (3, 32, 32)
    classes: int = 10

    def check(self) -> None:
        self.want_images(4)

    def build(self) -> nn.Module:
        return loaded(_Resnet20(self.shape[0], self.classes), self.weights)


class _Resnet20(nn.Module):
    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, 16, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        self.relu = nn.ReLU()
        self.layer1 = nn.Sequential(_Block(16, 16), _Block(16, 16), _Block(16, 16))
        self.layer2 = nn.Sequential(_Block(16, 32), _Block(32, 32), _Block(32, 32))
        self.layer3 = nn.Sequential(_Block(32, 64), _Block(64, 64), _Block(64, 64))
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.flatten = nn.Flatten()
        self.linear = nn.Linear(64, classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.kaiming_normal_(module.weight)

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        logits: Tensor = self.linear(self.flatten(self.pool(x)))
        return logits


class _Block(nn.Module):
    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(before, after, 3, stride=after // before, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(after)
        self.relu1 = nn.ReLU()
        self.conv2 = nn.Conv2d(after, after, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(after)
        self.shortcut = nn.Identity() if before == after else _Shortcut((after - before) // 2)
        self.relu2 = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        inner = self.relu1(self.bn1(self.conv1(x)))
        total: Tensor = self.relu2(self.bn2(self.conv2(inner)) + self.shortcut(x))
        return total


class _Shortcut(nn.Module):
    """Every second pixel, and empty channels on either side."""

    def __init__(self, margin: int) -> None:
        super().__init__()
        self.margin = margin

    def forward(self, x: Tensor) -> Tensor:
        return pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.margin, self.margin))
