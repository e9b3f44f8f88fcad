"""A training run that was broken off goes on as if it had not been."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from nissl.core.trace import open as opened
from nissl.errors import BadValue, MissingData
from nissl.studies.train import train
from tests.studies.small import QUIET, few, weights


def sums(path: Path) -> dict[str, Any]:
    """Everything recorded but the time that it took."""
    trace = opened(path)
    frame = trace.to_dataframe()
    numbers = {name: found.values for name, found in trace.scalars.items() if name != "seconds"}
    return {"epochs": np.array(trace.epochs), **{name: frame[name].to_numpy() for name in frame}, **numbers}


@pytest.mark.parametrize("every", [1, 2])
def test_a_resumed_run_is_the_run_without_a_break(every: int, tmp_path: Path) -> None:
    recipe = {
        "data": few(),
        "optimiser": "adamw",
        "epoch_intervals": every,
        "quantities": ["activation", "weights"],
        **QUIET,
    }
    whole = train(tmp_path / "whole", epochs=6, **recipe | {"model": dropping()})
    train(tmp_path / "broken", epochs=4, **recipe | {"model": dropping()})
    going_on = train(tmp_path / "broken", epochs=6, resume=True, **recipe | {"model": dropping()})
    for name, value in weights(whole.network).items():
        np.testing.assert_array_equal(value, weights(going_on.network)[name])
    assert whole.losses == going_on.losses
    assert whole.best
    assert going_on.best
    one, two = (torch.load(done.best, weights_only=True) for done in (whole, going_on))
    assert all(torch.equal(one[name], two[name]) for name in one)
    expected, found = sums(tmp_path / "whole"), sums(tmp_path / "broken")
    assert set(expected) == set(found)
    for name, values in expected.items():
        np.testing.assert_array_equal(found[name], values, err_msg=name)
    assert len(list(going_on.best.parent.glob("state_*.pt"))) == 2


def dropping() -> Any:
    """A network that draws random numbers while it learns; the same one each time."""
    torch.manual_seed(7)
    return torch.nn.Sequential(
        torch.nn.Flatten(), torch.nn.Linear(64, 12), torch.nn.ReLU(), torch.nn.Dropout(0.3), torch.nn.Linear(12, 10)
    )


def test_a_killed_run_goes_on_from_what_the_trace_holds(run_path: Path) -> None:
    whole = train(data=few(), epochs=5, **QUIET)
    done = train(run_path, data=few(), epochs=3, **QUIET)
    assert done.best
    ahead = done.best.with_name("state_000004.pt")  # killed after the state was kept, before the epoch was committed
    ahead.write_bytes(done.best.with_name("state_000003.pt").read_bytes())
    again = train(run_path, data=few(), epochs=5, resume=True, **QUIET)
    assert again.losses == whole.losses


def test_what_cannot_be_resumed_is_told(run_path: Path) -> None:
    with pytest.raises(BadValue, match="give its path"):
        train(data=few(), resume=True, **QUIET)
    done = train(run_path, data=few(), epochs=1, resume=True, **QUIET)  # nothing there yet: a new run
    with pytest.raises(BadValue, match=r"begun with learning_rate=0.001, not 0.1: a run goes on as it began"):
        train(run_path, data=few(), epochs=2, learning_rate=0.1, resume=True, **QUIET)
    assert done.best
    done.best.with_name("state_000001.pt").unlink()
    with pytest.raises(MissingData, match=r"ends with epoch 1, but there is no .*state_000001.pt"):
        train(run_path, data=few(), epochs=2, resume=True, **QUIET)
    assert opened(run_path).epochs == [0, 1]
