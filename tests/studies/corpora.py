"""Corpora of files, a network to pass them through, and what profiles of it are, spelled out example by example."""

import numpy as np
import torch
from torch import nn

SHAPE = (2, 8, 10)
SIZES = (5, 3, 6, 4, 7, 2)
GROUPS = ("b", "a", "c", "a", "b", "c")


def model():
    """Channels first, not square; most of its answers are wrong."""
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(2, 6, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(72, 3)
    ).eval()  # fmt: skip


def arrays():
    draw = np.random.default_rng(0)
    return [draw.normal(size=(n, *SHAPE)).astype(np.float32) for n in SIZES]


def write(folder, rows=None, batches=None):
    """corpus.csv and its files."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, x in enumerate(arrays() if batches is None else batches):
        np.save(folder / f"batch{number}.npy", x)
    rows = rows or [f"batch{n}.npy,{group},{'abc'.index(group)}" for n, group in enumerate(GROUPS)]
    (folder / "corpus.csv").write_text("\n".join(rows) + "\n")
    return folder


def heard(net, x, which):
    """For one example: input, modules' values, and the gradient of one output at each, units last."""
    values = [torch.from_numpy(x[None]).requires_grad_()]
    for module in net:
        values.append(module(values[-1]))
    output = values[-1][0]
    slopes = torch.autograd.grad(output[output.argmax() if which is None else which], values[:-1])

    def plain(value):
        array = value.detach().numpy()[0].astype(np.float64)
        return np.moveaxis(array, 0, -1) if array.ndim > 1 else array

    return [plain(v) for v in values], [plain(s) for s in slopes]


def centred(value, slope):
    salience = np.abs(slope).mean(-1)
    if salience.min() == salience.max():
        return value
    peak = np.unravel_index(salience.argmax(), salience.shape)
    found = np.zeros_like(value)
    for place in np.ndindex(*salience.shape):
        to = tuple(p + n // 2 - top for p, n, top in zip(place, salience.shape, peak, strict=True))
        if all(0 <= t < n for t, n in zip(to, salience.shape, strict=True)):
            found[to] = value[place]
    return found


def profiles(net, *, aligned=False, labels=False):
    """By layer, the input first, (group, ..., unit)."""
    found = {group: [] for group in sorted(set(GROUPS))}
    for x, group in zip(arrays(), GROUPS, strict=True):
        for example in x:
            values, slopes = heard(net, example, "abc".index(group) if labels else None)
            if aligned:
                values = [
                    centred(v, s) if v.ndim > 1 else v for v, s in zip(values, [*slopes, None], strict=True)
                ]  # fmt: skip
            found[group].append(values)
    return [np.stack([np.mean([one[k] for one in found[g]], 0) for g in found]) for k in range(len(net) + 1)]
