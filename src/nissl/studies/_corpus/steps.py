"""What was made from what: a step whose source has changed since is made again, and nothing else is."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nissl.errors import MissingData
from nissl.studies._corpus import folders

LEDGER = f"{folders.SUMS}/steps.json"


@dataclass(frozen=True)
class Step:
    """A part of the pipeline: the files that it writes, and what makes it."""

    files: tuple[str, ...]
    made_by: str


STEPS: Mapping[str, Step] = {
    "sums": Step((f"{folders.SUMS}/*/*.npy", f"{folders.SUMS}/*.npy", "*.json"), "process_corpus_file"),
    "acts": Step((f"{folders.ACTS}/*/*.npy", "*.json"), "process_corpus_file(..., raw_activations=True)"),
    "grads": Step((f"{folders.GRADS}/*/*.npy",), "process_corpus_file(..., raw_activations=True)"),
    "aligned": Step((f"{folders.ALIGNED}/*/*.npy",), "align_data"),
    "naps": Step((f"{folders.NAPS}/layer*.npy", folders.SIZES), "compute_naps"),
    "contrastive": Step((f"{folders.CONTRASTIVE}/*.npy",), "compute_contrastive_naps"),
    "layout": Step((f"{folders.MAPS}/*_coordinates.npy",), "compute_topomap_layout"),
    "activations": Step((f"{folders.MAPS}/*[0-9]_activations.npy",), "compute_topomap_activations"),
    "projections": Step((f"{folders.POINTS}/*.npy",), "compute_instance_projections"),
}


class Ledger:
    """The steps of one output folder. Those that it has not written itself are taken as they are."""

    def __init__(self, out: Path, makers: Mapping[str, Callable[..., None]]):
        """`makers`: by step, the function of (out, **parameters) that makes it again."""
        self.out, self._makers = out, makers

    def known(self, step: str) -> dict[str, Any]:
        """With what parameters a step was made; none where others made it."""
        made = self._known().get(step, {})
        return {**made.get("parameters", {}), **({"by": made["by"]} if made.get("by") else {})}

    def _known(self) -> dict[str, Any]:
        file = self.out / LEDGER
        return dict(folders.told(file)) if file.is_file() else {}

    def there(self, step: str) -> bool:
        return any(next(self.out.glob(pattern), None) is not None for pattern in STEPS[step].files[:1])

    def digest(self, step: str) -> str:
        """Of all files of a step, by name and content."""
        found = hashlib.blake2b(digest_size=16)
        for path in sorted(path for pattern in STEPS[step].files for path in self.out.glob(pattern)):
            found.update(f"{path.relative_to(self.out).as_posix()}\0".encode())
            with path.open("rb") as file:
                while part := file.read(1 << 20):
                    found.update(part)
        return found.hexdigest()

    def note(self, step: str, source: str, parameters: Mapping[str, Any], by: str = "") -> None:
        """That a step was made just now; `source`: another step's name, or the digest of what lies outside; `by`: what made it."""
        of = self.digest(source) if source in STEPS else source
        made = {"source": source, "from": of, "parameters": dict(parameters), "by": by}
        folders.put(self.out / LEDGER, self._known() | {step: made})

    def current(self, step: str, source: str, parameters: Mapping[str, Any], by: str = "") -> bool:
        """Is a step there as it would be made now?"""
        made = self._known().get(step)
        if made is None or not self.there(step) or made["parameters"] != dict(parameters):
            return False
        if made.get("by", by) != by:
            return False
        return made["source"] == source and made["from"] == (self.digest(source) if source in STEPS else source)

    def need(self, *steps: str) -> str:
        """The first of these steps that is there, made again where its source has changed."""
        step = next((one for one in steps if self.there(one)), None)
        if step is None:
            wanted = STEPS[steps[0]]
            raise MissingData(f"There is no {self.out / wanted.files[0]}: call {wanted.made_by} first.")
        made = self._known().get(step)
        if made is not None and made["source"] in STEPS:
            self.need(made["source"])
            if made["from"] != self.digest(made["source"]) and step in self._makers:
                self._makers[step](self.out, **made["parameters"])
        return step
