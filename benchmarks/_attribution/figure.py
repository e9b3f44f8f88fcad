"""exigo's picture of ten images and five panels."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from matplotlib.figure import Figure

from _attribution._subjects import Figures, Rows, cnn, examples, timed
from _attribution.loops import one_by_one
from nissl.apps.figure import paint
from nissl.studies.attribution import five
from nissl.views.attributions import Attributions


def rows(quick: bool) -> Iterator[Rows]:
    """From the model to a file."""
    yield "figure", "10 images x 5 panels in 0.15 s", figure(quick)


def figure(quick: bool) -> Figures:
    """exigo's picture: from the model to a file; and as exigo paints it, with axes for every panel."""
    model, (x, y) = cnn(), examples(10)
    with tempfile.TemporaryDirectory() as folder:

        def own() -> None:
            found = five(model, x, y.numpy(), baseline=-1.0)
            paint(Attributions(found, x.numpy(), y.numpy(), y.numpy()).describe(), Path(folder) / "panels.png")

        def exigo() -> None:
            saliency, blank = (np.stack(one_by_one(model, given, y)) for given in (x, torch.full_like(x, -1.0)))
            sheet = Figure()
            for row, panel in enumerate(
                (x.numpy(), np.abs(blank), np.abs(saliency), saliency - blank, np.abs(saliency) * x.numpy())
            ):
                for column, image in enumerate(panel):
                    axes = sheet.add_subplot(5, 10, 10 * row + column + 1)
                    axes.imshow(image[0])
                    axes.set_axis_off()
            sheet.savefig(Path(folder) / "exigo.png", dpi=250)

        took = timed({"own": own, "exigo": exigo}, 1 if quick else 9)
    return {"seconds": round(took["own"], 4), "as exigo paints it, seconds": round(took["exigo"], 4)}
