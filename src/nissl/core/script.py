"""The contract of `scripts/`: how a library's training is overheard in a script that nobody edits."""

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager

from nissl.core.session import Session


class Script(ABC):
    """Made once, after the library has been imported; its file is named like the library's import."""

    def __init__(self, session: Session):
        self.session = session

    @abstractmethod
    def overheard(self) -> AbstractContextManager[None]:
        """Overhear the library while the `with` is open: until the script ends. Nothing stays changed after it."""

    def close(self, error: BaseException | None) -> None:
        """The script ends, with this error or well: finish what is still being recorded."""

    def seen(self) -> str:
        """What was seen of training, for the message where nothing was recorded; empty if there was none."""
        return ""
