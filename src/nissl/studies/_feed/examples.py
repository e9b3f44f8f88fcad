"""`examples/EXAMPLE.bin`: what was answered to one example over the epochs; `examples/EXAMPLE.EPOCH.bin`: its cells beside its class's."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from nissl.errors import MissingData
from nissl.studies._feed.attributions import WORST
from nissl.studies._feed.driving import cells
from nissl.studies._feed.packing import Array, packed, steps
from nissl.studies._feed.part import Part, number
from nissl.studies._feed.probed import probabilities, worst


class Examples(Part):
    def told(self) -> dict[str, Any] | None:
        probed = self.stage.probed
        if not probed.count or not probed.answered:
            return {"absent": "Nothing was recorded of single examples."}
        slides = [name for name in self.stage.slides.shown if name in probed.layers]
        epochs = sorted({epoch for name in slides for epoch in probed.epochs(name)})
        return {"count": probed.count, "chances": bool(probed.outputs), "epochs": epochs, "worst": WORST}

    def names(self) -> Iterator[str]:
        """Of the worst mistakes, their cells at the last epoch."""
        told, probed = self.told() or {}, self.stage.probed
        if "absent" in told:
            return
        for sample in worst(probed, probed.answered[-1], WORST):
            yield f"{sample}.bin"
            if told["epochs"]:
                yield f"{sample}.{told['epochs'][-1]}.bin"

    def file(self, rest: str) -> bytes:
        said = [number(word) for word in rest.removesuffix(".bin").split(".")]
        sample, epoch = said[0], said[-1]
        fits = rest.endswith(".bin") and len(said) in (1, 2) and None not in said
        if not fits or sample is None or epoch is None or sample >= self.stage.probed.count:
            raise self.unknown(rest, "EXAMPLE.bin and EXAMPLE.EPOCH.bin")
        return self._over(sample) if len(said) == 1 else self._at(sample, epoch)

    def _over(self, sample: int) -> bytes:
        """(epoch, class): the probability of each class in 255ths; and what was answered, where only that is known."""
        probed, one = self.stage.probed, slice(sample, sample + 1)
        if not probed.outputs:
            said = [int(probed.said(epoch)[sample]) for epoch in probed.answered]
            return packed({"epochs": probed.answered}, {"said": np.array(said, np.int16)})
        epochs = probed.epochs(probed.outputs)
        outputs = np.asarray(self.trace.read(probed.outputs, "samples", epochs, (one,))[:, 0], np.float32)
        chances = probabilities(outputs)
        arrays = {
            "chances": np.rint(255 * chances.clip(0, 1)).astype(np.uint8),
            "said": chances.argmax(1).astype(np.int16),
        }
        return packed({"epochs": epochs}, arrays)

    def _at(self, sample: int, epoch: int) -> bytes:
        """By slide: what each cell says of it; what it says of examples of its class, on average and how widely."""
        self.stage.there(epoch)
        probed = self.stage.probed
        of, whose = self._class(sample, epoch)
        arrays: dict[str, Array] = {}
        most: dict[str, float] = {}
        for place, name in enumerate(self.stage.slides.shown):
            if name not in probed.layers or epoch not in probed.epochs(name):
                continue
            values = cells(self.stage, name, epoch)
            alike = values[whose]
            table, most[str(place)] = steps(np.stack([values[sample], alike.mean(0), alike.std(0)]))
            arrays[str(place)] = table
        if not arrays:
            raise MissingData(f"What units answer to single examples was not recorded at epoch {epoch}.")
        return packed({"epoch": epoch, "class": of, "alike": int(whose.sum()), "most": most}, arrays)

    def _class(self, sample: int, epoch: int) -> tuple[int, Array]:
        """What it is, else what was answered; and the other examples that are so."""
        labels = self.stage.probed.labels
        known = labels if labels is not None and labels[sample] >= 0 else self.stage.probed.said(epoch)
        whose = known == known[sample]
        if whose.sum() > 1:
            whose[sample] = False
        return int(known[sample]), whose
