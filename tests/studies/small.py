"""Runs small enough to be many."""

from typing import Any

from nissl.core.dataset import Examples, Splits
from nissl.data.digits import Digits

QUIET: dict[str, Any] = {"progress": False, "device": "cpu"}


def few(count: int = 96) -> Splits:
    whole = Digits().load()
    return Splits(
        Examples(*(part[:count] for part in whole.train)), Examples(*(part[:64] for part in whole.test)), whole.classes
    )


def weights(network: Any) -> dict[str, Any]:
    return {name: value.numpy().copy() for name, value in network.state_dict().items()}
