"""What every layout must keep to: subclass `LayoutSuite`, give it yours, and run pytest."""

from dataclasses import fields
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from nissl.core.layout import GradualLayout, Layout, comparable, placed, principal
from nissl.core.neighbours import preserved

Array = NDArray[Any]
COUNTS = (1, 2, 3, 4, 5, 7, 15, 16, 31, 60)
HOSTILE: dict[str, Array] = {
    "constant": np.full((12, 4), 3.0),
    "silent": np.zeros((9, 3)),
    "one odd unit": np.eye(20)[:, :1] * 5,
    "two heaps": np.repeat([[0.0, 1, 0], [1, 0, 0]], [7, 4], 0),
    "NaN column": np.where(np.arange(3) == 1, np.nan, np.random.default_rng(0).random((11, 3))),
    "NaN in places": np.where(np.eye(10, 4) > 0, np.nan, np.random.default_rng(0).random((10, 4))),
    "nothing but NaN": np.full((6, 2), np.nan),
    "one feature": np.arange(17.0)[:, None],
    "huge and tiny": np.geomspace(1e-30, 1e30, 13)[:, None] * [1, -1],
    "infinite": np.where(np.eye(8, 3) > 0, np.inf, 1.0),
    "whole numbers": np.arange(24).reshape(8, 3),
}


class LayoutSuite:
    """Subclass with `layout()` returning the layout."""

    ordered: ClassVar[bool] = True
    """Does it bring together what is alike?"""
    steady: ClassVar[bool] = True
    """Do units stay where they are when their numbers hardly change?"""

    def layout(self) -> Layout:
        raise NotImplementedError("return the layout to test")

    def placed(self, features: Array, start: Array | None = None, seed: int = 0) -> Array:
        return placed(self.layout(), features, start, seed)

    # the tests

    def test_it_says_what_it_is(self) -> None:
        made = self.layout()
        assert made == self.layout() and hash(made) == hash(self.layout())
        for field in fields(made):  # type: ignore[arg-type] # every layout is a dataclass: this is where it shows
            assert f"{field.name}=" in repr(made)

    def test_every_unit_has_a_place_of_its_own(self) -> None:
        for count in COUNTS:
            found = self.placed(comparable(np.random.default_rng(count).random((count, 6))))
            assert found.shape == (count, 2) and np.isfinite(found).all(), count
            assert found.min() >= 0 and found.max() <= 1, count
            assert len(np.unique(found.round(6), axis=0)) == count, count

    def test_whatever_the_numbers_are_places_are_finite(self) -> None:
        for case, values in HOSTILE.items():
            found = self.placed(comparable(values, "euclidean"))
            assert found.shape == (len(values), 2) and np.isfinite(found).all(), case
            if self.layout().even:
                assert len(np.unique(found.round(6), axis=0)) == len(found), case

    @settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.differing_executors])
    @given(st.integers(3, 40), st.integers(1, 5), st.integers(0, 999))
    def test_the_same_seed_is_the_same_bytes_and_nothing_is_changed(self, count: int, width: int, seed: int) -> None:
        features = comparable(np.random.default_rng(seed).normal(size=(count, width)))
        before = features.copy()
        np.random.seed(0)  # noqa: NPY002 - what others leave behind must not matter
        first = self.placed(features, seed=seed)
        np.random.seed(1)  # noqa: NPY002
        assert self.placed(features, seed=seed).tobytes() == first.tobytes()
        np.testing.assert_array_equal(features, before)

    def test_what_is_alike_is_near(self) -> None:
        if not self.ordered:
            pytest.skip("not promised by this layout")
        features = comparable(blobs())
        kept = preserved(features, self.placed(features), 8)
        assert kept.trustworthiness > 0.75
        assert kept.kept > 0.3

    def test_the_last_digits_of_numbers_move_no_unit(self) -> None:
        if not self.steady:
            pytest.skip("not promised by this layout")
        values = blobs()
        for seed in range(3):  # one of so many numbers may still be rounded to the other side
            shaken = values * (1 + 1e-7 * np.random.default_rng(seed).normal(size=values.shape))
            moved = np.abs(self.placed(comparable(shaken)) - self.placed(comparable(values))).max(1)
            assert (moved < 0.01).mean() > 0.9

    def test_it_begins_where_it_is_told_to(self) -> None:
        features = comparable(blobs())
        start = self.placed(features)
        again = self.placed(features, start=start)
        assert again.shape == start.shape and np.isfinite(again).all()
        assert again.tobytes() == self.placed(features, start=start.copy()).tobytes()

    def test_what_comes_about_step_by_step_ends_as_placed(self) -> None:
        made = self.layout()
        if not isinstance(made, GradualLayout):
            pytest.skip("at once")
        features = principal(comparable(blobs()))
        shares, places = zip(*((share, np.array(found)) for share, found in made.steps(features, None, 0)), strict=True)
        assert list(shares) == sorted(shares) and shares[0] >= 0 and shares[-1] == 1
        assert all(found.shape == (60, 2) and np.isfinite(found).all() for found in places)
        np.testing.assert_array_equal(places[-1], made.place(features, None, 0))


def blobs() -> Array:
    """60 units of five kinds."""
    rng = np.random.default_rng(3)
    found: Array = np.maximum(np.repeat(np.eye(5, 10), 12, 0) + 0.25 * rng.normal(size=(60, 10)), 0)
    return found
