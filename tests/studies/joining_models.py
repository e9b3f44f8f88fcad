"""Small networks in which values meet in different ways."""

import torch
from torch import nn


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(width, width, 3, padding=1), nn.BatchNorm2d(width)
        self.conv2, self.bn2 = nn.Conv2d(width, width, 3, padding=1), nn.BatchNorm2d(width)

    def forward(self, x):
        y = self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x)))))
        y += x
        return torch.relu(y)


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem, self.blocks = nn.Conv2d(1, 4, 3), nn.Sequential(*(Block(4) for _ in range(3)))
        self.fc = nn.Linear(4, 3)

    def forward(self, x):
        return self.fc(self.blocks(torch.relu(self.stem(x))).mean((2, 3)))


class Dense(nn.Module):
    def __init__(self):
        super().__init__()
        self.convs = nn.ModuleList(nn.Conv2d(1 + 2 * number, 2, 3, padding=1) for number in range(5))
        self.fc = nn.Linear(11, 3)

    def forward(self, x):
        kept = [x]
        for layer in self.convs:
            kept.append(torch.relu(layer(torch.cat(kept, 1))))
        return self.fc(torch.cat(kept, 1).mean((2, 3)))


class Gated(nn.Module):
    """A residual block that is gated by what it has found, as by squeezing and exciting."""

    def __init__(self):
        super().__init__()
        self.stem, self.conv, self.gate, self.fc = nn.Linear(6, 6), nn.Linear(6, 6), nn.Linear(6, 6), nn.Linear(6, 3)

    def forward(self, x):
        x = torch.relu(self.stem(x))
        y = self.conv(x)
        return self.fc(x + y * torch.sigmoid(self.gate(y)))


class Attending(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem, self.fc = nn.Linear(6, 8), nn.Linear(8, 3)
        self.q, self.k, self.v, self.out, self.q2, self.k2, self.v2 = (nn.Linear(8, 8) for _ in range(7))
        self.norm = nn.LayerNorm(8)

    def forward(self, x):
        x = self.stem(x)
        y = self.norm(x)
        q, k, v = self.q(y), self.k(y), self.v(y)
        heard = nn.functional.scaled_dot_product_attention(*(one.unsqueeze(1) for one in (q, k, v))).squeeze(1)
        x = x + self.out(heard)
        scored = torch.softmax(self.q2(x) @ self.k2(x).mT, -1) @ self.v2(x)
        return self.fc((x + scored).mean(1))


class Pair(nn.Module):
    """Two layers that take the same two values, which meet nowhere but in them."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(4, 3), nn.Linear(4, 3)
        self.one, self.other, self.fc = nn.Bilinear(3, 3, 5), nn.Bilinear(3, 3, 5), nn.Linear(10, 3)

    def forward(self, x):
        a, b = self.a(x), self.b(x)
        return self.fc(torch.cat([self.one(a, b), self.other(a, b)], -1))
