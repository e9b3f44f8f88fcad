"""Beside the ways of exigo and pytorch-cnn-visualizations, one image after the other.

Each does what theirs does for an image, in words of our own: hooks on the model's modules, backward passes that fill every
parameter's gradient, results as numpy, a map that is summed channel by channel and enlarged by Pillow. What they do to read
images and to save pictures is left out, as it is of ours.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import nn

import nissl
from _attribution._subjects import Figures, Rows, Work, alexnet, cnn, examples, timed
from nissl.attribution.integrated_gradients import IntegratedGradients
from nissl.models.basic_cnn import BasicCnn

STEPS = 32


def rows(quick: bool) -> Iterator[Rows]:
    """How many times faster."""
    reach = "5x saliency, 5x guided backprop, 8x Grad-CAM, 6x integrated gradients"
    small = BasicCnn().build().eval()
    x, y = examples(32 if quick else 256)
    yield "loops, exigo's BasicCNN", reach, loops(small, x, y, quick)
    yield "loops, exigo's saliency as it is written", "5x", baselines(small, x, y, quick)
    yield "loops, two convolutions of 16 and 32 channels", reach, loops(cnn(), x, y, quick)
    count, side, wide = (1, 96, 256) if quick else (16, 224, 4096)
    x, y = examples(count, (3, side, side))
    yield f"loops, AlexNet's shape, {count} images of {side} x {side}", reach, loops(alexnet(wide), x, y, quick)


class OneByOne:
    """pytorch-cnn-visualizations: an object hooks the model, and is then asked about one image at a time."""

    def __init__(self, model: nn.Module, guided: bool = False) -> None:
        parts = list(model.children())
        at = next(at for at, part in enumerate(parts) if isinstance(part, nn.Flatten))
        self.model, self.features, self.rest, self.found = model, parts[:at], parts[at:], np.zeros(0)
        self.handles = [self.features[0].register_full_backward_hook(self.hear)]
        for part in self.features if guided else ():
            if isinstance(part, nn.ReLU):
                self.handles.append(part.register_full_backward_hook(lambda _, left, __: (left[0].clamp(min=0),)))

    def hear(self, _: nn.Module, left: Any, came: Any) -> None:
        self.found = left[0].numpy()[0]

    def close(self) -> None:
        for handle in self.handles:
            handle.remove()

    def backward(self, output: torch.Tensor, label: int, again: bool = False) -> None:
        self.model.zero_grad()
        chosen = torch.zeros(1, output.shape[-1])
        chosen[0][label] = 1
        output.backward(gradient=chosen, retain_graph=again)

    def gradient(self, image: torch.Tensor, label: int) -> Any:
        """Of the class at the image, as its first layer hears it."""
        self.backward(self.model(image), label)
        return self.found

    def path(self, image: torch.Tensor, label: int) -> Any:
        """Point by point of the image's way, both ends included."""
        points = [image * share for share in np.arange(STEPS + 1) / STEPS]
        total = np.zeros(image.shape)
        for point in points:
            total = total + self.gradient(point, label) / STEPS
        return total[0]

    def cam(self, image: torch.Tensor, label: int) -> Any:
        """Of the last of the features that is a ReLU, module by module."""
        last, kept, value = max(at for at, part in enumerate(self.features) if isinstance(part, nn.ReLU)), {}, image
        for at, part in enumerate(self.features):
            value = part(value)
            if at == last:
                value.register_hook(lambda slope: kept.update(slope=slope))
                kept["value"] = value
        for part in self.rest:
            value = part(value)
        self.backward(value, label, again=True)
        slopes, values = kept["slope"].numpy()[0], kept["value"].detach().numpy()[0]
        total = np.ones(values.shape[1:], np.float32)
        for weight, channel in zip(slopes.mean((1, 2)), values, strict=True):
            total += weight * channel
        total = np.maximum(total, 0)
        total = np.uint8(255 * (total - total.min()) / max(total.max() - total.min(), 1e-12))
        large = Image.fromarray(total).resize((image.shape[3], image.shape[2]), Image.Resampling.LANCZOS)
        return np.uint8(large) / 255


def one_by_one(
    model: nn.Module, x: torch.Tensor, y: torch.Tensor, what: str = "gradient", guided: bool = False
) -> list[Any]:
    """Every image's, by an object that is made for them."""
    made = OneByOne(model, guided)
    found = [
        getattr(made, what)(image[None].clone().requires_grad_(), int(label)) for image, label in zip(x, y, strict=True)
    ]
    made.close()
    return found


def with_baseline(model: nn.Module, x: torch.Tensor) -> list[Any]:
    """exigo: the gradients of all outputs' sum at each image and, anew each time, at the blank one it is compared with."""
    found = []
    for image in x:
        blank = (torch.ones(image.shape) * -1).requires_grad_()
        given = image.clone().requires_grad_()
        there, here = model(blank[None]), model(given[None])
        there.sum().backward()
        here.sum().backward()
        assert blank.grad is not None
        assert given.grad is not None
        saliency = given.grad.squeeze().abs()
        delta = given.grad.squeeze() - blank.grad.squeeze()
        found.append((blank.grad.squeeze().abs(), saliency, delta, saliency * image.squeeze()))
    return found


def baselines(model: nn.Module, x: torch.Tensor, y: torch.Tensor, quick: bool) -> Figures:
    """Saliency, baseline and their difference."""
    net, labels = nissl.network(model), y.numpy()
    works: dict[str, Work] = {
        "own": lambda: nissl.attribute(net, x, labels, "baseline_delta", baseline=-1.0),
        "loop": lambda: with_baseline(model, x),
    }
    took = timed(works, 2 if quick else 5)
    return {"times faster": round(took["loop"] / took["own"], 2), "ms an image": round(1e3 * took["own"] / len(x), 4)}


def loops(model: nn.Module, x: torch.Tensor, y: torch.Tensor, quick: bool) -> Figures:
    """How many times faster than one image after the other."""
    net, labels = nissl.network(model), y.numpy()
    few = slice(0, max(1, min(8, len(x) // 8)))
    pairs: dict[str, tuple[Work, Work, float]] = {
        "saliency": (lambda: nissl.attribute(net, x, labels, "gradient"), lambda: one_by_one(model, x, y), 1),
        "guided backprop": (
            lambda: nissl.attribute(net, x, labels, "guided_backprop"), lambda: one_by_one(model, x, y, guided=True), 1,
        ),
        "Grad-CAM": (lambda: nissl.attribute(net, x, labels, "grad_cam"), lambda: one_by_one(model, x, y, "cam"), 1),
        f"integrated gradients, {STEPS} points": (
            lambda: nissl.attribute(net, x, labels, IntegratedGradients(STEPS)),
            lambda: one_by_one(model, x[few], y[few], "path"), len(x) / len(x[few]),
        ),
    }  # fmt: skip
    found = {}
    for name, (own, loop, scale) in pairs.items():
        took = timed({"own": own, "loop": loop}, 1 if quick else 2 if len(x) < 32 else 5)
        found[f"{name}: times faster"] = round(scale * took["loop"] / took["own"], 2)
        found[f"{name}: ms an image"] = round(1e3 * took["own"] / len(x), 4)
    return found
