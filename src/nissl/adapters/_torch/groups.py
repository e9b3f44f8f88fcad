"""The classes of one step, made ready once for all the layers that hear it."""

from typing import Any

import torch
from torch import Tensor

from nissl.errors import BadValue


class Groups:
    """A class for every example (B,), for every position (B, T ...), or a table of memberships, bool (B, class)."""

    __slots__ = ("_ready", "address", "device", "examples", "labels", "member")

    def __init__(self, labels: Tensor):
        if labels.dtype.is_floating_point or labels.dtype.is_complex:
            raise BadValue(
                f"Classes must be integers, or bool (example, class) for several at once; these are {labels.dtype} "
                f"of shape {tuple(labels.shape)}."
            )
        if labels.dim() == 0:
            raise BadValue(f"Classes must have an axis of examples; a single number was given: {labels.item()}.")
        self.examples = labels.shape[0]
        self.member = labels.detach() if labels.dtype == torch.bool and labels.dim() > 1 else None
        if self.member is not None and labels.dim() != 2:
            raise BadValue(f"A table of memberships is (example, class); this one has shape {tuple(labels.shape)}.")
        self.labels = labels.detach().to(torch.int64).contiguous()
        if self.member is None and labels.numel() == self.examples:
            self.labels = self.labels.reshape(-1)
        self.device = self.labels.device
        simple = self.member is None and self.labels.dim() == 1 and self.labels.is_cpu
        self.address = self.labels.data_ptr() if simple else 0
        """Where the labels lie, if they are one for each example and in the processor's memory."""
        self._ready: dict[Any, Any] = {}

    def on(self, device: torch.device) -> "Groups":
        """The same where a layer's values are."""
        if device not in self._ready:
            self._ready[device] = Groups((self.labels if self.member is None else self.member).to(device))
        return self._ready[device]

    def for_sequence_first(self, value: Tensor) -> "Groups":
        """Classes of positions that lie as a sequence-first value does, (T, B), turned to example first."""
        if self.member is not None or self.labels.dim() != 2 or self.labels.shape != value.shape[:2]:
            return self
        if "turned" not in self._ready:
            self._ready["turned"] = Groups(self.labels.t())
        return self._ready["turned"]

    def rows(self, examples: int, positions: int, position_first: bool = False) -> Tensor:
        """Labels for values of so many examples and positions: (examples,) or, one for each row, (rows,)."""
        if self.examples == examples and self.labels.dim() == 1:
            return self.labels
        if self.member is not None or self.examples != examples or self.labels.numel() != examples * positions:
            kind = "table of memberships" if self.member is not None else "classes"
            raise BadValue(
                f"The {kind} of shape {tuple(self.labels.shape)} don't fit a layer's value of {examples} examples with "
                f"{positions} positions each: give one class for each example, or one for each position."
            )
        key = ("rows", positions, position_first)
        if key not in self._ready:
            table = self.labels.reshape(examples, positions)
            self._ready[key] = (table.t() if position_first else table).reshape(-1).contiguous()
        return self._ready[key]

    def index(self, labels: Tensor, classes: int) -> tuple[Tensor, Tensor]:
        """Rows of a table with one more row than classes, which takes whatever has no class; and how many go to each."""
        key = ("index", labels.data_ptr(), classes)
        if key not in self._ready:
            rows = torch.where((labels < 0) | (labels > classes), classes, labels)
            self._ready[key] = rows, rows.new_zeros(classes + 1).index_add_(0, rows, torch.ones_like(rows))
        return self._ready[key]

    def table(self, examples: int, classes: int, dtype: torch.dtype) -> Tensor:
        """The memberships as numbers, (class, example)."""
        assert self.member is not None
        if tuple(self.member.shape) != (examples, classes):
            raise BadValue(
                f"The table of memberships has shape {tuple(self.member.shape)}, but the layer's value has {examples} "
                f"examples and {classes} classes are followed: give bool of shape ({examples}, {classes})."
            )
        key = ("table", dtype)
        if key not in self._ready:
            self._ready[key] = self.member.to(dtype).t().contiguous()
        return self._ready[key]


def groups_of(labels: Any) -> Groups | None:
    """Whatever names the classes of a step's examples, made ready; None stays None."""
    if labels is None or isinstance(labels, Groups):
        return labels
    return Groups(labels if isinstance(labels, Tensor) else torch.as_tensor(labels))
