"""A trace in a folder: written safely while training goes on, plain Zarr v3 when it is closed. docs/trace-format.md."""

import os
import re
from pathlib import Path
from typing import Literal

from nissl.core.store import Store
from nissl.errors import BadValue
from nissl.stores._format.folder import Folder
from nissl.stores._format.run import Run


class Disk(Run, Store):
    """One run in the folder `path`.

    `durability`: "process" keeps every committed epoch when the process is killed, "power" also when the machine is.
    `block` epochs are sealed together. An epoch is committed without the ranks whose part is not there `patience` seconds
    after rank 0's own.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        durability: Literal["process", "power"] = "process",
        block: int = 20,
        patience: float = 600.0,
    ):
        if durability not in {"process", "power"}:
            raise BadValue(f"durability is 'process' or 'power', not {durability!r}.")
        self.path = Path(path)
        if isinstance(path, os.PathLike) and re.match(r"[a-z0-9]{2,}:[/\\]", str(path)):
            raise BadValue(f"{path}: a Path cannot hold an address; give it as text, such as 's3://bucket/run'.")
        super().__init__(Folder(self.path, power=durability == "power"), block, patience)

    @classmethod
    def takes(cls, path: object) -> bool:
        return isinstance(path, str | os.PathLike) and "://" not in str(path)
