"""The user's own arrays."""

import numpy as np
import pytest

from nissl.data.arrays import Arrays
from nissl.errors import DamagedData, MissingData

X = np.arange(60.0).reshape(20, 3)
Y = np.arange(20) % 4


def test_an_npz_is_split_and_its_values_stay_as_they_are(tmp_path) -> None:
    np.savez(tmp_path / "all.npz", x=X, y=Y)
    splits = Arrays(str(tmp_path / "all.npz")).load()
    assert (splits.classes, len(splits.train.x), len(splits.test.x)) == (("0", "1", "2", "3"), 16, 4)
    np.testing.assert_array_equal(splits.train.y, splits.train.x[:, 0] / 3 % 4)


def test_an_npz_of_four_arrays_is_not_split_again(tmp_path) -> None:
    np.savez(tmp_path / "four.npz", x_train=X[:15], y_train=Y[:15], x_test=X[15:], y_test=Y[15:])
    splits = Arrays(str(tmp_path / "four.npz"), classes=("n", "e", "s", "w")).load()
    np.testing.assert_array_equal(splits.test.x, X[15:])
    assert splits.classes == ("n", "e", "s", "w")


def test_a_pair_of_npy_tokens_and_values_to_be_predicted(tmp_path) -> None:
    np.save(tmp_path / "x.npy", X.astype(np.int32))
    np.save(tmp_path / "y.npy", Y + 0.5)
    splits = Arrays(str(tmp_path / "x.npy"), labels=str(tmp_path / "y.npy"), tokens=True).load()
    assert (splits.kind, splits.classes, splits.train.y.dtype) == ("tokens", (), np.float32)


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"inputs": X, "y": Y}, "holds the arrays inputs, y; expected x and y"),
        ({"x": X[:5], "y": Y}, r"x \(5, 3\) and y \(20,\)"),
        ({"x": X * np.nan, "y": Y}, "not finite"),
        ({"x": X, "y": Y - 1}, "classes -1 to 2"),
    ],
)
def test_wrong_arrays_are_named_with_their_file(tmp_path, arrays, said: str) -> None:
    np.savez(tmp_path / "wrong.npz", **arrays)
    with pytest.raises(DamagedData, match=rf"wrong\.npz.*{said}"):
        Arrays(str(tmp_path / "wrong.npz")).load()


def test_missing_broken_and_unsafe_files(tmp_path) -> None:
    with pytest.raises(MissingData, match=r"expected an \.npz or \.npy"):
        Arrays(str(tmp_path / "none.npz")).load()
    np.save(tmp_path / "x.npy", X)
    with pytest.raises(MissingData, match="labels="):
        Arrays(str(tmp_path / "x.npy")).load()
    np.savez(tmp_path / "half.npz", x=X, y=Y)
    content = (tmp_path / "half.npz").read_bytes()
    (tmp_path / "half.npz").write_bytes(content[: len(content) // 2])
    np.save(tmp_path / "objects.npy", np.array([{}, None]), allow_pickle=True)
    for name in ("half.npz", "objects.npy"):
        with pytest.raises(DamagedData, match=name):
            Arrays(str(tmp_path / name), labels=str(tmp_path / "x.npy")).load()
