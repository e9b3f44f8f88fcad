"""What leaves a model together, and the leaving."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import torch
from torch import Tensor, nn

from nissl.adapters._torch.rewriting import takers
from nissl.adapters._torch.rewriting.draft import Draft

Key = TypeVar("Key")
Gone = dict[nn.Module, set[int]]


@dataclass
class Cut:
    """Rows of what makes the values, columns of what takes them, channels of what is between; by module of one draft."""

    layers: dict[str, set[int]] = field(default_factory=dict)
    """The same as units of layers."""
    rows: Gone = field(default_factory=dict)
    columns: Gone = field(default_factory=dict)
    channels: Gone = field(default_factory=dict)
    counts: dict[nn.Module, Mapping[str, int]] = field(default_factory=dict)
    """Attributes that count what there is, and what they become."""

    def touches(self, other: "Cut") -> bool:
        """Do both take the same column or channel out, as the terms of one sum do?"""
        pairs = ((self.columns, other.columns), (self.channels, other.channels))
        return any(gone & theirs.get(module, set()) for mine, theirs in pairs for module, gone in mine.items())

    def joined(self, other: "Cut") -> "Cut":
        return Cut(
            _union(self.layers, other.layers), _union(self.rows, other.rows), _union(self.columns, other.columns),
            _union(self.channels, other.channels), {**self.counts, **other.counts},
        )  # fmt: skip

    def done(self, draft: Draft, constants: Mapping[nn.Module, Tensor]) -> nn.Module:
        """A copy of the draft's model without them; what the columns were given goes into the next bias."""
        smaller = draft.again()
        with torch.no_grad():
            for module, gone in self.columns.items():
                taker, columns = smaller.of(module), torch.as_tensor(sorted(gone))
                takers.absorb(taker, columns, constants[module].new_zeros(len(gone)), constants[module][columns])
                takers.lose_columns(taker, sorted(gone))
            for module, gone in self.rows.items():
                takers.lose_rows(smaller.of(module), sorted(gone))
            for module, gone in self.channels.items():
                takers.lose_channels(smaller.of(module), sorted(gone))
        for module, attributes in self.counts.items():
            for name, count in attributes.items():
                setattr(smaller.of(module), name, count)
        return smaller.root


def _union(one: Mapping[Key, set[int]], other: Mapping[Key, set[int]]) -> dict[Key, set[int]]:
    return {key: one.get(key, set()) | other.get(key, set()) for key in dict.fromkeys((*one, *other))}


def together(cuts: Iterable[Cut]) -> list[Cut]:
    """Cuts that must happen together made one."""
    found: list[Cut] = []
    for cut in cuts:
        apart = []
        for other in found:
            if cut.touches(other):
                cut = other.joined(cut)
            else:
                apart.append(other)
        found = [*apart, cut]
    return found
