"""A small causal transformer, for sequences of tokens and for images as sequences of patches."""

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from nissl.core.blueprint import Blueprint
from nissl.errors import BadValue
from nissl.models._weights.checkpoint import loaded


@dataclass(frozen=True)
class Transformer(Blueprint):
    """Pre-norm blocks of attention and a GELU network; every position sees itself and what is before it.

    Tokens come as (length,) with a `vocabulary`, images as (channels, height, width), cut into patches. `every`
    position gives logits, (example, length, class), as for the next token; otherwise the last one does, (example,
    class), which has seen everything.
    """

    shape: tuple[int, ...] = (32,)
    classes: int = 64
    vocabulary: int | None = None
    """How many tokens there are; for sequences None means as many as classes."""
    patch: int = 2
    """The side of an image's square patches."""
    every: bool = False
    layers: int = 2
    width: int = 64
    heads: int = 4

    def check(self) -> None:
        if len(self.shape) not in (1, 3):
            self.refuse("tokens (length,) or images (channels, height, width)")
        if len(self.shape) == 3 and any(side % self.patch for side in self.shape[1:]):
            self.refuse(f"images whose sides are multiples of the patch ({self.patch})")
        if self.width % self.heads:
            raise BadValue(f"Transformer: a width of {self.width} can't be shared out to {self.heads} heads.")

    def build(self) -> nn.Module:
        embed: nn.Module
        if len(self.shape) == 1:
            embed, length = nn.Embedding(self.vocabulary or self.classes, self.width), self.shape[0]
        else:
            channels, height, width = self.shape
            embed = _Patches(channels, self.patch, self.width)
            length = (height // self.patch) * (width // self.patch)
        return loaded(_Transformer(self, embed, length), self.weights)


class _Transformer(nn.Module):
    def __init__(self, plan: Transformer, embed: nn.Module, length: int) -> None:
        super().__init__()
        self.every = plan.every
        self.embed = embed
        self.position = nn.Parameter(0.02 * torch.randn(length, plan.width))
        self.blocks = nn.ModuleList(_Block(plan.width, plan.heads) for _ in range(plan.layers))
        self.norm = nn.LayerNorm(plan.width)
        self.output = nn.Linear(plan.width, plan.classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.embed(x)
        x = x + self.position[: x.shape[1]]
        for block in self.blocks:
            x = block(x)
        return cast(Tensor, self.output(self.norm(x if self.every else x[:, -1])))


class _Patches(nn.Module):
    """Images as sequences of embedded patches, row by row."""

    def __init__(self, channels: int, patch: int, width: int) -> None:
        super().__init__()
        self.cut = nn.Conv2d(channels, width, patch, stride=patch)

    def forward(self, x: Tensor) -> Tensor:
        return cast(Tensor, self.cut(x)).flatten(2).transpose(1, 2)


class _Block(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(width)
        self.attention = _Attention(width, heads)
        self.mlp_norm = nn.LayerNorm(width)
        self.up = nn.Linear(width, 4 * width)
        self.gelu = nn.GELU()
        self.down = nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attention(self.attention_norm(x))
        return cast(Tensor, x + self.down(self.gelu(self.up(self.mlp_norm(x)))))


class _Attention(nn.Module):
    """`out_proj` hears the heads side by side, so that each can be recorded and changed there."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.in_proj = nn.Linear(width, 3 * width)
        self.out_proj = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        query, key, value = (
            part.unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in self.in_proj(x).chunk(3, -1)
        )
        seen = scaled_dot_product_attention(query, key, value, is_causal=True)
        return cast(Tensor, self.out_proj(seen.transpose(1, 2).flatten(2)))
