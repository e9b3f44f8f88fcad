"""`Stages`: what a network's weights were at several moments of its training, to look at it again as it then was."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nissl.core.capabilities import Tying
from nissl.core.network import Network, network
from nissl.errors import BadValue, DamagedData, MissingData, Unsupported, listing

_FILE = re.compile(r"stage_(\d+)\.safetensors")


class Stages:
    """A folder with a file of weights for every moment that was kept; files are whole or not there.

    In a loop of your own: `stages = Stages("runs/mine/stages")`, and `stages.keep(model, epoch)` whenever you wish.
    """

    def __init__(self, folder: str | Path):
        self.folder = Path(folder)

    @property
    def epochs(self) -> tuple[int, ...]:
        """Those that were kept, in order."""
        names = [_FILE.fullmatch(file.name) for file in self.folder.glob("stage_*.safetensors")]
        return tuple(sorted(int(name[1]) for name in names if name))

    def keep(self, model: Any, epoch: int) -> Path:
        """The weights and buffers as they are now; the epoch's earlier ones are replaced."""
        from safetensors.numpy import save

        if epoch < 0:
            raise BadValue(f"epoch={epoch}: a whole number from 0, which stands for the network before training.")
        path = self.folder / f"stage_{epoch:06d}.safetensors"
        part = path.with_name(f"{path.name}.{os.getpid()}.part")
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            part.write_bytes(save(_tying(model).state()))
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
        return path

    @contextmanager
    def at(self, model: Any, epoch: int) -> Iterator[Network]:
        """The model as it was at that epoch while the `with` is open; afterwards as it is now."""
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        if epoch not in self.epochs:
            raise MissingData(f"{self.folder} holds no stage of epoch {epoch}. There are: {listing(self.epochs)}.")
        tying = _tying(model)
        try:
            then = load_file(self.folder / f"stage_{epoch:06d}.safetensors")
        except (SafetensorError, ValueError) as error:
            raise DamagedData(f"{self.folder}: the stage of epoch {epoch} cannot be read: {error}") from error
        now = tying.state()
        if then.keys() != now.keys():
            odd = sorted(then.keys() ^ now.keys())
            raise BadValue(f"{self.folder} was kept of another model: only one of the two has {listing(odd, 4)}.")
        try:
            tying.restore(then)
            yield network(model)
        finally:
            tying.restore(now)

    def each(self, model: Any, epochs: Any = None) -> Iterator[tuple[str, Network]]:
        """The model as it was, epoch after epoch, by name; as `nissl.projection` takes several moments."""
        for epoch in self.epochs if epochs is None else epochs:
            with self.at(model, epoch) as then:
                yield f"epoch {epoch}", then

    def clear(self) -> None:
        """A new run begins: what an earlier one kept is out of date."""
        for epoch in self.epochs:
            (self.folder / f"stage_{epoch:06d}.safetensors").unlink(missing_ok=True)

    def __len__(self) -> int:
        return len(self.epochs)

    def __repr__(self) -> str:
        return f"<Stages in {self.folder}: epochs {listing(self.epochs)}>"


def _tying(model: Any) -> Any:
    found = network(model)
    if not isinstance(found, Tying):
        raise Unsupported(f"{found.framework} gives no weights by name, so that its stages can't be kept.")
    return found
