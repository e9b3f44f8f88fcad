"""The processes that train one network together, as one of them sees it: who does what, and what they agree on."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from nissl import errors
from nissl.core.network import Network
from nissl.errors import BadValue, NisslError, listing

Facts = dict[str, Any]


class Ranks:
    """Nothing is ever said between them but when a recording opens."""

    def __init__(self, network: Network):
        self.network = network
        self.rank, self.world = network.process
        self.whole = network.whole

    @property
    def first(self) -> bool:
        """The process that creates the trace, and that shows the probe's and the parameters' values."""
        return self.rank == 0

    @property
    def several(self) -> bool:
        return self.world > 1

    @property
    def looks(self) -> bool:
        """Does this process run the probe and read the parameters? Where each has but a part of them, all do so together."""
        return self.first or not self.whole

    def agree(self, make: Callable[[], Facts]) -> Facts:
        """What the first process makes of it, on every process; if that fails there, it fails on all of them alike."""
        if not self.several:
            return make()
        if not self.first:
            return self._told(json.loads(self.network.from_first("")))
        try:
            facts = make()
        except Exception as error:
            self.network.from_first(json.dumps({"failed": type(error).__name__, "because": str(error)}))
            raise
        self.network.from_first(json.dumps({"facts": facts}))
        return facts

    def _told(self, said: Mapping[str, Any]) -> Facts:
        if "facts" in said:
            facts: Facts = said["facts"]
            return facts
        kind = getattr(errors, said["failed"], None)
        raise kind(said["because"]) if kind else NisslError(f"on rank 0: {said['failed']}: {said['because']}")

    def same(self, first: Facts, mine: Facts) -> None:
        """The processes are given the same options; BadValue names those that differ."""
        mine = json.loads(json.dumps(mine))
        other = [
            f"{name} ({first[name]!r} on rank 0, {mine[name]!r} here)" for name in mine if first[name] != mine[name]
        ]
        if other:
            raise BadValue(
                f"Rank {self.rank} records otherwise than rank 0: {listing(other)}. Give every process the same options."
            )


def lacks(missing: Mapping[int, tuple[int, ...]]) -> str:
    """Which epochs are without what which ranks saw, in words."""
    ranks = sorted({rank for gone in missing.values() for rank in gone})
    who = f"rank{'s' if len(ranks) > 1 else ''} {', '.join(map(str, ranks))}"
    return f"without (all of) what {who} saw: {listing(f'E_{epoch}' for epoch in missing)}"
