"""A network that learns to add around a circle: what it will be known to do, it does in part long before it can."""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from nissl.errors import BadValue
from nissl.testing.truths.spectrum import Spectrum
from nissl.testing.truths.truth import Array, Truth


@dataclass(frozen=True)
class Addition:
    """(a + b) mod `modulus`, learnt from a share of all pairs by one layer of squaring units (Linear, square, Linear).

    As it stands it learns slowly: the pairs shown are known by heart after 100 steps, the others follow after hundreds,
    by a circuit that is known: each unit carries waves of one frequency. `Addition.clean()` learns from more pairs and
    faster, without learning by heart first, and its units are nearly pure: for experiments that cut frequencies.
    """

    seed: int = 0
    share: float = 0.35
    """Of all pairs, those that are learnt from."""
    rate: float = 2e-3
    steps: int = 1500
    shuffled: bool = False
    """The control: answers at random, so that there is nothing to be found."""
    modulus: int = 53
    width: int = 192

    def __post_init__(self) -> None:
        if not 0 < self.share < 1 or self.steps < 0 or self.modulus < 3:
            raise BadValue(f"{self}: the share lies between 0 and 1, steps from 0 up, the modulus from 3 up.")

    @classmethod
    def clean(cls, seed: int = 0) -> "Addition":
        return cls(seed, share=0.5, rate=5e-3, steps=500)

    def every_pair(self) -> tuple[Array, Array]:
        """All pairs, both numbers one-hot side by side, in the order of (a, b); and what each should give."""
        numbers, one_hot = np.arange(self.modulus), np.eye(self.modulus, dtype=np.float32)
        a, b = (side.ravel() for side in np.meshgrid(numbers, numbers, indexing="ij"))
        y = (a + b) % self.modulus
        if self.shuffled:
            y = np.random.default_rng([self.seed, 1]).permutation(y)
        return np.concatenate([one_hot[a], one_hot[b]], 1), y

    def split(self) -> tuple[Array, Array]:
        """Rows of the pairs that are learnt from, and those of the others."""
        rows = np.random.default_rng([self.seed, 2]).permutation(self.modulus**2)
        shown = int(self.share * len(rows))
        return rows[:shown], rows[shown:]

    def training(self, every: int = 20) -> Iterator[tuple[int, nn.Module]]:
        """(step, model) before the first step and after every `every`-th: the model itself, not a copy."""
        model = self._start()
        x, y = self.every_pair()
        shown = self.split()[0]
        given, wanted = torch.tensor(x[shown]), torch.eye(self.modulus)[torch.tensor(y[shown])]
        optimiser = torch.optim.AdamW(model.parameters(), lr=self.rate, weight_decay=1.0)
        yield 0, model
        for step in range(1, self.steps + 1):
            optimiser.zero_grad()
            nn.functional.mse_loss(model(given), wanted).backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            if step % every == 0 or step == self.steps:
                yield step, model

    def trained(self) -> nn.Module:
        """The model when all steps are done."""
        *_, (_, model) = self.training(max(self.steps, 1))
        return model

    def truth(self, model: nn.Module) -> Truth:
        """Units by their dominant frequency, as the model has them now."""
        x, y = self.every_pair()
        shown, held = self.split()
        dominant = Spectrum.of(model).dominant
        units = {int(k): {"hidden": frozenset(np.flatnonzero(dominant == k).tolist())} for k in np.unique(dominant)}
        return Truth(model, x[shown], y[shown], units, held_x=x[held], held_y=y[held])

    def lines(self, answers: Array) -> Array:
        """The power of each frequency from 1 up in the outputs for `every_pair`: how loud each says "a + b"."""
        waves = np.fft.fftn(np.reshape(answers, (self.modulus,) * 3))
        k = np.arange(1, 1 + self.modulus // 2)
        return np.abs(waves[k, k, -k]) ** 2

    def _start(self) -> nn.Module:
        random = torch.Generator().manual_seed(self.seed)
        modules: OrderedDict[str, nn.Module] = OrderedDict()
        for name, inputs, units in (("hidden", 2 * self.modulus, self.width), ("output", self.width, self.modulus)):
            linear = nn.utils.skip_init(nn.Linear, inputs, units, bias=False)  # type: ignore[no-untyped-call]
            with torch.no_grad():
                linear.weight.normal_(0, inputs**-0.5, generator=random)
            modules[name] = linear
            if name == "hidden":
                modules["hidden_square"] = _SquareActivation()
        return nn.Sequential(modules)


class _SquareActivation(nn.Module):
    def forward(self, z: Tensor) -> Tensor:
        return z**2
