"""The frequencies by which a network adds: read from its weights, kept alone, or heard in its answers."""

import copy
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import nn

from nissl.errors import BadValue
from nissl.testing.truths.truth import Array


@dataclass(frozen=True, eq=False)
class Spectrum:
    """A unit's three vectors of weights (from the first number, from the second, to the sum) as waves around the circle.

    Where a network adds by waves, the three of a unit have one frequency in common, whatever their phases.
    """

    vectors: Array
    """(unit, which of the three, number)"""

    @classmethod
    def of(cls, model: nn.Module) -> "Spectrum":
        """Of a network as `Addition` trains it."""
        weights = dict(model.named_parameters())
        before, after = (weights[f"{name}.weight"].detach().double().numpy() for name in ("hidden", "output"))
        return cls(np.stack([*np.split(before, 2, axis=1), after.T], 1))

    @cached_property
    def power(self) -> Array:
        """(unit, frequency from 1 up): the three vectors' together, as shares of the unit's."""
        power = (np.abs(np.fft.rfft(self.vectors)[..., 1:]) ** 2).sum(1)
        return power / power.sum(1, keepdims=True)

    @property
    def dominant(self) -> Array:
        """The strongest frequency of each unit."""
        return 1 + self.power.argmax(1)

    @property
    def purity(self) -> Array:
        """How much of each unit's power its strongest frequency has."""
        return self.power.max(1)

    def only(self, model: nn.Module, frequencies: Array | None = None) -> nn.Module:
        """A new network: this one with nothing of each unit left but one frequency, the dominant one if none is given."""
        chosen = self.dominant if frequencies is None else np.asarray(frequencies)
        if chosen.shape != (len(self.vectors),):
            raise BadValue(f"A frequency for each of {len(self.vectors)} units is needed, not {chosen.shape}.")
        waves = np.fft.rfft(self.vectors)
        kept = np.where(np.arange(waves.shape[-1]) == chosen[:, None, None], waves, 0)
        first, second, after = np.moveaxis(np.fft.irfft(kept, self.vectors.shape[-1]), 1, 0)
        made = copy.deepcopy(model)
        weights = dict(made.named_parameters())
        with torch.no_grad():
            weights["hidden.weight"].copy_(torch.tensor(np.concatenate([first, second], 1)))
            weights["output.weight"].copy_(torch.tensor(after.T))
        return made

    def at_random(self, model: nn.Module, seed: int = 0) -> nn.Module:
        """The control of `only`: each unit keeps a frequency drawn at random instead of its own."""
        random = np.random.default_rng(seed)
        return self.only(model, random.integers(1, 1 + self.power.shape[1], len(self.vectors)))
