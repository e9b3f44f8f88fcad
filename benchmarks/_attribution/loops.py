"""Beside loops over single images, as exigo and pytorch-cnn-visualizations have them, written anew from their descriptions."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

import nissl
from _attribution._subjects import Figures, Rows, Work, alexnet, cnn, examples, timed
from nissl.attribution.integrated_gradients import IntegratedGradients
from nissl.models.basic_cnn import BasicCnn


def rows(quick: bool) -> Iterator[Rows]:
    """How many times faster."""
    reach = "5x saliency, 5x guided backprop, 8x Grad-CAM, 6x integrated gradients"
    small = BasicCnn().build().eval()
    x, y = examples(32 if quick else 256)
    yield "loops, exigo's BasicCNN", reach, loops(small, small.relu4, x, y, quick)
    yield "loops, exigo's saliency as it is written", "5x", baselines(small, x, y, quick)
    wide = cnn()
    yield "loops, two convolutions of 16 and 32 channels", reach, loops(wide, wide[4], x, y, quick)
    large = alexnet()
    x, y = examples(2 if quick else 16, (3, 224, 224))
    yield "loops, AlexNet's shape, 16 images of 224 x 224", reach, loops(large, large[11], x, y, quick)


def one_by_one(model: nn.Module, x: torch.Tensor, y: torch.Tensor) -> list[Any]:
    """The gradient of each image's class, by a backward pass that fills every parameter's gradient."""
    found = []
    for image, label in zip(x, y, strict=True):
        given = image[None].clone().requires_grad_()
        model.zero_grad()
        output = model(given)
        chosen = torch.zeros_like(output)
        chosen[0, label] = 1
        output.backward(gradient=chosen)
        assert given.grad is not None
        found.append(given.grad.numpy()[0])
    return found


def guided_one_by_one(model: nn.Module, x: torch.Tensor, y: torch.Tensor) -> list[Any]:
    """With a hook on every ReLU's module."""
    hooks = [
        m.register_full_backward_hook(lambda _, found, __: (found[0].clamp(min=0),))
        for m in model.modules()
        if isinstance(m, nn.ReLU)
    ]
    found = one_by_one(model, x, y)
    for hook in hooks:
        hook.remove()
    return found


def cam_one_by_one(model: nn.Module, last: nn.Module, x: torch.Tensor, y: torch.Tensor) -> list[Any]:
    """The last convolution's value by a hook, its gradient by another."""
    found, kept = [], {}
    hook = last.register_forward_hook(lambda _, __, value: kept.update(value=value))
    for image, label in zip(x, y, strict=True):
        model.zero_grad()
        output = model(image[None])
        kept["value"].retain_grad()
        chosen = torch.zeros_like(output)
        chosen[0, label] = 1
        output.backward(gradient=chosen)
        weights = kept["value"].grad.mean((2, 3), keepdim=True)
        small = (weights * kept["value"].detach()).sum(1, keepdim=True).clamp(min=0)
        found.append(F.interpolate(small, x.shape[2:], mode="bilinear").numpy()[0])
    hook.remove()
    return found


def path_one_by_one(model: nn.Module, x: torch.Tensor, y: torch.Tensor, steps: int) -> list[Any]:
    """Point by point of each image's way."""
    return [
        sum(
            one_by_one(model, share * image[None], label[None])[0]
            for share in np.linspace(0, 1, steps, dtype=np.float32)
        )
        / steps
        for image, label in zip(x, y, strict=True)
    ]


def with_baseline(model: nn.Module, x: torch.Tensor, y: torch.Tensor) -> list[Any]:
    """The gradient of each image and, anew each time, of the blank one that it is compared with."""
    return [
        (one_by_one(model, image[None], label[None]), one_by_one(model, torch.full_like(image[None], -1), label[None]))
        for image, label in zip(x, y, strict=True)
    ]


def baselines(model: nn.Module, x: torch.Tensor, y: torch.Tensor, quick: bool) -> Figures:
    """Saliency, baseline and their difference."""
    net, labels = nissl.network(model), y.numpy()
    works: dict[str, Work] = {
        "own": lambda: nissl.attribute(net, x, labels, "baseline_delta", baseline=-1.0),
        "loop": lambda: with_baseline(model, x, y),
    }
    took = timed(works, 2 if quick else 5)
    return {"times faster": round(took["loop"] / took["own"], 2), "ms an image": round(1e3 * took["own"] / len(x), 4)}


def loops(model: nn.Module, last: nn.Module, x: torch.Tensor, y: torch.Tensor, quick: bool) -> Figures:
    """How many times faster than one image after the other."""
    net, labels, steps = nissl.network(model), y.numpy(), 8 if quick else 32
    few = slice(0, max(1, min(8, len(x) // 8)))
    pairs: dict[str, tuple[Work, Work, float]] = {
        "saliency": (lambda: nissl.attribute(net, x, labels, "gradient"), lambda: one_by_one(model, x, y), 1),
        "guided backprop": (lambda: nissl.attribute(net, x, labels, "guided_backprop"), lambda: guided_one_by_one(model, x, y), 1),
        "Grad-CAM": (lambda: nissl.attribute(net, x, labels, "grad_cam"), lambda: cam_one_by_one(model, last, x, y), 1),
        f"integrated gradients, {steps} points": (
            lambda: nissl.attribute(net, x, labels, IntegratedGradients(steps)),
            lambda: path_one_by_one(model, x[few], y[few], steps), len(x) / len(x[few]),
        ),
    }  # fmt: skip
    found = {}
    for name, (own, loop, scale) in pairs.items():
        took = timed({"own": own, "loop": loop}, 2 if quick else 5)
        found[f"{name}: times faster"] = round(scale * took["loop"] / took["own"], 2)
        found[f"{name}: ms an image"] = round(1e3 * took["own"] / len(x), 4)
    return found
