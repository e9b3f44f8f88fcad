"""Is a structure necessary, sufficient, specific? Cut it, and compare."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nissl.core.structure import Structure


@dataclass(frozen=True)
class Report:
    """What was measured."""


def verify(structure: "Structure", data: Any = None) -> Report:
    """Cut it, and compare."""
    raise NotImplementedError
