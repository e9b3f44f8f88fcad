"""Data that needs no file: what it holds, against scikit-learn; and that it is always the same."""

import numpy as np
import pytest
from sklearn.datasets import load_digits, load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier

from nissl.data._files.splitting import embedded
from nissl.data.binary import Binary
from nissl.data.digits import Digits
from nissl.data.iris import Iris
from nissl.errors import BadValue


def test_digits_are_scikit_learns() -> None:
    x, y = embedded("digits.npz")
    reference = load_digits()
    np.testing.assert_array_equal(x, reference.images)
    np.testing.assert_array_equal(y, reference.target)


def test_iris_is_scikit_learns() -> None:
    x, y = embedded("iris.npz")
    reference = load_iris()
    np.testing.assert_array_equal(x / 10, reference.data)
    np.testing.assert_array_equal(y, reference.target)


def test_digits_are_images_from_zero_to_one_and_none_is_lost() -> None:
    splits = Digits().load()
    assert (splits.shape, splits.kind, splits.classes) == ((1, 8, 8), "image", tuple("0123456789"))
    assert (splits.train.x.dtype, splits.train.y.dtype) == (np.float32, np.int64)
    together = np.concatenate([splits.train.x, splits.test.x]).reshape(-1, 64) * 16
    reference = load_digits().data
    np.testing.assert_array_equal(together[np.lexsort(together.T)], reference[np.lexsort(reference.T)])


@pytest.mark.parametrize("data", [Digits(), Iris(), Binary()], ids=lambda data: type(data).__name__)
def test_the_split_keeps_its_share_of_every_class_and_never_changes(data) -> None:
    splits, again = data.load(), data.load()
    for part, same in ((splits.train, again.train), (splits.test, again.test)):
        np.testing.assert_array_equal(part.x, same.x)
        np.testing.assert_array_equal(part.y, same.y)
    counts = [np.bincount(part.y, minlength=len(splits.classes)) for part in (splits.train, splits.test)]
    assert np.abs(counts[1] - data.test_share * (counts[0] + counts[1])).max() <= 0.5


def test_iris_is_standardised_by_its_training_part() -> None:
    train = Iris().load().train.x
    np.testing.assert_allclose(train.mean(0), 0, atol=1e-6)
    np.testing.assert_allclose(train.std(0), 1, atol=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_binary_needs_a_hidden_layer_for_its_interaction(seed: int) -> None:
    splits = Binary(seed=seed).load()
    straight = LogisticRegression().fit(*splits.train).score(*splits.test)
    bent = MLPClassifier((10, 10), max_iter=500, alpha=0.1, random_state=0).fit(*splits.train).score(*splits.test)
    assert 0.8 < straight < 0.92
    assert bent > straight + 0.05


def test_binary_features_have_the_roles_that_it_names() -> None:
    x, y = Binary(examples=20_000).load().train
    roles = Binary.roles
    assert sorted(column for role in roles.values() for column in role) == list(range(20))
    difference = x[y == 1].mean(0) - x[y == 0].mean(0)
    np.testing.assert_allclose(difference[list(roles["for"])], 0.8, atol=0.06)
    np.testing.assert_allclose(difference[list(roles["against"])], -0.8, atol=0.06)
    np.testing.assert_allclose(difference[[*roles["interaction"], *roles["noise"]]], 0, atol=0.08)
    product = x[:, roles["interaction"]].prod(1)
    assert np.mean((product > 0) == (y == 1)) > 0.95


@pytest.mark.parametrize(
    ("data", "said"), [(Binary(examples=3), "at least 20"), (Digits(test_share=0), "between 0 and 1")]
)
def test_what_cannot_be_meant_is_refused(data, said: str) -> None:
    with pytest.raises(BadValue, match=said):
        data.load()
