"""A trained network in blocks: each class of the digits has units of its own, beside others that learn as well but for nothing."""

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from nissl.data.digits import Digits
from nissl.errors import BadValue
from nissl.testing.truths.perceptron import perceptron
from nissl.testing.truths.truth import Truth

CLASSES, SIZE, DECOYS = 10, 5, 30
LAYERS = ("hidden_1", "hidden_2")
WIDTH = CLASSES * SIZE + DECOYS


def blocks(seed: int = 0, leak: float = 0.1, steps: int = 150) -> Truth:
    """Digits, learnt by ten disjoint blocks of two layers of five ReLU units; the output of a class hears its block alone.

    Behind the first layer weights are kept positive, so that every member speaks for its class. Thirty decoys a layer
    learn the same task for a head of their own, which is taken off when training ends. Then noise of `leak` times the
    spread of the trained weights is laid wherever weights were held at zero, so that everything hears a little of
    everything, as in networks that nobody built. Units that no example moves are nobody's. A few members may be idle for
    their class: no method finds all.
    """
    if leak < 0 or steps < 0:
        raise BadValue(f"blocks(leak={leak}, steps={steps}): neither can be less than 0.")
    data = Digits().load()
    random = np.random.default_rng(seed)
    order = [random.permutation(WIDTH) for _ in LAYERS]
    owner = np.append(np.repeat(np.arange(CLASSES), SIZE), np.full(DECOYS, CLASSES))
    owners = [owner[np.argsort(places)] for places in order]
    net = _Blocks(owners, torch.Generator().manual_seed(seed))
    x = torch.tensor(data.train.x).flatten(1)
    _learn(net, x, torch.tensor(data.train.y), steps)
    made = net.plain(leak, random)
    alive = _alive(made, x)

    def of(owned: int) -> dict[str, frozenset[int]]:
        return {
            layer: frozenset(np.flatnonzero((own == owned) & moved).tolist())
            for layer, own, moved in zip(LAYERS, owners, alive, strict=True)
        }

    return Truth(
        made, x.numpy(), data.train.y, {label: of(label) for label in range(CLASSES)}, {"decoys": of(CLASSES)},
        {"decoys": ("contrast", "selectivity")}, held_x=data.test.x.reshape(-1, 64), held_y=data.test.y,
    )  # fmt: skip


def _alive(net: nn.Module, x: Tensor) -> list[np.ndarray]:
    """Of each hidden layer: which units answer to any example."""
    found = []
    with torch.no_grad():
        for module in net.children():
            x = module(x)
            if isinstance(module, nn.ReLU):
                found.append((x > 0).any(0).numpy())
    return found


def _learn(net: "_Blocks", x: Tensor, y: Tensor, steps: int) -> None:
    """Full batches; the decoys' head adds its own loss, so that neither learns from the other."""
    optimiser = torch.optim.Adam(net.parameters(), lr=5e-3)
    for _ in range(steps):
        optimiser.zero_grad()
        out, aside = net(x)
        loss = F.cross_entropy(out, y) + F.cross_entropy(aside, y)
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        with torch.no_grad():
            for weight in list(net.weights)[1:]:
                weight.clamp_(min=0)


class _Blocks(nn.Module):
    """Dense weights under masks: a unit hears its own kind, and so do the outputs."""

    def __init__(self, owners: list[np.ndarray], random: torch.Generator):
        super().__init__()
        kinds = [torch.tensor(own) for own in owners]
        outputs = torch.cat([torch.arange(CLASSES), torch.full((CLASSES,), CLASSES)])  # the classes, and the head aside
        self.masks = [torch.ones(WIDTH, 64), *(a[:, None] == b for a, b in ((kinds[1], kinds[0]), (outputs, kinds[1])))]
        started = [
            torch.randn(m.shape, generator=random) * (2 / m.float().sum(1, keepdim=True)).sqrt() for m in self.masks
        ]
        self.weights = nn.ParameterList(map(nn.Parameter, [started[0], *(weight.abs() for weight in started[1:])]))
        self.biases = nn.ParameterList(nn.Parameter(torch.full((len(mask),), 0.1)) for mask in self.masks)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        for layer, (weight, mask, bias) in enumerate(zip(self.weights, self.masks, self.biases, strict=True)):
            x = F.linear(x if layer == 0 else F.relu(x), weight * mask, bias)
        return x[:, :CLASSES], x[:, CLASSES:]

    def plain(self, leak: float, random: np.random.Generator) -> nn.Module:
        """The same without masks and head: a plain perceptron, with noise where the masks were."""
        layers = {}
        for name, weight, mask, bias in zip((*LAYERS, "output"), self.weights, self.masks, self.biases, strict=True):
            laid, free = weight.detach().numpy(), mask.bool().numpy()
            noise = random.normal(0, leak * laid[free].std(), laid.shape)
            rows = slice(CLASSES if name == "output" else WIDTH)
            layers[name] = np.where(free, laid, noise)[rows], bias.detach().numpy()[rows]
        return perceptron(layers)
