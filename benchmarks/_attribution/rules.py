"""Rules on ReLUs, and maps together, by what one gradient or one map costs."""

from collections.abc import Iterator

import nissl
from _attribution._subjects import Figures, Rows, cnn, examples, timed
from nissl.models.resnet20 import Resnet20

CAMS = ["grad_cam", "grad_cam_plus_plus", "layer_cam", "hires_cam"]


def rows(quick: bool) -> Iterator[Rows]:
    """On ResNet-20, and on a small network."""
    reach = (
        "guided backprop and deconvnet at most 1.25 of a gradient; four CAMs at most 1.3 of one; 19 ReLUs of ResNet-20"
    )
    yield "rules", reach, rules(quick)


def rules(quick: bool) -> Figures:
    """Rules on ReLUs, and maps together, by what one gradient or map costs."""
    model, (x, y) = Resnet20().build().eval(), examples(4 if quick else 32, (3, 32, 32))
    net, labels = nissl.network(model), y.numpy()
    took = timed(
        {
            by: (lambda by=by: nissl.attribute(net, x, labels, by))
            for by in ("gradient", "guided_backprop", "deconvnet")
        },
        3 if quick else 9,
    )
    small, (many, classes) = nissl.network(cnn()), examples(32 if quick else 256)
    maps = timed(
        {
            "one": lambda: nissl.attribute(small, many, classes.numpy(), "grad_cam"),
            "all": lambda: nissl.attribute(small, many, classes.numpy(), CAMS),
        },
        3 if quick else 15,
    )
    return {
        "guided backprop / gradient, ResNet-20": round(took["guided_backprop"] / took["gradient"], 3),
        "deconvnet / gradient, ResNet-20": round(took["deconvnet"] / took["gradient"], 3),
        "ReLUs of ResNet-20": nissl.attribute(net, x[:1], labels[:1], "guided_backprop").notes[0],
        "four CAMs together / one": round(maps["all"] / maps["one"], 3),
    }
