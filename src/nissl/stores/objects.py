"""A trace in an object store, such as s3://bucket/run: the same files, written by conditional PUTs. docs/trace-format.md."""

from typing import Literal

from nissl.core.store import Store
from nissl.stores._format.bucket import Bucket
from nissl.stores._format.run import Run


class Objects(Run, Store):
    """One run below the prefix `path`. Credentials and endpoint come from the environment (AWS_ACCESS_KEY_ID ...).

    What was written is safe when the store says so, whatever `durability`. `block` epochs are sealed together. An epoch is
    committed without the ranks whose part is not there `patience` seconds after rank 0's own. A writer that dies keeps
    others out for at most `lease` seconds.
    """

    def __init__(
        self,
        path: str,
        *,
        durability: Literal["process", "power"] = "power",
        block: int = 20,
        patience: float = 600.0,
        lease: float = 60.0,
    ):
        self.path = str(path)
        super().__init__(Bucket(self.path, lease), block, patience)

    @classmethod
    def takes(cls, path: object) -> bool:
        return isinstance(path, str) and "://" in path
