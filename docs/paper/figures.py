"""The paper's pictures, into docs/paper/pictures: networks trained anew from fixed seeds, drawn by nissl's own views.

`python docs/paper/figures.py [NAME ...]` draws all of them, or some, in less than a minute. A page is narrower than a screen: letters
are enlarged, and what the paper's own caption says is cut off. What the views say of their pictures goes to told.json beside them.
"""

import base64
import io
import json
import re
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import torch
from matplotlib.figure import Figure
from PIL import Image

import nissl
from nissl.apps.figure import UNDATED, paint
from nissl.core.deletions import deletions
from nissl.core.marks import Text
from nissl.core.palette import FAINT, INK, MUTED, PAPER, STAIN10
from nissl.core.view import Picture
from nissl.data.digits import Digits
from nissl.studies.train import train
from nissl.testing.truths.addition import Addition
from nissl.testing.truths.spectrum import Spectrum
from nissl.views.deleted import Deleted
from nissl.views.emergence import Emergence
from nissl.views.faithfulness import Faithfulness
from nissl.views.pathways import Pathways
from nissl.views.topomaps import Topomaps

PICTURES = Path(__file__).parent / "pictures"
SEED = 0
FIXED = {"svg.hashsalt": "nissl", "font.family": "DejaVu Sans", "path.simplify": False}
"""The same picture is the same file."""


INSIDE = re.compile(r"(?<=data:image/png;base64,)\s*([^\"]+)")
"""Pictures within a picture: what is blended cell by cell."""


@dataclass(frozen=True)
class Drawn:
    """A figure, and what there is to say of it."""

    figure: Figure
    told: str


@cache
def digits() -> Any:
    """A perceptron of 128 and 64 units that has read digits for 20 epochs, its trace, and the images."""
    place = Path(tempfile.mkdtemp()) / "digits"
    made = train(
        place, data="digits", model="mlp", model_options={"hidden": (128, 64)}, epochs=20, seed=SEED, progress=False,
        quantities=("activation", "profile", "weights", "predictions", "structures"),
    )  # fmt: skip
    return made.network, nissl.open(place), Digits().load()


def drawn(picture: Picture, letters: float, box: tuple[float, float, float, float] | None = None) -> Drawn:
    """A view's picture without its title and caption, its letters enlarged; `box`: what is kept, (left, top, right, bottom)."""
    marks = tuple(_enlarged(mark, letters) if isinstance(mark, Text) else mark for mark in picture.marks)
    left, top, right, bottom = box or (0.0, 0.0, picture.width, picture.height)
    figure = paint(replace(picture, marks=marks, title="", caption=""))
    figure.axes[0].set(xlim=(left, right), ylim=(bottom, top))
    figure.set_size_inches((right - left) / 100, (bottom - top) / 100)
    return Drawn(figure, picture.caption)


def _enlarged(text: Text, letters: float) -> Text:
    """Small letters, which stand close to one another, by half as much."""
    return replace(text, size=text.size * (letters if text.size >= 15 else (1 + letters) / 2))


def pathways() -> Drawn:
    """Three classes, and the strongest paths that lead to them."""
    _, trace, _ = digits()
    return drawn(Pathways(trace, classes=["0", "1", "2"], ribbons=240).describe(), 1.25, (150, -8, 1500, 700))


def maps() -> Drawn:
    """The first hidden layer as it answers to each class."""
    _, trace, _ = digits()
    return drawn(Topomaps(nissl.topomap(trace, "hidden_1", seed=SEED)).describe(), 1.4, (-8, -8, 1625, 560))


def deleted() -> Drawn:
    """Every class's structure deleted in turn."""
    network, _, images = digits()
    found = nissl.structures(network, images.train, size="target<=0.05", progress=False)
    return drawn(Deleted(deletions(found, images.test)).describe(), 1.35, (-25, 0, 1010, 866))


def faithfulness() -> Drawn:
    """One structure, verified."""
    network, _, images = digits()
    three = nissl.structure(network, images.train, target=3, size="target<=0.05", progress=False)
    picture = Faithfulness(three.verify(images.test, progress=False)).describe()
    hidden = "random units: mean and range"  # said by the caption; enlarged it would lie on the curves
    marks = tuple(mark for mark in picture.marks if not (isinstance(mark, Text) and mark.words == hidden))
    return drawn(replace(picture, marks=marks), 1.35, (-25, 0, 1680, picture.height))


def emergence() -> Drawn:
    """A network that learns to add: what it says, what its structure alone would say, and two controls."""
    task, shuffled = Addition(seed=2, steps=600), Addition(seed=2, steps=600, shuffled=True)
    steps, network, inside, anywhere = [], [], [], []
    for step, model in task.training(20):
        waves = Spectrum.of(model)
        steps.append(step)
        network.append(knows(task, model))
        inside.append(knows(task, waves.only(model)))
        anywhere.append([knows(task, waves.at_random(model, draw)) for draw in range(5)])
    wrong = [knows(shuffled, Spectrum.of(model).only(model)) for _, model in shuffled.training(20)]
    lines = {
        "structure only": (inside, STAIN10[2], "-"),
        "the network": (network, STAIN10[0], "-"),
        "a random frequency of each unit (mean and range of 5)": (np.mean(anywhere, 1), MUTED, "--"),
        "structure only, shuffled sums": (wrong, STAIN10[1], "-."),
    }
    with mpl.rc_context({"font.size": 8, "axes.edgecolor": MUTED, "text.color": INK, "axes.labelcolor": INK}):
        figure = Figure(figsize=(6.4, 2.6), facecolor=PAPER, layout="constrained")
        axis = figure.add_subplot(facecolor=PAPER)
        axis.fill_between(steps, np.min(anywhere, 1), np.max(anywhere, 1), color=FAINT)
        for name, (values, colour, style) in lines.items():
            axis.plot(steps, values, style, color=colour, label=name, linewidth=1.6)
        axis.set(xlabel="step of training", ylabel="accuracy on pairs never shown", ylim=(-0.02, 1.04), xlim=(0, 600))
        axis.spines[["top", "right"]].set_visible(False)
        axis.tick_params(colors=MUTED, labelcolor=INK)
        axis.legend(frameon=False, loc="upper left", bbox_to_anchor=(0.0, 1.3), ncols=2)
    at = steps.index(100)
    said = f"At step 100 the network is right in {network[at]:.3f} of the pairs never shown, its structure alone in {inside[at]:.3f}"
    return Drawn(figure, f"{said}, and a random frequency of each unit in {np.mean(anywhere[at]):.2f}.")


def settling() -> str:
    """Whether the digits' structures were there before the network could read them."""
    caption = Emergence(digits()[1]).describe().caption
    return re.findall(r"When held-out accuracy[^.]*\.", caption)[0]


def knows(task: Addition, model: Any) -> float:
    """The accuracy on pairs that were never shown."""
    (x, y), held = task.every_pair(), task.split()[1]
    with torch.no_grad():
        return float((model(torch.tensor(x[held])).argmax(1).numpy() == y[held]).mean())


PAINTED: dict[str, Callable[[], Drawn]] = {
    one.__name__: one for one in (pathways, maps, deleted, faithfulness, emergence)
}


def lighter(found: re.Match[str]) -> str:
    """A picture of 256 colours in place of all of them: a quarter of the bytes."""
    held = io.BytesIO()
    picture = Image.open(io.BytesIO(base64.b64decode(found[1])))
    picture.convert("RGBA").quantize(256, method=Image.Quantize.FASTOCTREE).save(held, "png", optimize=True)
    return base64.b64encode(held.getvalue()).decode()


if __name__ == "__main__":
    torch.set_num_threads(1)
    PICTURES.mkdir(exist_ok=True)
    told = PICTURES / "told.json"
    said = json.loads(told.read_text()) if told.exists() else {}
    for name in sys.argv[1:] or PAINTED:
        with mpl.rc_context(FIXED):
            made = PAINTED[name]()
            held = io.StringIO()
            made.figure.savefig(held, format="svg", metadata=UNDATED[".svg"])
        (PICTURES / f"{name}.svg").write_text(INSIDE.sub(lighter, held.getvalue()))
        said[name] = made.told
        print(f"{name}: {made.told}")
    said["settling"] = settling()
    told.write_text(json.dumps(said, indent=1, sort_keys=True, ensure_ascii=False) + "\n")
