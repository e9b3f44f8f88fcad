"""`Stage`: what every part of the page looks at: one trace, its slides and dyes; and the network itself, where it can be had."""

from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from threading import Lock

from nissl.core.trace import Trace
from nissl.errors import MissingData
from nissl.studies._feed.moments import Moments
from nissl.studies._feed.plate import Plates
from nissl.studies._feed.probed import Probed
from nissl.studies._feed.slides import Slides
from nissl.studies.subject import Subject
from nissl.views._staining.dye import Causal, Contrast, Dye


class Stage:
    """`network`: makes the network and its examples, asked for once and only when something needs it; None: it cannot be had."""

    def __init__(
        self, trace: Trace, network: Callable[[], Subject] | None = None, saved: Sequence[Path] = (),
        beside: tuple[str, Trace] | None = None,
    ):  # fmt: skip
        self.trace, self._network = trace, network
        self.beside = beside
        """Another run's name and trace, to be compared with."""
        self.saved = tuple(saved)
        """Files of structures that somebody found and kept."""
        self._subject: Subject | None = None
        self._loading = Lock()

    @cached_property
    def slides(self) -> Slides:
        return Slides(self.trace)

    @cached_property
    def plates(self) -> Plates:
        return Plates(self.trace, self.slides)

    @cached_property
    def probed(self) -> Probed:
        return Probed(self.trace, (lambda: self.subject) if self.alive else None)

    @cached_property
    def moments(self) -> Moments:
        path = getattr(self.trace.store, "path", None)
        return Moments(lambda: self.subject.model, path if isinstance(path, Path) else None)

    @property
    def alive(self) -> bool:
        """Can the network be had? Asking costs nothing."""
        return self._network is not None

    @property
    def subject(self) -> Subject:
        """The network as it is at the end of the run, and examples; loading it takes seconds, the first time."""
        if self._network is None:
            raise MissingData(
                "This page has the trace alone: open it by `nissl view RUN --model FILE.py:NAME --data ...`."
            )
        with self._loading:
            if self._subject is None:
                self._subject = self._network()
            return self._subject

    def there(self, epoch: int) -> None:
        self.trace[epoch]  # an error that names what there is

    def dyes(self, epoch: int) -> Sequence[str]:
        return ("causal", "contrast") if epoch in self.slides.followed else ("contrast",)

    def dye(self, name: str, epoch: int) -> Dye:
        return (Causal if name == "causal" else Contrast)(self.trace, epoch)
