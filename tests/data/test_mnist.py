"""MNIST: the real files where they are at hand, and files in its format everywhere."""

import gzip
import hashlib

import numpy as np
import pytest

from nissl.data.mnist import Mnist
from nissl.errors import DamagedData, MissingData


def idx(array: np.ndarray) -> bytes:
    return bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">i4").tobytes() + array.astype(np.uint8).tobytes()


@pytest.fixture
def small(tmp_path, monkeypatch):
    """A folder of the format with 30 and 12 images, and their digests in the place of the real ones."""
    random, digests = np.random.default_rng(0), {}
    for part, count in (("train", 30), ("t10k", 12)):
        arrays = {"images-idx3": random.integers(0, 256, (count, 28, 28)), "labels-idx1": np.arange(count) % 10}
        for name, array in arrays.items():
            file = f"{part}-{name}-ubyte"
            digests[file] = f"sha256:{hashlib.sha256(idx(array)).hexdigest()}"
            (tmp_path / f"{file}.gz").write_bytes(gzip.compress(idx(array)))
    monkeypatch.setattr(Mnist, "digests", digests)
    return tmp_path


def test_the_real_files(real_data) -> None:
    splits = Mnist(folder=str(real_data("mnist"))).load()
    assert (splits.train.x.shape, splits.test.x.shape) == ((60_000, 1, 28, 28), (10_000, 1, 28, 28))
    counts = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    np.testing.assert_array_equal(np.bincount(splits.train.y), counts)
    assert (splits.train.x.min(), splits.train.x.max()) == (-1, 1)
    assert (splits.train.x.mean(dtype=np.float64) + 1) / 2 == pytest.approx(0.13066, abs=1e-5)


def test_files_are_found_packed_unpacked_and_where_torchvision_puts_them(small) -> None:
    expected = Mnist(folder=str(small)).load()
    raw = small / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for file in small.glob("*.gz"):
        (raw / file.stem).write_bytes(gzip.decompress(file.read_bytes()))
        file.unlink()
    found = Mnist(folder=str(small)).load()
    np.testing.assert_array_equal(found.train.x, expected.train.x)
    np.testing.assert_array_equal(found.test.y, np.arange(12) % 10)


def test_scaling_and_limit(small) -> None:
    plain = Mnist(folder=str(small), mean=0, std=1, limit=7).load()
    assert len(plain.train.x) == len(plain.test.x) == 7
    pixels = gzip.decompress((small / "train-images-idx3-ubyte.gz").read_bytes())[16 : 16 + 7 * 784]
    np.testing.assert_allclose(plain.train.x.ravel(), np.frombuffer(pixels, np.uint8) / 255, rtol=1e-6)


def test_missing_files_are_named_with_the_places_looked_in_and_the_way_to_get_them(tmp_path) -> None:
    with pytest.raises(MissingData) as caught:
        Mnist(folder=str(tmp_path)).load()
    for said in ("train-images-idx3-ubyte", str(tmp_path), "https://", "download=True"):
        assert said in str(caught.value)


@pytest.mark.parametrize("damage", [lambda content: content[: len(content) // 2], lambda _: gzip.compress(b"else")])
def test_a_damaged_file_is_named(small, damage) -> None:
    file = small / "t10k-images-idx3-ubyte.gz"
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(DamagedData, match=r"t10k-images-idx3-ubyte\.gz.*download=True"):
        Mnist(folder=str(small)).load()


def test_a_download_puts_missing_and_damaged_files_right(small, tmp_path) -> None:
    here = tmp_path / "here"
    here.mkdir()
    (here / "train-images-idx3-ubyte.gz").write_bytes(b"half of it")
    splits = Mnist(folder=str(here), download=True, source=small.as_uri()).load()
    np.testing.assert_array_equal(splits.train.x, Mnist(folder=str(small)).load().train.x)
    assert sorted(file.name for file in here.iterdir()) == sorted(file.name for file in small.glob("*.gz"))


def test_a_wrong_download_leaves_nothing_behind(small, tmp_path) -> None:
    (small / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(b"an error page"))
    here = tmp_path / "here"
    with pytest.raises(DamagedData, match="file://"):
        Mnist(folder=str(here), download=True, source=small.as_uri()).load()
    with pytest.raises(MissingData, match="Could not get file:///nowhere"):
        Mnist(folder=str(here), download=True, source="file:///nowhere").load()
    assert not here.exists() or not list(here.iterdir())
