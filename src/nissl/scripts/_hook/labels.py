"""Where a step's labels are: in the loader's batch, in a variable of the script, or nowhere."""

from collections.abc import Mapping
from types import FrameType
from typing import Any

from nissl.core.probe import LABELS


class Labels:
    """As `--labels` says: an expression over `batch`, or over the variables where the model is called; left out: guessed."""

    def __init__(self, asked: str | None):
        self._guess = asked is None
        self._code = compile(asked, "--labels", "eval") if asked not in (None, "none") else None
        self.of_batch = self._guess or (self._code is not None and "batch" in self._code.co_names)
        """Are they known as soon as the batch is?"""
        self.said = asked or "none: no batch of a DataLoader was seen"
        """Where they come from, for people."""
        self.lack = ""
        """Why what was asked for gives no labels, and what follows."""

    def batch(self, batch: Any) -> Any:
        """The labels of this batch, or None."""
        if self._guess:
            return self._guessed(batch)
        return self._evaluated({}, {"batch": batch}) if self.of_batch else None

    def here(self, frame: FrameType | None) -> Any:
        """The labels that the script holds in a variable where it calls the model."""
        if self._code is None or self.of_batch or frame is None:
            return None
        return self._evaluated(frame.f_globals, dict(frame.f_locals))

    def _evaluated(self, space: dict[str, Any], local: dict[str, Any]) -> Any:
        try:
            found = eval(self._code, space, local)  # type: ignore[arg-type]  # noqa: S307 - the user's own words
        except Exception as error:  # noqa: BLE001 - the user's step must go on
            self.lack = f": NOT FOUND ({type(error).__name__}: {error}), so nothing is recorded by class"
            return None
        if not usable(found):
            self.lack = f": NO LABELS but a {type(found).__name__}, so nothing is recorded by class"
            return None
        return found

    def _guessed(self, batch: Any) -> Any:
        if isinstance(batch, Mapping):
            name = next((name for name in LABELS if name in batch), None)
            self.said = f"batch[{name!r}]" if name else "none: the batch is a mapping without " + ", ".join(LABELS)
            found = batch[name] if name else None
        elif isinstance(batch, tuple | list) and len(batch) > 1:
            self.said, found = f"batch[{len(batch) - 1}]", batch[-1]
        else:
            self.said, found = f"none: the batch is a single {type(batch).__name__}", None
        if found is None or usable(found):
            return found
        self.said = f"none: {self.said} is a {type(found).__name__}, no numbers"
        return None


def usable(value: Any) -> bool:
    """Numbers, one or more for each example."""
    return bool(getattr(value, "shape", ())) and hasattr(value, "dtype") and hasattr(value, "reshape")


def like(value: Any) -> str:
    """What the labels look like, for people."""
    kind = str(getattr(value, "dtype", "")).removeprefix("torch.")
    return f"{kind} {tuple(value.shape)}" if usable(value) else ""
