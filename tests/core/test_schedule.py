"""When to record."""

import sys

import numpy as np
import pytest

from nissl.core.schedule import Schedule
from nissl.errors import BadValue


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (None, list(range(1, 13))),
        (1, list(range(1, 13))),
        (5, [5, 10]),
        ([3, 1, 3, 12], [1, 3, 12]),
        ((0, 2), [2]),
        (np.array([4, 6]), [4, 6]),
        (range(2, 5), [2, 3, 4]),
    ],
)
def test_epoch_intervals_as_the_seeds_name_them(given, expected):
    schedule = Schedule.of(given)
    assert list(schedule.among(1, 12)) == expected
    assert all(list(schedule.among(first, 12)) == [e for e in expected if e >= first] for first in range(1, 13))
    assert len(schedule.among(1, sys.maxsize - 1)) >= len(expected)  # as many as a library says that never ends


def test_epoch_0_is_the_network_before_training():
    assert Schedule.of(None).due(0) and Schedule.of(7).due(0) and Schedule.of([0]).due(0)
    assert not Schedule.of([1]).due(0)


@pytest.mark.parametrize("bad", [0, -1, 2.5, True, "every", [], [1, -2], [1.5], ["E_1"], {1: 2}, [True]])
def test_bad_values_are_refused_at_construction(bad):
    with pytest.raises(BadValue, match="epoch_intervals"):
        Schedule.of(bad)


@pytest.mark.parametrize("bad", [0, -3, 1.5, False, None, "2"])
def test_bad_steps_are_refused_at_construction(bad):
    with pytest.raises(BadValue, match="every"):
        Schedule.of(None, bad)


def test_every_nth_step_starts_with_the_first():
    assert [step for step in range(9) if Schedule.of(None, 4).due_step(step)] == [0, 4, 8]
