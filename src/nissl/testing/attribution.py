"""What every method of attribution must keep to: subclass `AttributionSuite`, give it yours, and run pytest."""

import random
from dataclasses import fields
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from nissl.core.attributing import attribute
from nissl.core.attribution import Attribution
from nissl.core.method import Method
from nissl.errors import BadValue, NisslError, Unsupported

Array = NDArray[Any]
LABELS = np.array([0, 1, 2, 1, 0])


class AttributionSuite:
    """Subclass with `method()`; what is promised only of some is told by what they say of themselves."""

    def method(self) -> Method:
        raise NotImplementedError("return the method to test")

    def of(self, model: Any, x: Any, target: Any = LABELS, **how: Any) -> Attribution:
        found: Attribution = attribute(model, x, target, by=self.method(), **how)
        return found

    def test_it_says_what_it_is(self) -> None:
        made = self.method()
        assert made == self.method() and hash(made) == hash(self.method())
        for field in fields(made):
            assert f"{field.name}=" in repr(made)

    def test_the_result_has_the_inputs_shape_or_is_one_map_an_example_of_grey_images(self) -> None:
        self.shaped((1, 9, 9))

    def test_and_of_colour_images_that_are_not_square(self) -> None:
        self.shaped((3, 8, 11))

    def shaped(self, shape: tuple[int, ...]) -> None:
        found = self.of(convolving(shape), images(shape))
        assert found.shape == (5, 1 if self.method().maps else shape[0], *shape[1:])
        assert np.isfinite(found.values).all() and found.values.any()
        assert found.target == "true class" and found.by == repr(self.method())
        np.testing.assert_array_equal(found.numbers, LABELS)
        for picture in (found.positive, found.negative, found.grayscale):
            assert picture.min() >= 0 and picture.max() <= 1 and picture.shape[0] == 5
        if self.method().complete:
            assert found.gap is not None and found.gap.shape == (5,)

    def test_scores_are_what_the_network_gives(self) -> None:
        model, x = convolving(), images()
        found = self.of(model, x, "predicted")
        outputs = told(model, x)
        np.testing.assert_array_equal(found.numbers, outputs.argmax(1))
        assert found.scores is not None
        np.testing.assert_allclose(found.scores, outputs.max(1), rtol=1e-9)
        np.testing.assert_allclose(self.of(model, x, outputs.argmax(1)).values, found.values, rtol=1e-7, atol=1e-9)

    def test_how_many_examples_pass_at_once_does_not_matter(self) -> None:
        model, x = convolving(), images()
        whole, parts = self.of(model, x), self.of(model, x, batch=2)
        np.testing.assert_allclose(parts.values, whole.values, rtol=1e-7, atol=1e-9)
        np.testing.assert_allclose(self.of(model, x[:1], LABELS[:1]).values, whole.values[:1], rtol=1e-7, atol=1e-9)

    def test_nothing_of_the_model_or_of_the_random_state_is_changed(self) -> None:
        import torch

        model, x = convolving(), images()
        model.train()
        model[0].weight.grad = torch.ones_like(model[0].weight)
        before = {name: value.clone() for name, value in model.state_dict().items()}
        states = torch.get_rng_state(), numpys_state().copy(), random.getstate()
        first, inside = self.of(model, x), [dict(vars(module)) for module in model.modules()]
        again = self.of(model, x)
        np.testing.assert_array_equal(again.values, first.values)
        assert torch.equal(states[0], torch.get_rng_state()) and random.getstate() == states[2]
        assert (numpys_state() == states[1]).all()
        assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
        assert all(
            module.training and "forward" not in known for module, known in zip(model.modules(), inside, strict=True)
        )
        hooks = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
        assert not any(getattr(module, name) for module in model.modules() for name in hooks)
        grads = [parameter.grad for parameter in model.parameters()]
        assert (grads[0] == 1).all() and all(one is None for one in grads[1:])

    def test_frozen_models_training_mode_and_no_grad_make_no_difference(self) -> None:
        import torch

        x, plain = images(), self.of(convolving(), images())
        frozen = convolving().requires_grad_(False)
        assert not x.requires_grad
        np.testing.assert_array_equal(self.of(frozen, x).values, plain.values)
        np.testing.assert_array_equal(self.of(convolving().train(), x.numpy()).values, plain.values)
        with torch.no_grad():
            np.testing.assert_array_equal(self.of(convolving(), x).values, plain.values)

    def test_mixed_precision_gives_about_the_same(self) -> None:
        import torch

        model, x = convolving().float(), images().float()
        plain = self.of(model, x).values
        with torch.autocast("cpu", torch.bfloat16):
            mixed = self.of(model, x).values
        likeness = np.corrcoef(plain.ravel(), mixed.ravel())[0, 1]
        assert likeness > 0.95

    def test_tables_too_unless_it_needs_positions(self) -> None:
        import torch
        from torch import nn

        torch.manual_seed(1)
        model = nn.Sequential(nn.Linear(7, 12), nn.ReLU(), nn.Linear(12, 3)).double()
        x = torch.randn(5, 7, dtype=torch.float64)
        if hasattr(self.method(), "layer"):
            with pytest.raises(NisslError, match="positions"):
                self.of(model, x)
        else:
            found = self.of(model, x)
            assert found.shape == (5, 7) and found.values.any()

    def test_a_unit_is_explained_to_the_input_and_all_of_a_layers_as_a_gallery(self) -> None:
        model, x = convolving(), images()
        try:
            one = self.of(model, x, at="3", unit=2)
        except Unsupported as error:
            pytest.skip(str(error))
        assert one.target == "channel 2 of 3" and one.shape[0] == 5 and one.values.any()
        gallery = self.of(model, x, at="3", unit="every", batch=7)
        assert gallery.shape == (4, *one.shape)
        np.testing.assert_allclose(gallery.values[2], one.values, rtol=1e-7, atol=1e-9)
        assert self.of(model, x, at="3", unit="whole").shape == one.shape
        with pytest.raises(BadValue, match="0 to 3"):
            self.of(model, x, at="3", unit=4)

    def test_a_layers_values_are_attributed_to_in_their_own_shape(self) -> None:
        model, x = convolving(), images()
        if not self.method().anywhere:
            with pytest.raises(Unsupported, match="input only"):
                self.of(model, x, at="0")
            return
        found = self.of(model, x, at="0")
        assert found.shape == (5, 6, 7, 7) and found.values.any() and found.at == "0" and found.axis == 1
        np.testing.assert_allclose(self.of(model, x, at="0", batch=2).values, found.values, rtol=1e-7, atol=1e-9)

    def test_what_cannot_be_meant_is_refused(self) -> None:
        import torch

        model, x = convolving(), images()
        wrong: list[Any] = ["largest", 7, [0, 1], np.array([0.5] * 5), -1]
        for target in wrong:
            with pytest.raises(BadValue):
                self.of(model, x, target)
        with pytest.raises(BadValue, match="no example"):
            self.of(model, x[:0], [])
        with pytest.raises(BadValue, match="unit"):
            self.of(model, x, unit=1)
        with pytest.raises(NisslError, match=r"finite|NaN"):
            self.of(model, torch.full_like(x, torch.nan))

    def test_integers_are_refused_in_words(self) -> None:
        import torch
        from torch import nn

        model = nn.Sequential(nn.Embedding(9, 6), nn.Flatten(), nn.Linear(24, 8), nn.ReLU(), nn.Linear(8, 3))
        tokens = torch.arange(20).reshape(5, 4) % 9
        with pytest.raises(Unsupported, match="at"):
            self.of(model, tokens)


def convolving(shape: tuple[int, ...] = (1, 9, 9)) -> Any:
    """A small torch model in double precision, with a norm, dropout and functional spellings inside, always equal."""
    import torch
    from torch import nn

    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(shape[0], 6, 3), nn.BatchNorm2d(6), nn.ReLU(), nn.Conv2d(6, 4, 3), nn.ReLU(), nn.Dropout(0.3), nn.Flatten(),
        nn.Linear(4 * (shape[1] - 4) * (shape[2] - 4), 3),
    )  # fmt: skip
    return model.double()


def images(shape: tuple[int, ...] = (1, 9, 9)) -> Any:
    """Five of them, always equal."""
    import torch

    return torch.randn(5, *shape, dtype=torch.float64, generator=torch.Generator().manual_seed(2))


def told(model: Any, x: Any) -> Array:
    """What the model gives in evaluation mode."""
    import torch

    with torch.no_grad():
        found: Array = model.eval()(x).numpy()
    return found


def numpys_state() -> Array:
    """What numpy's own random numbers come from next."""
    found: Any = np.random.get_state()  # noqa: NPY002 - what users' models draw from
    return np.asarray(found[1])
