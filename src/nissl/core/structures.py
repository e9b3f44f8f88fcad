"""The structures of all classes of a network, found together."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nissl.core.belonging import owners, shares, specificity
from nissl.core.structure import Structure
from nissl.errors import UnknownName, listing, near

Array = NDArray[Any]


class Structures(Mapping[str, Structure]):
    """By class name; a class's number will do too."""

    def __init__(self, found: Mapping[str, Structure]):
        self._found = dict(found)
        for structure in self._found.values():
            object.__setattr__(structure, "family", self)  # they know of each other from the start

    def __getitem__(self, name: Any) -> Structure:
        if name in self._found:
            return self._found[name]
        if str(name) in self._found:
            return self._found[str(name)]
        if isinstance(name, int | np.integer) and 0 <= name < len(self._found):
            return list(self._found.values())[name]
        raise UnknownName(f"There is no class {name!r}.{near(name, self._found)} There are: {listing(self._found)}.")

    def __contains__(self, name: object) -> bool:
        return name in self._found or str(name) in self._found

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    @property
    def backbone(self) -> Structure:
        """Units that are members for more than half of the classes."""
        first = next(iter(self._found.values()))
        members = {}
        for name, count in first.every().items():
            votes = np.zeros(count, int)
            for structure in self._found.values():
                votes[list(structure.members.get(name, ()))] += 1
            members[name] = np.flatnonzero(2 * votes > len(self)).tolist()
        return replace(first.having(members, "backbone"), instead={})  # nobody's, so that there are no others

    def owners(self) -> dict[str, Array]:
        """For each unit the number of the class that it adds most to; -1 where it adds to none."""
        return {name: owners(table) for name, table in self._tables().items()}

    def shares(self) -> dict[str, Array]:
        """What each unit adds to each class, (unit, class); what it takes away counts as nothing."""
        return {name: shares(table) for name, table in self._tables().items()}

    def specificity(self) -> dict[str, Array]:
        """How far a unit is one class's own: 1 less the entropy of its shares over its largest; 0 where it adds nothing."""
        return {name: specificity(table) for name, table in self._tables().items()}

    def _tables(self) -> dict[str, Array]:
        first = next(iter(self._found.values()))
        return {name: np.stack([s.scores[name] for s in self._found.values()], 1) for name in first.scores}

    def __repr__(self) -> str:
        sizes = ", ".join(f"{name} {len(structure)}" for name, structure in self._found.items())
        return f"<Structures of {len(self)} classes; units: {sizes}>"
