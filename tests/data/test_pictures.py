"""CIFAR-10 and the user's own pictures, in folders, zips and python batches."""

import hashlib
import io
import pickle
import sys
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nissl.data.cifar10 import Cifar10
from nissl.data.folder import Folder
from nissl.errors import BadValue, DamagedData, MissingData, MissingDependency

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


def picture(path: Path, value: int, side: int = 32, mode: str = "RGB") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, (side, side), value if mode == "L" else (value, 0, 255)).save(path)


def zipped(folder: Path) -> Path:
    with zipfile.ZipFile(folder.with_suffix(".zip"), "w") as archive:
        for file in sorted(folder.rglob("*.*")):
            archive.write(file, file.relative_to(folder))
    return folder.with_suffix(".zip")


@pytest.fixture
def animals(tmp_path) -> Path:
    for number in range(10):
        picture(tmp_path / "animals" / "cat" / f"{number}.png", number)
        picture(tmp_path / "animals" / "dog" / f"{number}.png", 100 + number)
    (tmp_path / "animals" / "cat" / ".hidden.png").write_bytes(b"no picture")
    return tmp_path / "animals"


def pixels(x: np.ndarray) -> np.ndarray:
    return np.round((x + 1) / 2 * 255).astype(int)


@pytest.mark.parametrize("packed", [False, True])
def test_class_folders_and_zips_of_them_give_the_same(animals, packed: bool) -> None:
    splits = Folder(str(zipped(animals) if packed else animals)).load()
    assert (splits.classes, splits.shape, len(splits.train.x), len(splits.test.x)) == (
        ("cat", "dog"),
        (3, 32, 32),
        16,
        4,
    )
    red, green, blue = pixels(splits.train.x)[:, :, 0, 0].T
    np.testing.assert_array_equal(red >= 100, splits.train.y == 1)
    assert set(green) == {0}
    assert set(blue) == {255}
    np.testing.assert_array_equal(splits.train.x, Folder(str(animals)).load().train.x)


def test_train_and_test_folders_are_taken_as_they_are(animals, tmp_path) -> None:
    picture(tmp_path / "both" / "test" / "eel" / "1.png", 7)
    animals.rename(tmp_path / "both" / "train")
    splits = Folder(str(tmp_path / "both"), limit=5).load()
    assert splits.classes == ("cat", "dog", "eel")
    assert (len(splits.train.x), splits.test.y.tolist()) == (5, [2])


def test_pictures_of_several_sizes_are_refused_or_made_alike(animals) -> None:
    picture(animals / "dog" / "big.png", 9, side=48)
    with pytest.raises(BadValue, match=r"32 x 32|48 x 48"):
        Folder(str(animals)).load()
    assert Folder(str(animals), size=16, gray=True).load().shape == (1, 16, 16)


def test_a_broken_picture_is_named(animals) -> None:
    (animals / "dog" / "5.png").write_bytes((animals / "dog" / "5.png").read_bytes()[:60])
    with pytest.raises(DamagedData, match=r"dog/5\.png"):
        Folder(str(animals)).load()


def test_no_pictures_and_no_zip_are_told_apart(tmp_path) -> None:
    with pytest.raises(MissingData, match="expected a folder or a zip"):
        Folder(str(tmp_path / "nowhere")).load()
    with pytest.raises(MissingData, match="no pictures in class folders"):
        Folder(str(tmp_path)).load()
    (tmp_path / "half.zip").write_bytes(b"PK\x03\x04 cut off")
    with pytest.raises(DamagedData, match=r"half\.zip"):
        Folder(str(tmp_path / "half.zip")).load()


class OldDtype:
    """Pickles as Python 2's numpy wrote a dtype: with numbers where there should be booleans."""

    def __reduce__(self):
        return np.dtype, ("u1", 0, 1), (3, "|", None, None, None, -1, -1, 0)


class OldArray:
    def __init__(self, values: np.ndarray) -> None:
        self.values = values

    def __reduce__(self):
        made = self.values.__reduce__()
        return made[0], made[1], (1, self.values.shape, OldDtype(), False, self.values.tobytes())


@pytest.fixture
def batches(tmp_path, monkeypatch) -> Path:
    """CIFAR-10's archive in small, with its digests in the place of the real ones."""
    random, digests, archive = np.random.default_rng(0), {}, tmp_path / "cifar-10-python.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        for name in (*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"):
            data = random.integers(0, 256, (4, 3072)).astype(np.uint8)
            content = pickle.dumps({b"data": OldArray(data), b"labels": random.integers(0, 10, 4).tolist()}, 2)
            digests[name] = f"md5:{hashlib.md5(content).hexdigest()}"
            member = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    digests[archive.name] = f"md5:{hashlib.md5(archive.read_bytes()).hexdigest()}"
    monkeypatch.setattr(Cifar10, "digests", digests)
    return archive


def test_python_batches_from_the_archive_unpacked_and_downloaded(batches, tmp_path) -> None:
    splits = Cifar10(folder=str(tmp_path), mean=(0, 0, 0), std=(1, 1, 1)).load()
    assert (splits.train.x.shape, splits.test.x.shape, splits.classes) == ((20, 3, 32, 32), (4, 3, 32, 32), CLASSES)
    first = np.random.default_rng(0).integers(0, 256, (4, 3072)).astype(np.uint8)
    np.testing.assert_allclose(splits.train.x[:4].reshape(4, -1), first / 255, rtol=1e-6)
    fetched = Cifar10(folder=str(tmp_path / "new"), download=True, source=tmp_path.as_uri(), limit=3).load()
    assert (tmp_path / "new" / batches.name).read_bytes() == batches.read_bytes()
    assert len(fetched.train.x) == len(fetched.test.x) == 3
    with tarfile.open(batches) as tar:
        tar.extractall(tmp_path / "unpacked", filter="data")
    unpacked = Cifar10(folder=str(tmp_path / "unpacked")).load()
    np.testing.assert_array_equal(unpacked.train.y, splits.train.y)


def test_a_batch_that_is_not_the_real_one_is_never_opened(batches, tmp_path) -> None:
    with tarfile.open(batches) as tar:
        tar.extractall(tmp_path, filter="data")
    (tmp_path / "cifar-10-batches-py" / "data_batch_3").write_bytes(b"cos\nsystem\n(S'false'\ntR.")
    with pytest.raises(DamagedData, match=r"data_batch_3.*md5"):
        Cifar10(folder=str(tmp_path)).load()


def test_missing_and_half_there(tmp_path) -> None:
    with pytest.raises(MissingData, match=r"cifar-10-python\.tar\.gz.*download=True"):
        Cifar10(folder=str(tmp_path)).load()
    picture(tmp_path / "test" / "cat" / "1.png", 5)
    with pytest.raises(MissingData, match="both are needed"):
        Cifar10(folder=str(tmp_path)).load()
    picture(tmp_path / "train" / "wolf" / "1.png", 5)
    with pytest.raises(DamagedData, match="wolf"):
        Cifar10(folder=str(tmp_path)).load()


def test_the_jpeg_copies(real_data) -> None:
    splits = Cifar10(folder=str(real_data("cifar10_jpeg")), limit=1000).load()
    assert (splits.train.x.shape, splits.classes) == ((1000, 3, 32, 32), CLASSES)
    assert np.bincount(splits.train.y, minlength=10).min() > 70
    np.testing.assert_allclose(splits.train.x.mean((0, 2, 3)), 0, atol=0.1)
    np.testing.assert_allclose(splits.train.x.std((0, 2, 3)), 1, atol=0.1)


def test_without_pillow_the_way_to_get_it_is_told(animals, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(MissingDependency, match=r"nissl\[images\]"):
        Folder(str(animals)).load()
