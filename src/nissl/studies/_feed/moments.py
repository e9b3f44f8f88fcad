"""`Moments`: the network as it was at those stages of its training whose weights were kept, and as it is at hand."""

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from threading import RLock
from typing import Any

from nissl.core.network import Network, network
from nissl.studies.checkpoints import Checkpoints


class Moments:
    """`model` gives the network; whoever else has it sees nothing of this: a copy is looked at, by one at a time."""

    def __init__(self, model: Callable[[], Any], where: Path | None):
        self._model = model
        self._stages = None if where is None else Checkpoints(where).stages
        self._turn = RLock()

    @property
    def epochs(self) -> tuple[int, ...]:
        """The stages that were kept."""
        return () if self._stages is None else self._stages.epochs

    @cached_property
    def _own(self) -> Any:
        model = self._model()
        try:
            return copy.deepcopy(model)
        except Exception:  # noqa: BLE001 - whatever a framework's own objects raise
            return model

    @contextmanager
    def at(self, epoch: int | None) -> Iterator[Network]:
        """As it was then; None: as it is."""
        with self._turn:
            if epoch is None or self._stages is None:
                net = network(self._own)
                with net.evaluating():
                    yield net
                return
            with self._stages.at(self._own, epoch) as then, then.evaluating():
                yield then
