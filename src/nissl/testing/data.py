"""What every data set must keep to: subclass `DataSetSuite`, give it your data set, and run pytest."""

from dataclasses import is_dataclass, replace
from functools import cached_property

import numpy as np

from nissl.core.dataset import DataSet, Splits


class DataSetSuite:
    """Subclass with `data_set()` returning an instance that can be loaded where the tests run."""

    def data_set(self) -> DataSet:
        raise NotImplementedError("return the data set to test")

    @cached_property
    def splits(self) -> Splits:
        return self.data_set().load()

    def test_it_is_a_value(self) -> None:
        data = self.data_set()
        assert is_dataclass(data)
        assert data == replace(data)
        assert hash(data) == hash(replace(data))
        assert repr(data).startswith(type(data).__name__ + "(")

    def test_it_is_the_same_every_time(self) -> None:
        again = self.data_set().load()
        assert again.classes == self.splits.classes
        for part, same in ((self.splits.train, again.train), (self.splits.test, again.test)):
            np.testing.assert_array_equal(part.x, same.x)
            np.testing.assert_array_equal(part.y, same.y)

    def test_images_have_their_channels_first(self) -> None:
        if self.splits.kind == "image":
            assert self.splits.shape[0] in {1, 3, 4}

    def test_every_class_has_a_name_of_its_own_and_examples_to_learn_from(self) -> None:
        classes = self.splits.classes
        assert len(set(classes)) == len(classes)
        if classes and self.splits.train.y.ndim == 1:
            assert np.bincount(self.splits.train.y, minlength=len(classes)).all()

    def test_values_are_of_a_size_that_a_network_can_take(self) -> None:
        if self.splits.kind != "tokens":
            assert 0.01 < self.splits.train.x.std() < 100
