"""Models of many shapes, to be drawn."""

import torch
from torch import nn
from torch.nn import functional as F


class Bottleneck(nn.Module):
    """Three convolutions beside a shortcut, as in ResNet-50."""

    def __init__(self, given, width, stride):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(given, width, 1, bias=False), nn.BatchNorm2d(width)
        self.conv2, self.bn2 = nn.Conv2d(width, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width)
        self.conv3, self.bn3 = nn.Conv2d(width, 4 * width, 1, bias=False), nn.BatchNorm2d(4 * width)
        self.relu = nn.ReLU(inplace=True)
        changes = stride > 1 or given != 4 * width
        short = nn.Sequential(nn.Conv2d(given, 4 * width, 1, stride, bias=False), nn.BatchNorm2d(4 * width))
        self.downsample = short if changes else None

    def forward(self, x):
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.bn3(self.conv3(self.relu(self.bn2(self.conv2(y)))))
        y += x if self.downsample is None else self.downsample(x)
        return self.relu(y)


class ResNet(nn.Module):
    """ResNet-50 as it was published; `width` and `counts` make it smaller."""

    def __init__(self, counts=(3, 4, 6, 3), width=64):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, width, 7, 2, 3, bias=False), nn.BatchNorm2d(width)
        self.relu, self.maxpool, given = nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, 1), width
        for stage, count in enumerate(counts):
            wide, blocks = width * 2**stage, []
            for number in range(count):
                blocks.append(Bottleneck(given, wide, 2 if stage and not number else 1))
                given = 4 * wide
            setattr(self, f"layer{stage + 1}", nn.Sequential(*blocks))
        self.avgpool, self.fc = nn.AdaptiveAvgPool2d(1), nn.Linear(given, 1000)

    def forward(self, x):
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(torch.flatten(self.avgpool(x), 1))


def convs(given, width):
    return nn.Sequential(nn.Conv2d(given, width, 3, padding=1), nn.ReLU(), nn.Conv2d(width, width, 3, padding=1))


class UNet(nn.Module):
    """What goes down is kept and joined to what comes up."""

    def __init__(self, depth=3):
        super().__init__()
        widths = [4 * 2**level for level in range(depth)]
        self.downs = nn.ModuleList(convs(given, w) for given, w in zip([1, *widths[:-1]], widths, strict=True))
        self.middle = convs(widths[-1], 2 * widths[-1])
        self.ups = nn.ModuleList(nn.ConvTranspose2d(2 * w, w, 2, 2) for w in reversed(widths))
        self.joins = nn.ModuleList(convs(2 * w, w) for w in reversed(widths))

    def forward(self, x):
        kept = []
        for down in self.downs:
            x = down(x)
            kept.append(x)
            x = F.max_pool2d(x, 2)
        x = self.middle(x)
        for up, join in zip(self.ups, self.joins, strict=True):
            x = join(torch.cat([up(x), kept.pop()], 1))
        return x


class Reader(nn.Module):
    """Returns a dict, of more than one output of an LSTM."""

    def __init__(self):
        super().__init__()
        self.embedding, self.lstm = nn.Embedding(50, 8), nn.LSTM(8, 6, 2, batch_first=True, bidirectional=True)
        self.head = nn.Linear(12, 5)

    def forward(self, words):
        said, (hidden, cell) = self.lstm(self.embedding(words))
        return {"logits": self.head(said[:, -1]), "hidden": hidden, "mean": hidden.mean(0) + cell.mean(0)}


class Twice(nn.Module):
    """Calls a block thrice, hands values on as they are, writes into one, and computes what nobody takes."""

    def __init__(self):
        super().__init__()
        self.block, self.short = nn.Sequential(nn.Linear(8, 8), nn.ReLU()), nn.Sequential()
        self.drop, self.w = nn.Dropout(), nn.Parameter(torch.ones(8, 3))

    def forward(self, x):
        y = self.block(self.block(x)) + self.short(x)
        y = self.drop(self.block(F.gelu(y)))
        z = y.clone()
        z[:, 0] = x[:, 1]
        (x * 3).sum()
        return z @ self.w, y


def perceptron():
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))


def transformer():
    layer = nn.TransformerEncoderLayer(16, 4, 32, batch_first=True)
    return nn.Sequential(nn.TransformerEncoder(layer, 3, enable_nested_tensor=False), nn.Linear(16, 4))


ARCHITECTURES = {
    "perceptron": (perceptron, lambda: torch.randn(2, 1, 8, 8)),
    "ResNet-50, thin": (lambda: ResNet(width=4), lambda: torch.randn(1, 3, 32, 32)),
    "U-Net": (UNet, lambda: torch.randn(1, 1, 16, 16)),
    "LSTM": (Reader, lambda: torch.zeros(2, 7, dtype=torch.long)),
    "shared": (Twice, lambda: torch.randn(2, 8)),
    "transformer": (transformer, lambda: torch.randn(2, 6, 16)),
}
"""(what makes it, what makes an input for it)."""
