"""What every measure of responses to classes must keep to: subclass `ProfileSuite`, give it yours, and run pytest."""

import warnings
from dataclasses import fields
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nissl.core.profile import Array, Profile
from nissl.core.trace import Trace
from nissl.testing.specimens import specimen

LEVELS = (-1e3, -2.5, -1.0, 0.0, 1e-3, 1.0, 2.5, 1e3)


class ProfileSuite:
    """Subclass with `profile()` returning the measure."""

    def profile(self) -> Profile:
        raise NotImplementedError("return the measure to test")

    def measured(self, held: dict[str, Array]) -> dict[str, Array]:
        """What the measure makes of these responses, by name; a warning is an error."""
        profile = self.profile()
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            found = profile.measure({name: held[name] for name in profile.needs})
        assert isinstance(found, tuple)
        return dict(zip(profile.gives, found, strict=True))

    # the tests

    def test_it_can_be_sent_and_says_what_it_is(self) -> None:
        profile = self.profile()
        sender = pytest.importorskip("cloudpickle")  # Dask's
        assert sender.loads(sender.dumps(profile)) == profile
        assert hash(profile) == hash(self.profile())
        for field in fields(profile):  # type: ignore[arg-type] # every measure is a dataclass: this is where it shows
            assert f"{field.name}=" in repr(profile)
        assert set(profile.needs) <= {"mean", "std", "count"} and "mean" in profile.needs

    def test_it_gives_what_it_promises(self) -> None:
        for shape, dtype in product([(2, 5, 4), (3, 1), (1, 0, 3), (4, 2, 2)], ["float32", "float64"]):
            held = responses(np.random.default_rng(0), shape, dtype)
            before = {name: array.copy() for name, array in held.items()}
            for name, array in self.measured(held).items():
                axes = self.profile().gives[name]
                assert array.shape == (*shape[:-1], *(shape[-1] for _ in axes)), (name, shape)
                assert array.dtype == dtype or array.dtype.kind in "iub", (name, dtype)
            for name, array in held.items():
                np.testing.assert_array_equal(array, before[name], err_msg=f"{name} was changed")

    @given(st.lists(st.lists(st.sampled_from(LEVELS), min_size=4, max_size=4), min_size=2, max_size=6), st.data())
    def test_each_unit_is_measured_for_itself(self, rows: list[list[float]], data: st.DataObject) -> None:
        mean = np.array(rows)
        held = {"mean": mean, "std": np.abs(mean), "count": np.array([[3.0, 1.0, 4.0, 2.0]])}
        order = data.draw(st.permutations(range(len(rows))))
        turned = self.measured({"mean": mean[order], "std": held["std"][order], "count": held["count"]})
        for name, array in self.measured(held).items():
            np.testing.assert_array_equal(turned[name], array[order], err_msg=name)
            if not self.profile().whole:
                alone = self.measured({"mean": mean[:1], "std": held["std"][:1], "count": held["count"]})
                np.testing.assert_array_equal(alone[name], array[:1], err_msg=name)

    def test_a_class_that_was_not_seen_is_as_if_it_did_not_exist(self) -> None:
        held = responses(np.random.default_rng(1), (3, 4, 5), "float64")
        gone = {name: array.copy() for name, array in held.items()}
        gone["mean"][..., 4] = gone["std"][..., 4] = np.nan
        gone["count"][..., 4] = 0
        without = self.measured({name: array[..., :4] for name, array in held.items()})
        for name, array in self.measured(gone).items():
            seen = array
            for axis in range(1, len(self.profile().gives[name]) + 1):
                seen = np.take(seen, range(4), -axis)
                assert np.isnan(np.take(array, 4, -axis)).all(), name
            np.testing.assert_allclose(seen, without[name], err_msg=name)

    def test_silence_and_what_was_never_heard_are_no_error(self) -> None:
        held = responses(np.random.default_rng(2), (2, 3, 4), "float32")
        held["mean"][0] = held["std"][0] = 0
        held["mean"][1] = held["std"][1] = np.nan
        held["count"][1] = 0
        for name, array in self.measured(held).items():
            if array.dtype.kind == "f":
                assert np.isfinite(array[0]).all() and np.isnan(array[1]).all(), name

    def test_dask_finds_what_numpy_does(self) -> None:
        pytest.importorskip("dask")
        xarray = pytest.importorskip("xarray")
        for name in ("mlp", "unheard classes", "silent", "one unit", "wide"):
            trace: Trace = specimen(name)
            if {f"probe_class_{need}" for need in self.profile().needs} <= set(trace.names(trace.layers[0])):
                lazy = trace.profile(self.profile())
                xarray.testing.assert_identical(lazy.compute(), trace.profile(self.profile(), chunks=None))


def responses(rng: np.random.Generator, shape: tuple[int, ...], dtype: str) -> dict[str, Array]:
    """Responses of any sign, (..., neuron, class), to classes of several sizes."""
    count = rng.integers(1, 50, (*shape[:-2], 1, shape[-1])).astype(dtype)
    return {
        "mean": rng.normal(0, 5, shape).astype(dtype),
        "std": rng.gamma(2, 1, shape).astype(dtype),
        "count": count,
    }
