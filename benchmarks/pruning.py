"""What pruning costs: by structure, by norm, by magnitude and by chance, with and without learning again; Deep Compression.

Accuracies are on examples that neither the training nor the choice has seen. Real images are used where they are at hand
($NISSL_DATA, or ../shared/data); CIFAR-10 is there as JPEG copies, on which the trained network is right in 81 of 100 cases.
"""

import argparse
import io
import json
import platform
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

import nissl
from _structures.images import DATA, chosen, resnet
from nissl.data.digits import Digits
from nissl.data.mnist import Mnist
from nissl.models.mlp import Mlp
from nissl.models.simple_net import SimpleNet

WAYS: dict[str, dict[str, Any]] = {
    "units by structure": {"by": "structure"},
    "units by norm": {"by": "norm"},
    "units by chance": {"by": "random"},
    "weights by magnitude": {"by": "magnitude"},
    "weights by magnitude, in each layer": {"by": "magnitude", "globally": False},
    "weights by chance": {"by": "random", "structured": False},
}
Figures = dict[str, Any]
Data = tuple[Any, Any]


def learn(model: nn.Module, data: Data, epochs: int, rate: float = 2e-3, term: Callable[[], Any] | None = None) -> None:
    """Adam, in an order that follows from torch's seed."""
    x, y = map(torch.as_tensor, data)
    optimiser = torch.optim.Adam(model.parameters(), rate)
    model.train()
    for _ in range(epochs):
        for part in torch.randperm(len(x)).split(64):
            optimiser.zero_grad()
            loss = F.cross_entropy(model(x[part]), y[part])
            (loss if term is None else loss + term()).backward()
            optimiser.step()
    model.eval()


def digits(seed: int, term: float = 0.0) -> tuple[nn.Module, Data, Data]:
    """A perceptron 64-128-64-10; `term`: the strength of a biased decay."""
    torch.manual_seed(seed)
    splits = Digits().load()
    model = Mlp((1, 8, 8), 10, hidden=(128, 64)).build()
    learn(model, tuple(splits.train), 25, term=nissl.biased_decay(model, term) if term else None)
    return model, tuple(splits.train), tuple(splits.test)


def cuts(models: list[Any], shares: list[float], ways: list[str], tune: int, **options: Any) -> Figures:
    """By way and share: accuracy when cut and when it has learned again, and parameters left; means over models."""
    found: Figures = {}
    for way in ways:
        for share in shares:
            rows = []
            for seed, (model, data, test) in enumerate(models):
                more = options if way.startswith("units") else {}
                torch.manual_seed(seed)
                _, report = nissl.prune(
                    model, data, share, test=test, finetune=lambda m, d=data: learn(m, d, tune) if tune else None,
                    seed=seed, **WAYS[way], **more,
                )  # fmt: skip
                rows.append((*report.accuracy, report.parameters[1] / report.parameters[0]))
            whole, cut, tuned, left = np.mean(rows, 0).round(3).tolist()
            found[f"{way}, {share:.0%}"] = {"cut": cut, "parameters left": left} | (
                {"learned again": tuned} if tune else {}
            )
            found["whole"] = whole
            print(f"  {way}, {share:.0%}: {found[f'{way}, {share:.0%}']}", flush=True)
    return found


def small(models: list[Any], share: float, bits: int, tune: int) -> Figures:
    """Deep Compression: bytes and accuracy after each stage, beside what torch.save takes."""
    rows, saved = [], []
    for seed, (model, data, test) in enumerate(models):
        torch.manual_seed(seed)
        made = nissl.compress(
            model, data, share=share, bits=bits, test=test, finetune=lambda m, d=data: learn(m, d, tune)
        )
        rows.append([(stage.bytes, stage.accuracy) for stage in made.stages])
        file = io.BytesIO()
        torch.save(model.state_dict(), file)
        saved.append(len(file.getvalue()))
    means = np.mean(rows, 0)
    found: Figures = {
        stage.name: {"bytes": round(size), "accuracy": round(float(right), 3)}
        for stage, (size, right) in zip(made.stages, means, strict=True)
    }
    found["torch.save, bytes"] = round(np.mean(saved))
    found["smaller than torch.save"] = round(float(np.mean(saved) / means[-1][0]), 1)
    print(f"  {found}", flush=True)
    return found


def decayed(seeds: range) -> Figures:
    """Half and more of the units go, after plain training and after one under a biased decay."""
    found: Figures = {}
    for name, strength in (("plain", 0.0), ("biased decay", 0.01)):
        models = [digits(seed, strength) for seed in seeds]
        found[name] = cuts(models, [0.3, 0.5], ["units by structure"], 0)
    return found


def mnist() -> list[Any]:
    """One SimpleNet after three epochs of 6,000 images."""
    splits = Mnist(str(DATA / "mnist")).load()
    torch.manual_seed(0)
    model, data = SimpleNet(splits.shape, 10).build(), chosen(*splits.train, 6000, 0)
    learn(model, data, 3, 1e-3)
    return [(model, data, chosen(*splits.test, 1000, 0))]


def groups(quick: bool) -> Iterator[tuple[str, Callable[[], Figures]]]:
    """What is measured, by name."""
    seeds = range(1 if quick else 3)
    shares = [0.5] if quick else [0.3, 0.5, 0.7, 0.9]
    yield (
        "digits, perceptron of 17,226 parameters",
        lambda: cuts([digits(s) for s in seeds], shares, list(WAYS), 1 if quick else 5),
    )
    yield (
        "digits, Deep Compression, 90 %, 4 bits",
        lambda: small([digits(s) for s in seeds], 0.9, 4, 2 if quick else 10),
    )
    yield "digits, biased decay", lambda: decayed(seeds)
    if quick or not (DATA / "mnist").is_dir():
        print("images: left out")
        return
    yield (
        "ResNet-20 on CIFAR-10, units within blocks",
        lambda: cuts(
            resnets(512), [0.3, 0.5], [way for way in WAYS if way.startswith("units")], 0, layers="layer*.conv1"
        ),
    )
    yield (
        "ResNet-20 on CIFAR-10, weights",
        lambda: cuts(
            resnets(512),
            [0.3, 0.5, 0.7],
            ["weights by magnitude", "weights by magnitude, in each layer", "weights by chance"],
            0,
        ),
    )
    yield "ResNet-20 on CIFAR-10, Deep Compression, 50 %, 5 bits", lambda: small(resnets(3000), 0.5, 5, 1)
    yield "SimpleNet on MNIST, Deep Compression, 80 %, 5 bits", lambda: small(mnist(), 0.8, 5, 1)


def resnets(many: int) -> list[Any]:
    """The trained network, some of the training images, and test images."""
    net, train, test = resnet()
    return [(net, chosen(*train, many, 0), chosen(*test, 1000, 0))]


def main() -> None:
    """Measure, print, and keep as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one seed of digits, and nothing is kept")
    parser.add_argument("--only", default="", help="groups whose name holds this; the others' figures are kept")
    given = parser.parse_args()
    torch.set_num_threads(1)
    file = Path(__file__).parent / "results" / "pruning.json"
    results: Figures = json.loads(file.read_text()) if file.exists() else {}
    for name, measure in groups(given.quick):
        if given.only in name:
            print(name, flush=True)
            results[name] = measure()
            if not given.quick:
                results["versions"] = {"python": platform.python_version(), "torch": version("torch")}
                file.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
