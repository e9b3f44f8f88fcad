"""The most that a trace may take: held before training where its length is known, and epoch by epoch where it isn't."""

import warnings

from nissl.core.screen import amount
from nissl.errors import NisslWarning, OverBudget


class Budget:
    """`most` bytes, or None for as much as it takes."""

    def __init__(self, most: int | None):
        self.most = most
        self._said = False

    def allow(self, each: int, epochs: int, parts: str) -> None:
        """OverBudget if so many epochs of this size are more than is allowed; `parts`: what they are made of."""
        if self.most is not None and each * epochs > self.most:
            raise OverBudget(
                f"Recording {epochs} epochs of {amount(each)} takes up to {amount(each * epochs)}, more than the budget of "
                f"{amount(self.most)}. {parts}Record fewer epochs (epoch_intervals), fewer layers (layers), fewer quantities, or "
                "Weights(full=False)."
            )

    def fits(self, epoch: int, size: int, spent: float) -> bool:
        """May this epoch still be written? Said once where not: the loop is the user's and goes on."""
        fine = self.most is None or spent + size <= self.most
        if not fine and not self._said:
            self._said = True
            what = f"nissl: epoch {epoch} would take the trace beyond its budget of {amount(self.most or 0)}"
            warnings.warn(f"{what}: from here on nothing is recorded.", NisslWarning, stacklevel=2)
        return fine
