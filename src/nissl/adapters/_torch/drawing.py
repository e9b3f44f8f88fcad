"""A torch model as a graph, and as a file of ONNX."""

import io
import logging
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

import torch

from nissl.adapters._torch.atlas import Atlas
from nissl.adapters._torch.backward import backward
from nissl.adapters._torch.charting import charted, inputs
from nissl.core.capabilities import Charted, Exportable
from nissl.core.graph import Graph
from nissl.errors import MissingDependency, Unsupported


class Drawing(Charted, Exportable):
    """What the adapter of torch's models can do for those who draw."""

    _atlas: Atlas

    def evaluating(self) -> AbstractContextManager[None]:
        raise NotImplementedError

    def run(self, x: Any) -> Any:
        raise NotImplementedError

    def _native(self, x: Any) -> Any:
        raise NotImplementedError

    def chart(self, x: Any, kind: str) -> Graph:
        with self.evaluating():
            return (charted if kind == "modules" else backward)(self._atlas.root, self.run, self._native(x))

    def export(self, file: Path, x: Any) -> None:
        """By torch.onnx, the weights in the same file."""
        given = self._native(x)
        inputs(given)
        how: dict[str, Any] = {"kwargs": dict(given)} if isinstance(given, dict) else {}
        args = () if how else given if type(given) is tuple else (given,)
        try:
            with self.evaluating(), _quiet():
                torch.onnx.export(self._atlas.root, args, str(file), external_data=False, verbose=False, **how)
        except ImportError as error:
            raise MissingDependency(
                f"torch writes ONNX files with onnx and onnxscript ({error.name} is missing): pip install onnx onnxscript."
            ) from error
        except torch.onnx.OnnxExporterError as error:
            told = str(error).strip().splitlines()
            raise Unsupported(
                f"torch.onnx can't export this model: {told[0] if told else type(error).__name__}"
            ) from error


@contextmanager
def _quiet() -> Iterator[None]:
    """What the exporter says of itself and of other packages."""
    log = logging.getLogger("torch.onnx")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(level)
