"""exigo's five panels."""

import numpy as np
import torch

from nissl.studies.attribution import five
from nissl.testing.attribution import LABELS, convolving, images


def test_the_panels_are_their_formulae_and_the_baseline_is_asked_once_for_each_class():
    model, x = convolving().eval(), images()

    def gradient(given):
        given = given.clone().requires_grad_()
        return torch.autograd.grad(model(given).gather(1, torch.as_tensor(LABELS)[:, None]).sum(), given)[0].numpy()

    for baseline in (-1.0, images()[0].numpy()):
        found = five(model, x, LABELS, baseline=baseline)
        empty = torch.as_tensor(np.broadcast_to(baseline, x.shape).copy())
        own, blank = gradient(x), gradient(empty)
        for name, wanted in {
            "saliency": own, "baseline": blank, "delta": own - blank, "overlay": (own - blank) * (x - empty).numpy(),
        }.items():  # fmt: skip
            np.testing.assert_allclose(found[name], wanted, rtol=1e-9, atol=1e-12)
        assert found["overlay"].target == "true class"
    assert five(model, x, "sum")["delta"].target == "sum of the outputs"
