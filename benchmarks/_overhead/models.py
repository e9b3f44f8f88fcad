"""The networks whose training step is timed, each with its optimiser, its loss and one batch."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

VOCABULARY, WIDTH, CONTEXT, TOKEN_CLASSES = 12_000, 256, 128, 16


class Block(nn.Module):
    """Attention and a small network, each added to what came in."""

    def __init__(self, heads: int = 4):
        super().__init__()
        self.heads = heads
        self.norm_1, self.qkv, self.proj = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
        self.norm_2 = nn.LayerNorm(WIDTH)
        self.up, self.gelu, self.down = nn.Linear(WIDTH, 4 * WIDTH), nn.GELU(), nn.Linear(4 * WIDTH, WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        parts = self.qkv(self.norm_1(x)).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(*parts.unbind(0), is_causal=True)
        x = x + self.proj(mixed.transpose(1, 2).flatten(2))
        return x + self.down(self.gelu(self.up(self.norm_2(x))))


class Transformer(nn.Module):
    """A causal language model: 4 blocks of width 256."""

    def __init__(self) -> None:
        super().__init__()
        self.token, self.position = nn.Embedding(VOCABULARY, WIDTH), nn.Embedding(CONTEXT, WIDTH)
        self.blocks = nn.Sequential(*(Block() for _ in range(4)))
        self.norm, self.head = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, VOCABULARY, bias=False)

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.token(tokens) + self.position(torch.arange(tokens.shape[1]))
        return self.head(self.norm(self.blocks(x)))


def convolutional() -> nn.Module:
    """Three convolutions, 32, 64 and 128 channels wide."""
    layers: list[nn.Module] = []
    for given, wide in ((1, 32), (32, 64), (64, 128)):
        layers += [nn.Conv2d(given, wide, 3, padding=1), nn.ReLU()]
        layers += [nn.MaxPool2d(2)] if wide < 128 else []
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(128, 10))


def dense() -> nn.Module:
    """784-256-256-10."""
    return nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, 10))


def small(hidden: int) -> nn.Module:
    """20-h-h-1, the binary classifier of nn_staining."""
    return nn.Sequential(
        nn.Linear(20, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, 1), nn.Sigmoid()
    )


@dataclass(frozen=True)
class Case:
    """A network, and how it is trained."""

    make: Callable[[], nn.Module]
    optimiser: Callable[[Any], torch.optim.Optimizer]
    loss: Callable[[Tensor, Tensor], Tensor]
    batch: Callable[[], tuple[Tensor, ...]]
    """x, y and, for tokens, the class of each."""
    steps: int
    """In a block, which is timed as a whole; a multiple of 4, so that every fourth step is heard as often as it should."""
    token_classes: int = 0


def cases() -> dict[str, Case]:
    """The three of the table."""
    sgd = partial(torch.optim.SGD, lr=0.01, momentum=0.9)
    entropy = functional.cross_entropy
    return {
        "mlp": Case(dense, sgd, entropy, partial(_digits, 128, (784,)), 60),
        "cnn": Case(convolutional, sgd, entropy, partial(_digits, 64, (1, 28, 28)), 8),
        "transformer": Case(
            Transformer, partial(torch.optim.AdamW, lr=3e-4), _next_token, _sentences, 4, TOKEN_CLASSES
        ),
    }


def small_case(hidden: int) -> Case:
    """An epoch of 1,000 examples is one block of 32 steps."""
    adam = partial(torch.optim.Adam, lr=1e-3)
    return Case(partial(small, hidden), adam, functional.binary_cross_entropy, _binary, 32)


def _digits(count: int, shape: tuple[int, ...]) -> tuple[Tensor, ...]:
    return torch.rand(count, *shape), torch.randint(0, 10, (count,))


def _sentences() -> tuple[Tensor, ...]:
    x, y = torch.randint(0, VOCABULARY, (8, CONTEXT)), torch.randint(0, VOCABULARY, (8, CONTEXT))
    return x, y, y % TOKEN_CLASSES


def _next_token(logits: Tensor, y: Tensor) -> Tensor:
    return functional.cross_entropy(logits.flatten(0, 1), y.flatten())


def _binary() -> tuple[Tensor, ...]:
    return torch.rand(32, 20), torch.randint(0, 2, (32, 1)).float()
