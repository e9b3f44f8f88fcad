"""Modular addition: the structure is right before the network is; a frequency cut out; its communities found blind."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from sklearn.metrics import adjusted_rand_score

import nissl
from _structures.digits import Row, medians
from nissl.core.communities import communities
from nissl.testing.truths.addition import Addition
from nissl.testing.truths.spectrum import Spectrum

EVERY = 20


def rows(quick: bool) -> Iterator[Row]:
    seeds, steps = (range(1), 500) if quick else (range(3), Addition.steps)
    yield emergence(seeds, steps)
    clean = [(task := Addition.clean(seed), task.trained()) for seed in seeds]
    yield cut(clean)
    fresh = () if quick else range(3, 9)  # how communities are found was chosen on seeds 0 to 2
    unseen = [(task := Addition.clean(seed), task.trained()) for seed in fresh] or clean
    yield blind(unseen, [(task := Addition(seed, steps=steps), task.trained()) for seed in seeds])


def accuracy(model: Any, x: Any, y: Any) -> float:
    with torch.no_grad():
        return float((model(torch.tensor(x)).argmax(1).numpy() == y).mean())


def emergence(seeds: Sequence[int], steps: int) -> Row:
    """When the structure read from the weights, and when the network itself, is right on pairs that were not shown."""
    said: dict[str, list[float]] = {}
    for seed in seeds:
        task = Addition(seed, steps=steps)
        (x, y), held = task.every_pair(), task.split()[1]
        inside, network = {}, {}
        for step, model in task.training(EVERY):
            inside[step] = accuracy(Spectrum.of(model).only(model), x[held], y[held])
            network[step] = accuracy(model, x[held], y[held])
        first = min(step for step, right in inside.items() if right >= 0.99)
        later = min(step for step, right in network.items() if right >= 0.5)
        wrong = Addition(seed, shuffled=True, steps=500)
        (x, y), held = wrong.every_pair(), wrong.split()[1]
        shuffled = max(accuracy(Spectrum.of(m).only(m), x[held], y[held]) for _, m in wrong.training(100))
        for name, value in (
            ("structure only >= .99 at step", first), ("network >= .5 at step", later), ("lead", later / first),
            ("shuffled labels, at most", shuffled),
        ):  # fmt: skip
            said.setdefault(name, []).append(float(value))
    return (
        "modular addition: the structure before the network",
        "lead >= 5x in 3 of 3 seeds; shuffled <= .05",
        medians(said),
    )


def cut(networks: Sequence[Any]) -> Row:
    """What deleting the units of one frequency leaves of its line in the outputs' spectrum, and of the other lines."""
    own, others = [], []
    for task, model in networks:
        x, _ = task.every_pair()
        dominant = Spectrum.of(model).dominant
        intact = task.lines(model(torch.tensor(x)).detach().numpy())
        loud = [k for k in np.argsort(-np.bincount(dominant, minlength=len(intact) + 1)) if k][:6]
        units = nissl.edit(model, data=x)["hidden"]
        for k in loud:
            with units[np.flatnonzero(dominant == k).tolist()].delete():
                left = task.lines(model(torch.tensor(x)).detach().numpy())
            lost = 1 - left / intact
            own.append(float(lost[k - 1]))
            others.append(float(np.abs([lost[j - 1] for j in loud if j != k]).max()))
    figures = {
        "own line lost, median": round(float(np.median(own)), 4), "own line lost, least": round(min(own), 4),
        "others' lines changed, at most": round(max(others), 4),
    }  # fmt: skip
    return (
        "modular addition: a frequency deleted, six loudest",
        "own median >= .99, least >= .90; others <= .01",
        figures,
    )


def blind(clean: Sequence[Any], slow: Sequence[Any]) -> Row:
    """Communities from the weights alone against units' dominant frequencies: adjusted Rand index, 1 is all right."""
    said: dict[str, list[float]] = {}
    for regime, networks in (("clean", clean), ("slow", slow)):
        for _, model in networks:
            spectrum = Spectrum.of(model)
            for name, tied in (("one vocabulary known", True), ("nothing known", False)):
                found = communities([spectrum.vectors[:, k] for k in range(3)], tied=tied)
                rand = adjusted_rand_score(spectrum.dominant, found)
                said.setdefault(f"{regime}, {name}", []).append(float(rand))
    return "modular addition: communities found blind, ARI", ">= .8 in the clean regime", medians(said)
