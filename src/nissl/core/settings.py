"""Everything that a user may say of a recording: the same fields in Python, on the command line and in TOML."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Literal

from nissl import plugins
from nissl.core.quantity import NEEDS, Quantity
from nissl.core.schedule import Schedule
from nissl.errors import BadValue

DEFAULT = ("activation", "profile", "quantiles", "weights", "weight_gradients", "predictions")
UNITS = {"": 1, "B": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}


@dataclass(frozen=True)
class Settings:
    """Checked at construction; saved in the trace as they are."""

    layers: str | Sequence[str] = "*"
    """Glob patterns of layer names."""
    quantities: Sequence[str | Quantity] | None = None
    """Names of files in nissl/quantities, or instances of their classes; None: the usual ones that the framework can give."""
    epoch_intervals: int | Sequence[int] | None = None
    """None: every epoch; n: every nth; a list: just those."""
    drop_batches: bool = True
    """True: only the epoch's statistics stay; False: those of every batch are kept in the trace as well."""
    every: int = 1
    """Listen on every nth training step."""
    functional: bool = False
    """Also hear nonlinearities that are plain function calls, at a cost in every step."""
    leaves: bool = False
    """Every leaf module is a layer of its own, nonlinearities too."""
    rounding: int | None = None
    """Keep this many bits of each float's mantissa (10: about three digits, a quarter of the size); None: all."""
    precision: Literal["float32", "float64"] = "float32"
    """How statistics are kept; float64 where traces are compared beyond seven digits."""
    budget: int | str | None = None
    """The most bytes that the trace may take ("2GB"); more is refused before training starts."""
    durability: Literal["process", "power"] = "process"
    """What a committed epoch survives: the process's death, or the machine's too."""
    patience: float = 600.0
    """Seconds that an epoch waits for what other processes saw of it, before it is committed without that."""
    progress: bool = True
    """Show what is going on; plain lines where the output is not a terminal."""
    schedule: Schedule = field(init=False, repr=False)
    recorded: tuple[Quantity, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        schedule = Schedule.of(self.epoch_intervals, self.every)
        object.__setattr__(self, "schedule", schedule)
        given = DEFAULT if self.quantities is None else self.quantities
        object.__setattr__(self, "recorded", tuple(_quantity(q) for q in _listed(given)))
        object.__setattr__(self, "budget", size(self.budget) if self.budget is not None else None)
        for name in ("drop_batches", "functional", "leaves", "progress"):
            if not isinstance(getattr(self, name), bool):
                raise BadValue(f"{name}={getattr(self, name)!r}: True or False.")
        if self.rounding is not None and (not isinstance(self.rounding, int) or not 1 <= self.rounding <= 23):
            raise BadValue(f"rounding={self.rounding!r}: bits of mantissa to keep, 1 to 23, or None for all.")
        if self.durability not in ("process", "power"):
            raise BadValue(f"durability={self.durability!r}: 'process' or 'power'.")
        if self.precision not in ("float32", "float64"):
            raise BadValue(f"precision={self.precision!r}: 'float32' or 'float64'.")
        if self.precision == "float64" and self.rounding is not None:
            raise BadValue(f"precision='float64' keeps every digit, rounding={self.rounding} drops some: choose one.")
        if not isinstance(self.patience, int | float) or isinstance(self.patience, bool) or not self.patience >= 0:
            raise BadValue(f"patience={self.patience!r}: seconds, 0 or more.")

    def recipe(self) -> dict[str, Any]:
        """As plain values, for the trace's header."""
        hidden = ("schedule", "recorded", "patience", "progress")
        plain = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in hidden}
        plain["quantities"] = [repr(q) for q in self.recorded]
        for name in ("layers", "epoch_intervals"):
            if not isinstance(plain[name], str | int | None):
                plain[name] = list(plain[name])
        return plain


def size(budget: int | str) -> int:
    """Bytes from "2GB", "500 MB", "1.5G" or a number."""
    found = re.fullmatch(r"\s*([\d.]+)\s*([KMGT]?)i?B?\s*", str(budget), re.IGNORECASE)
    if not found or isinstance(budget, bool):
        raise BadValue(f"budget={budget!r}: a number of bytes or a text such as '500MB' or '2GB'.")
    return int(float(found[1]) * UNITS[found[2].upper()])


def _listed(quantities: Any) -> Sequence[Any]:
    if isinstance(quantities, str | Quantity):
        quantities = (quantities,)
    if not quantities:
        raise BadValue("quantities is empty: name at least one, such as 'activation'.")
    return tuple(quantities)


def _quantity(given: str | Quantity) -> Quantity:
    if isinstance(given, str):
        made: Quantity = plugins.load("quantities", given)()
        given = made
    if not isinstance(given, Quantity) or given.needs not in NEEDS:
        raise BadValue(f"quantities: {given!r} is neither a quantity nor the name of one ({', '.join(DEFAULT)} ...).")
    return given
