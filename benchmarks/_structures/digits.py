"""Digits: an MLP 64-128-64-10 and a small CNN of 1,000 images; 300 others to find structures with, 497 to judge them on."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from scipy.stats import spearmanr
from torch import nn
from torch.nn import functional as F

import nissl
from nissl.core.choosing import faithfulness
from nissl.core.deletions import deletions
from nissl.core.search import asked
from nissl.core.structures import Structures
from nissl.core.trial import Trial
from nissl.data.digits import Digits

Row = tuple[str, str, dict[str, Any]]
TRAINED, FOUND_WITH = 1000, 300
SHARES = (0.01, 0.02, *np.arange(1, 21) / 20)


def mlp() -> nn.Module:
    net = nn.Sequential()
    net.add_module("flatten", nn.Flatten())
    for number, (a, b) in enumerate(((64, 128), (128, 64)), 1):
        net.add_module(f"hidden_{number}", nn.Linear(a, b))
        net.add_module(f"relu_{number}", nn.ReLU())
    net.add_module("output", nn.Linear(64, 10))
    return net


def cnn() -> nn.Module:
    """Channels 16, 32 and 64."""
    net = nn.Sequential()
    for number, (a, b) in enumerate(((1, 16), (16, 32), (32, 64)), 1):
        net.add_module(f"conv_{number}", nn.Conv2d(a, b, 3, padding=1))
        net.add_module(f"relu_{number}", nn.ReLU())
        if number < 3:
            net.add_module(f"pool_{number}", nn.MaxPool2d(2))
    net.add_module("flatten", nn.Flatten())
    net.add_module("output", nn.Linear(64 * 4, 10))
    return net


def learn(net: nn.Module, x: Any, y: Any, epochs: int, rate: float = 1e-3) -> nn.Module:
    optimizer = torch.optim.Adam(net.parameters(), rate)
    for _ in range(epochs):
        for part in torch.randperm(len(x)).split(64):
            optimizer.zero_grad()
            F.cross_entropy(net(x[part]), y[part]).backward()
            optimizer.step()
    return net.eval()


def trained(make: Callable[[], nn.Module], seed: int, epochs: int) -> tuple[nn.Module, Any, Any]:
    """A network of 1,000 images, 300 others to find structures with, and the remaining 497 to judge them on."""
    torch.manual_seed(seed)
    splits = Digits().load()
    x, y = (np.concatenate(parts) for parts in zip(splits.train, splits.test, strict=True))
    order = np.random.default_rng(seed).permutation(len(x))
    shown, few, rest = np.split(order, [TRAINED, TRAINED + FOUND_WITH])
    net = learn(make(), torch.from_numpy(x[shown]), torch.from_numpy(y[shown]), epochs)
    return net, (x[few], y[few]), (x[rest], y[rest])


def rows(quick: bool) -> Iterator[Row]:
    seeds = range(1 if quick else 3)
    networks = {
        name: [trained(make, seed, 10 if quick else 40) for seed in seeds]
        for name, make in (("MLP", mlp), ("CNN", cnn))
    }
    yield agreement(networks["MLP"])
    yield curves(networks["MLP"])
    for name, found in networks.items():
        yield cut(name, found)
    yield deleted(networks["MLP"])
    yield committed(networks["MLP"])


def agreement(networks: Sequence[Any]) -> Row:
    """Attribution patching against replacing every unit by its mean, one at a time."""
    said: dict[str, list[float]] = {"attribution_patching": [], "secant": [], "gradient_activation": []}
    for net, few, _ in networks:
        exact = nissl.structures(net, few, by="exact_ablation", baseline="mean")
        for by, values in said.items():
            found = nissl.structures(net, few, by=by)
            rho = [spearmanr(flat(found[name]), flat(exact[name]))[0] for name in found]
            values.append(float(np.mean(rho)))
    return "digits MLP: rank correlation with exact ablation", "attribution_patching >= .98", medians(said)


def flat(structure: Any) -> Any:
    return np.concatenate(list(structure.scores.values()))


def medians(said: dict[str, list[float]]) -> dict[str, Any]:
    return {
        name: {"median": round(float(np.median(v)), 4), "seeds": [round(one, 4) for one in v]}
        for name, v in said.items()
    }


def curves(networks: Sequence[Any]) -> Row:
    """Faithfulness of what is kept, over the share of units that is kept: CPR its area, CMD its distance from 1."""
    said: dict[str, list[float]] = {}
    for net, few, held_out in networks:
        trial = Trial(asked(nissl.network(net), held_out))
        for by, rank in (("secant", "score"), ("secant", "absolute"), ("integrated_gradients", "score"),
                         ("integrated_gradients", "absolute"), ("attribution_patching", "score"), ("contrast", "score")):  # fmt: skip
            found = nissl.structures(net, few, by=by, rank=rank)
            areas = [areas_of(found[name], trial, k) for k, name in enumerate(found)]
            for what, value in zip(("CPR", "CMD"), np.mean(areas, 0), strict=True):
                said.setdefault(f"{by}, {rank}: {what}", []).append(float(value))
    return "digits MLP: faithfulness of what is kept, held out", "CPR >= .90, CMD <= .26", medians(said)


def areas_of(structure: Any, trial: Trial, k: int) -> tuple[float, float]:
    mine = np.flatnonzero(trial.case.which == k)
    total = sum(structure.every().values())
    f = np.array([0.0, *faithfulness(structure, trial, mine, [max(round(s * total), 1) for s in SHARES])])
    shares = np.array([0.0, *SHARES])
    return float(np.trapezoid(f, shares)), float(np.trapezoid(np.abs(1 - f), shares))


def cut(name: str, networks: Sequence[Any]) -> Row:
    """A fifth of the units deleted, by contrast."""
    reach = {"MLP": "target <= .10, others >= .93", "CNN": "target <= .10, others >= .90"}[name]
    said: dict[str, list[float]] = {}
    for net, few, held_out in networks:
        for by in ("secant", "attribution_patching", "integrated_gradients", "learned_mask", "contrast", "random"):
            table = deletions(nissl.structures(net, few, by=by, size=0.2), held_out)
            said.setdefault(f"{by}: target", []).append(table.target)
            said.setdefault(f"{by}: others", []).append(table.others)
    return f"digits {name}: 20 % deleted, held out", reach, medians(said)


def deleted(networks: Sequence[Any]) -> Row:
    """As many units as leave the class at most 5 % on the images that it was found with; judged on others."""
    return "digits MLP: a class deleted, held out", DELETED, deletion(networks)


DELETED = "target <= .10, others lose <= 1.5 points, random control keeps >= .93 of before"


def deletion(networks: Sequence[Any], methods: Sequence[str] = ("secant", "learned_mask")) -> dict[str, Any]:
    """For each method: of the classes that reach the goal, and how many of them there are; of all classes; the control."""
    said: dict[str, list[float]] = {}
    for net, few, held_out in networks:
        for by in methods:
            family = nissl.structures(net, few, by=by, size="target<=0.05")
            table = deletions(family, held_out)
            reached = np.array([one.recipe["reached"] for one in family.values()])
            own = np.diag(table.accuracy)
            others = 100 * np.array(
                [np.nanmean(np.delete(row - table.intact, i)) for i, row in enumerate(table.accuracy)]
            )
            shares = np.array([one.share() for one in family.values()])
            for name, value in (
                ("classes that reach it", reached.sum()), ("target", own[reached].mean()), ("target, all classes", own.mean()),
                ("others, points", others[reached].mean()), ("others, points, all classes", others.mean()),
                ("share of units", shares[reached].mean()),
                ("random control / before", shuffled(family, held_out) / float(np.nanmean(table.intact))),
            ):  # fmt: skip
                said.setdefault(f"{by}: {name}", []).append(float(value))
    return medians(said)


def shuffled(family: Any, held_out: Any, times: int = 3) -> float:
    """What a class keeps when as many units of each layer are deleted at random."""
    kept = []
    for turn in range(times):
        draw = np.random.default_rng(turn)
        random = {
            name: one.having(
                {layer: sorted(draw.choice(count, len(one.members.get(layer, ())), replace=False).tolist())
                 for layer, count in one.every().items()}
            )
            for name, one in family.items()
        }  # fmt: skip
        kept.append(deletions(Structures(random), held_out).target)
    return float(np.mean(kept))


def committed(networks: Sequence[Any]) -> Row:
    """The smaller network against the one under the hooks."""
    said: dict[str, list[float]] = {"max difference, float32": [], "max difference, float64": [], "parameters left": []}
    for net, few, _ in networks:
        one = nissl.structure(net, few, target=3, size="target<=0.05")
        _, told = one.delete().commit(shrink=True)
        said["max difference, float32"].append(told.difference)
        said["parameters left"].append(told.parameters[1] / told.parameters[0])
        double = net.double()
        _, told = nissl.structure(double, few, target=3, size=len(one)).delete().commit(shrink=True)
        said["max difference, float64"].append(told.difference)
        net.float()
    return (
        "commit against hook",
        "<= 1e-5 float32, <= 1e-12 float64",
        {k: [float(f"{v:.2e}") for v in vs] for k, vs in said.items()},
    )
