"""Beside captum, where it is installed, as ratios to one batched gradient."""

import warnings
from collections.abc import Iterator
from importlib.metadata import version
from importlib.util import find_spec

import torch
from torch import nn

import nissl
from _attribution._subjects import Figures, Rows, Work, cnn, examples, timed
from nissl.attribution.integrated_gradients import IntegratedGradients
from nissl.attribution.smooth_grad import SmoothGrad


def rows(quick: bool) -> Iterator[Rows]:
    """Everything in the same rounds."""
    warnings.filterwarnings("ignore", category=UserWarning, module="captum")
    yield "peers", "not slower than captum", peers(quick)


def peers(quick: bool) -> Figures:
    """As ratios to one batched gradient."""
    model, (x, y) = cnn(), examples(32 if quick else 256)
    net, labels = nissl.network(model), y.numpy()

    def gradient() -> torch.Tensor:
        given = x.clone().requires_grad_()
        return torch.autograd.grad(model(given).gather(1, y[:, None]).sum(), given)[0]

    works: dict[str, Work] = {
        "one batched gradient": gradient,
        "saliency, own": lambda: nissl.attribute(net, x, labels, "saliency"),
        "guided backprop, own": lambda: nissl.attribute(net, x, labels, "guided_backprop"),
        "Grad-CAM, own": lambda: nissl.attribute(net, x, labels, "grad_cam"),
        "baseline delta, own": lambda: nissl.attribute(net, x, labels, "baseline_delta"),
        "integrated gradients 32, own": lambda: nissl.attribute(net, x, labels, IntegratedGradients(32)),
        "SmoothGrad 16, own": lambda: nissl.attribute(net, x, labels, SmoothGrad(16)),
        "occlusion 4 x 4, own": lambda: nissl.attribute(net, x, labels, "occlusion"),
        "LRP epsilon plus, own": lambda: nissl.attribute(net, x, labels, "lrp"),
        "secant (DeepLIFT), own": lambda: nissl.attribute(net, x, labels, "secant"),
    }
    if find_spec("captum"):
        works |= _captums(model, x, y)
    took = timed(works, 2 if quick else 5)
    base = took["one batched gradient"]
    ratios = {name: round(seconds / base, 2) for name, seconds in took.items() if seconds is not base}
    return {
        "one batched gradient, ms": round(1e3 * base, 2),
        **ratios,
        "captum": version("captum") if find_spec("captum") else "not installed",
    }


def _captums(model: nn.Module, x: torch.Tensor, y: torch.Tensor) -> dict[str, Work]:
    from captum import attr

    path, noise = attr.IntegratedGradients(model), attr.NoiseTunnel(attr.Saliency(model))
    return {
        "saliency, captum": lambda: attr.Saliency(model).attribute(x, y),
        "guided backprop, captum": lambda: attr.GuidedBackprop(model).attribute(x, y),
        "Grad-CAM, captum": lambda: attr.LayerAttribution.interpolate(
            attr.LayerGradCam(model, model[4]).attribute(x, y, relu_attributions=True),
            (28, 28),
            "bilinear",  # type: ignore[index]
        ),
        "integrated gradients 32, captum, as it comes": lambda: path.attribute(x, target=y, n_steps=32),
        "integrated gradients 32, captum in batches of 256": lambda: path.attribute(
            x, target=y, n_steps=32, internal_batch_size=256
        ),
        "SmoothGrad 16, captum": lambda: noise.attribute(
            x, target=y, nt_samples=16, nt_samples_batch_size=1, abs=False
        ),
        "occlusion 4 x 4, captum": lambda: attr.Occlusion(model).attribute(x, (1, 4, 4), (1, 4, 4), target=y),
        "DeepLIFT, captum": lambda: attr.DeepLift(model).attribute(x, target=y),
    }
