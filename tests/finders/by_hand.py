"""A small perceptron, its values and its cuts, worked out by hand."""

from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional as F

from nissl.core.finder import finder
from nissl.core.network import network
from nissl.core.question import asked


def mlp(*sizes):
    torch.manual_seed(2)
    layers = [part for a, b in pairwise(sizes) for part in (nn.Linear(a, b), nn.ReLU())]
    return nn.Sequential(*layers[:-1]).double()


def example():
    """A model, inputs, classes."""
    torch.manual_seed(3)
    return mlp(5, 7, 6, 4), torch.randn(20, 5, dtype=torch.float64), torch.arange(20) % 4


def case_of(given, by, target=None, **options):
    model, x, y = given
    made = finder(by, options.pop("options", {}))
    case = asked(network(model), (x, y), target, **{"baseline": made.baselines[0], **options})
    return case, made(case)


def odds(out, y):
    """Of each row's class."""
    rest = out.masked_fill(F.one_hot(y, out.shape[1]).bool(), -torch.inf)
    return out.gather(1, y[:, None])[:, 0] - torch.logsumexp(rest, 1)


def inner(model, x):
    first = torch.relu(model[0](x))
    return {"0": first, "2": torch.relu(model[2](first))}


def rest_of(model, name, value):
    return model[4](torch.relu(model[2](value)) if name == "0" else value)


def cut(model, x, chosen, to):
    """Outputs with these units (layer, number) replaced, by hooks."""

    def hook(name):
        def replace(module, args, out):
            out = out.clone()
            for layer, unit in chosen:
                if layer == name:
                    out[:, unit] = to[name][..., unit]
            return out

        return replace

    handles = [model[int(name) + 1].register_forward_hook(hook(name)) for name in ("0", "2")]
    try:
        with torch.no_grad():
            return model(x)
    finally:
        for handle in handles:
            handle.remove()


def there(given, case, baseline):
    """What stands in the place of values, by layer."""
    model, x, _ = given
    with torch.no_grad():
        values = inner(model, x)
        if baseline == "counterfactual":
            return inner(model, x[case.counterfactuals(0)])
    return {name: value.mean(0) * (baseline == "mean") for name, value in values.items()}
