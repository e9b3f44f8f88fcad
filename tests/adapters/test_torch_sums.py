"""Both engines of the torch accumulator, held to the float64 reference of the core."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from nissl.adapters._torch import native  # noqa: E402
from nissl.adapters._torch.groups import Groups, groups_of  # noqa: E402
from nissl.adapters._torch.sums import TorchAccumulator, backend  # noqa: E402
from nissl.core.sums import NumpyAccumulator  # noqa: E402
from nissl.errors import BadValue  # noqa: E402

needs_kernel = pytest.mark.skipif(native.kernel is None, reason="built without a compiler")
ENGINES = [pytest.param("1", marks=needs_kernel, id="native"), pytest.param("0", id="eager")]
DTYPES = {torch.float32: 3e-6, torch.bfloat16: 3e-6, torch.float16: 3e-6, torch.float64: 1e-11}
PLACES = {  # shape, unit axis, batch axis
    "dense": ((37, 70), -1, 0),
    "sequence": ((5, 33, 40), -1, 0),
    "sequence first": ((33, 5, 40), -1, 1),
    "conv1d": ((9, 3, 50), 1, 0),
    "conv2d": ((13, 6, 7, 7), 1, 0),
    "conv2d small": ((13, 40, 2, 3), 1, 0),
    "conv2d large": ((2, 3, 50, 90), 1, 0),
    "conv2d point": ((13, 40, 1, 1), 1, 0),
    "conv3d": ((3, 4, 5, 3, 4), 1, 0),
    "heads": ((3, 4, 5, 6), 2, 0),
    "many rows": ((300, 3), -1, 0),
    "vector": ((24,), 0, 0),
}


@pytest.fixture(params=ENGINES)
def engine(request, monkeypatch):
    monkeypatch.setenv("NISSL_NATIVE", request.param)
    return request.param


def labels_for(mode, shape, unit, batch, classes):
    """Labels of one kind, some of them outside of what is followed."""
    examples = shape[batch] if len(shape) > 1 else 1
    middle = [n for i, n in enumerate(shape) if i not in (unit % len(shape), batch)]
    if mode == "none":
        return None
    if mode == "several":
        return torch.rand(examples, classes) < 0.4
    size = (examples, *middle) if mode == "position" else (examples,)
    return torch.randint(-2, classes + 2, size)


def reference(values, labels, unit, batch, classes, sketch=0):
    known = NumpyAccumulator(unit, batch, classes, sketch)
    for value, label in zip(values, labels, strict=True):
        known.fold(value.double().numpy(), None if label is None else label.numpy())
    return known.read()


def assert_same(sums, known, rtol):
    """Means and variances are as exact as the spread of the values asks for, everything else as it is large."""
    spread = np.sqrt(known.m2.sum() / max(1, known.count.sum())) or abs(known.mean).max(initial=1e-30)
    scales = {"mean": spread, "class_mean": spread, "m2": abs(known.m2) + spread**2}
    scales["class_m2"] = abs(known.class_m2) + spread**2
    for field in dataclasses.fields(known):
        got, want = np.asarray(getattr(sums, field.name)), np.asarray(getattr(known, field.name))
        assert got.shape == want.shape, field.name
        with np.errstate(invalid="ignore"):
            near = abs(got - want) <= rtol * scales.get(field.name, abs(want))
        assert np.all(near | (got == want) | (np.isnan(got) & np.isnan(want))), (field.name, got, want)


@pytest.mark.parametrize("mode", ["none", "example", "position", "several"])
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.usefixtures("engine")
def test_agrees_with_the_reference(dtype, place, mode):
    shape, unit, batch = PLACES[place]
    values = [(torch.randn(shape) * 2 + 1).to(dtype) for _ in range(3)]
    labels = [labels_for(mode, shape, unit, batch, 4) for _ in values]
    accumulator = TorchAccumulator(unit, batch, classes=4, sketch=50)
    for value, label in zip(values, labels, strict=True):
        accumulator.fold(value, label)
    assert_same(accumulator.read(), reference(values, labels, unit, batch, 4, 50), DTYPES[dtype])


@given(data=st.data())
@pytest.mark.parametrize("native_wanted", ENGINES)
def test_agrees_for_any_shape_and_values(native_wanted, data):
    shape = data.draw(st.lists(st.integers(0, 21), min_size=2, max_size=4), "shape")
    unit, batch = data.draw(st.sampled_from([(1, 0), (-1, 0), (-1, 1), (0, 1), (2 % len(shape), 0)]), "axes")
    if unit % len(shape) == batch:
        unit = batch ^ 1
    shape[unit] = max(1, shape[unit])
    classes, sketch = data.draw(st.integers(0, 4), "classes"), data.draw(st.integers(0, 30), "sketch")
    mode = data.draw(st.sampled_from(["none", "example", "position", "several"]), "labels")
    odd = data.draw(st.sampled_from([0.0, 0.002, 0.3]), "share of odd values")
    torch.manual_seed(data.draw(st.integers(0, 1000), "seed"))
    accumulator = TorchAccumulator(unit, batch, classes, sketch)
    values, labels = [], []
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NISSL_NATIVE", native_wanted)
        for _ in range(2):
            value = torch.randn(shape)
            strange = torch.tensor([np.nan, np.inf, -np.inf])[torch.randint(0, 3, shape)]
            values.append(torch.where(torch.rand(shape) < odd, strange, value))
            labels.append(labels_for(mode, shape, unit, batch, classes) if classes else None)
            accumulator.fold(values[-1], labels[-1])
    assert_same(accumulator.read(), reference(values, labels, unit, batch, classes, sketch), 1e-5)


@pytest.mark.parametrize("place", ["dense", "conv2d", "conv2d large", "sequence"])
@pytest.mark.usefixtures("engine")
def test_a_mean_far_from_zero_costs_no_digits(place):
    shape, unit, batch = PLACES[place]
    values = [torch.randn(shape) + 1000 for _ in range(8)]
    labels = [torch.randint(0, 3, (shape[batch],)) for _ in values]
    accumulator = TorchAccumulator(unit, batch, classes=3)
    for value, label in zip(values, labels, strict=True):
        accumulator.fold(value, label)
    assert_same(accumulator.read(), reference(values, labels, unit, batch, 3), 2e-6)


@pytest.mark.parametrize("shape", [(64, 8, 12, 12), (40, 6)])
@pytest.mark.usefixtures("engine")
def test_any_layout_in_memory(shape):
    whole = torch.randn(2 * shape[0], *shape[1:-1], 2 * shape[-1])
    views = {
        "channels_last": whole[: shape[0], ..., : shape[-1]].contiguous().unsqueeze(-1),
        "every other": whole[::2, ..., ::2],
        "expanded": whole[:1, ..., : shape[-1]].expand(shape),
        "transposed": whole[: shape[0], ..., : shape[-1]].transpose(0, 1).contiguous().transpose(0, 1),
        "backwards in memory": whole[: shape[0], ..., : shape[-1]].transpose(0, -1).contiguous().transpose(0, -1),
        "negated lazily": torch.imag(torch.complex(whole, whole)[: shape[0]].conj()),
    }
    if len(shape) == 4:
        views["channels_last"] = whole[: shape[0], ..., : shape[-1]].to(memory_format=torch.channels_last)
    for name, value in views.items():
        label = torch.randint(0, 3, (len(value),))
        accumulator = TorchAccumulator(1, classes=3, sketch=10)
        accumulator.fold(value, label)
        try:
            assert_same(accumulator.read(), reference([value.resolve_neg()], [label], 1, 0, 3, 10), 3e-6)
        except AssertionError as error:
            raise AssertionError(name) from error


@pytest.mark.usefixtures("engine")
def test_shapes_may_change_from_batch_to_batch():
    values = [torch.randn(n, 3, s, s) for n, s in ((8, 5), (3, 5), (8, 9), (0, 9), (8, 5))]
    values.append(values[0].double())
    labels = [torch.randint(0, 3, (len(v),)) for v in values]
    accumulator = TorchAccumulator(1, classes=3, sketch=20)
    for value, label in zip(values, labels, strict=True):
        accumulator.fold(value, label)
    assert_same(accumulator.read(), reference(values, labels, 1, 0, 3, 20), 3e-6)


@pytest.mark.usefixtures("engine")
def test_nothing_finite_and_numbers_too_large_to_square():
    value = torch.randn(300, 4)
    value[:, 0] = torch.nan
    value[:, 1] = torch.inf
    value[7, 2] = -3e38
    accumulator = TorchAccumulator(-1)
    accumulator.fold(value)
    sums = accumulator.read()
    assert_same(sums, reference([value], [None], -1, 0, 0), 3e-6)
    assert sums.nans.tolist() == [300, 0, 0, 0]
    assert sums.infs.tolist() == [0, 300, 0, 0]
    assert (sums.low[0], sums.high[0]) == (np.inf, -np.inf)


@pytest.mark.usefixtures("engine")
def test_under_autocast_and_inference_mode():
    layer, x = torch.nn.Linear(30, 20), torch.randn(64, 30)
    member = torch.rand(64, 3) < 0.5
    accumulator = TorchAccumulator(-1, classes=3)
    with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16):
        first = layer(x)
        accumulator.fold(first, member)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        second = layer(x + 1)
        accumulator.fold(second, member)
    assert first.dtype == torch.bfloat16
    known = reference([first, second.detach()], [member, member], -1, 0, 3)
    assert_same(accumulator.read(), known, 3e-6)


@pytest.mark.usefixtures("engine")
def test_two_readings_merge_to_one():
    shape = (16, 5, 6, 6)
    values = [torch.randn(shape) * (i + 1) + 10 * i for i in range(4)]
    labels = [torch.randint(0, 3, (16,)) for _ in values]
    accumulator, readings = TorchAccumulator(1, classes=3), []
    for i, (value, label) in enumerate(zip(values, labels, strict=True)):
        accumulator.fold(value, label)
        if i % 2:
            readings.append(accumulator.read())
    assert_same(readings[0].merge(readings[1]), reference(values, labels, 1, 0, 3), 3e-6)


@pytest.mark.usefixtures("engine")
def test_a_table_of_one_class_is_a_table():
    value, member = torch.randn(6, 3), torch.tensor([[1], [0], [1], [1], [0], [0]], dtype=torch.bool)
    accumulator = TorchAccumulator(-1, classes=1)
    accumulator.fold(value, member)
    assert_same(accumulator.read(), reference([value], [member], -1, 0, 1), 3e-6)


@pytest.mark.usefixtures("engine")
def test_read_starts_again_and_an_empty_reading_is_empty():
    accumulator = TorchAccumulator(-1, classes=2, sketch=4)
    accumulator.fold(torch.ones(3, 2), torch.tensor([0, 1, 1]))
    assert accumulator.read().count.tolist() == [3, 3]
    empty = accumulator.read()
    assert empty.count.shape == (0,)
    assert empty.class_count.shape == (2, 0)
    assert len(empty.sketch) == 0


@pytest.mark.usefixtures("engine")
def test_a_tensor_that_needs_a_gradient_is_left_alone():
    x = torch.randn(8, 4, requires_grad=True)
    y = torch.relu(x)
    before, version = y.detach().clone(), y._version
    accumulator = TorchAccumulator(-1, classes=2)
    accumulator.fold(y, torch.arange(8) % 2)
    assert torch.equal(y, before)
    assert y._version == version
    y.sum().backward()
    assert torch.equal(x.grad, (x > 0).float())


@pytest.mark.parametrize(
    ("label", "message"),
    [
        (torch.zeros(7, dtype=torch.int64), "don't fit"),
        (torch.zeros(8, 5, dtype=torch.int64), "don't fit"),
        (torch.zeros(8, 4, dtype=torch.bool), "memberships"),
        (torch.zeros(8), "integers"),
        (torch.tensor(3), "axis of examples"),
    ],
)
@pytest.mark.usefixtures("engine")
def test_labels_that_cannot_be_meant(label, message):
    accumulator = TorchAccumulator(-1, classes=3)
    with pytest.raises(BadValue, match=message):
        accumulator.fold(torch.randn(8, 6), label)


@pytest.mark.usefixtures("engine")
def test_a_changed_number_of_units_is_refused():
    accumulator = TorchAccumulator(-1)
    accumulator.fold(torch.randn(8, 6))
    with pytest.raises(BadValue, match=r"6 units.*with 7"):
        accumulator.fold(torch.randn(8, 7))


def test_groups_are_made_once():
    groups = groups_of([0, 1, 2])
    assert groups_of(groups) is groups
    assert groups_of(None) is None
    assert isinstance(groups_of(np.array([1, 2], np.int32)), Groups)


def test_the_backend_is_named(engine):
    assert backend().startswith("native (" if engine == "1" else "eager")
