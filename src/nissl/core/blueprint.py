"""How a reference network is made: its fields are the choices, `build` makes the network."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

from nissl.errors import BadValue


@dataclass(frozen=True)
class Blueprint(ABC):
    """A recipe that says at once, before any network exists, whether it can take the data."""

    shape: tuple[int, ...]
    """The shape of one example, without the batch."""
    classes: int
    """How many classes to tell apart; 1 for a single value to be predicted."""
    weights: str | None = None
    """A checkpoint to start from; None starts from random weights."""

    def __post_init__(self) -> None:
        if not self.shape or min(self.shape) < 1:
            raise BadValue(f"{type(self).__name__}: shape {self.shape} is not the shape of an example.")
        if self.classes < 1:
            raise BadValue(f"{type(self).__name__}: there must be at least one class, not {self.classes}.")
        self.check()

    def check(self) -> None:
        """Refuse, by `refuse`, what this network cannot be built for."""

    @abstractmethod
    def build(self) -> Any:
        """The network, ready to be trained."""

    @property
    def gives(self) -> str:
        """What the network's output is: "logits", one for each class, or "probability", of class 1."""
        return "logits"

    def refuse(self, wanted: str) -> None:
        raise BadValue(f"{type(self).__name__} takes {wanted}; the examples given have the shape {self.shape}.")

    def want_images(self, smallest: int) -> None:
        """Refuse all but images of at least so many pixels a side."""
        if len(self.shape) != 3 or min(self.shape[1:]) < smallest:
            self.refuse(f"images (channels, height, width) of at least {smallest} x {smallest} pixels")
