"""What `train` keeps beside a trace: the best weights, and all that is needed to go on."""

from pathlib import Path
from typing import Any

from nissl.errors import MissingData
from nissl.studies.stages import Stages


class Checkpoints:
    """The folder checkpoints/RUN next to the trace RUN, here where that is an address; every file is whole or not there."""

    def __init__(self, trace: str | Path):
        self.trace = trace
        beside = Path(str(trace).rstrip("/").rpartition("/")[2]) if "://" in str(trace) else Path(trace)
        self.folder = beside.parent / "checkpoints" / beside.name
        self.best = self.folder / "best_model.pt"
        self.stages = Stages(self.folder / "stages")

    def state(self, epoch: int) -> Path:
        return self.folder / f"state_{epoch:06d}.pt"

    def better(self, trainer: Any, network: Any) -> None:
        """The best network so far: its weights alone, for `torch.load(path, weights_only=True)`."""
        trainer.save(self.best, trainer.weights(network))

    def reached(self, trainer: Any, epoch: int, losses: list[float]) -> None:
        """Keep this epoch's whole state, and the one before it: the trace may not hold this epoch yet."""
        before = sorted(self.folder.glob("state_*.pt"))
        trainer.save(self.state(epoch), trainer.state() | {"losses": losses})
        for old in before[:-1]:
            old.unlink(missing_ok=True)

    def take_up(self, trainer: Any, epoch: int) -> list[float]:
        """Bring the trainer to where it was after this epoch; the losses until then."""
        path = self.state(epoch)
        if not path.is_file():
            raise MissingData(
                f"{self.trace} ends with epoch {epoch}, but there is no {path} to go on from: record it anew with overwrite=True."
            )
        losses: list[float] = trainer.restore(path)["losses"]
        return losses

    def clear(self) -> None:
        """A new run begins: what an earlier one of this name kept is out of date."""
        for old in (self.best, *self.folder.glob("state_*.pt")):
            old.unlink(missing_ok=True)
        self.stages.clear()
