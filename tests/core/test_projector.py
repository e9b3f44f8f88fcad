"""The files for TensorBoard's projector, read back."""

import io
import re

import numpy as np
import pytest

import nissl
from nissl.core.projector import png
from nissl.errors import BadValue
from tests.core.clusters import clusters

NASTY = ["tab\there", 'a "quoted" \\ name', "line\nend"]


def shown(moments=1, inputs=None):
    x, y = clusters(30)
    source = [x + t for t in range(moments)] if moments > 1 else x
    found = nissl.projection(source, labels=y, classes=NASTY, by="pca", layer='odd "layer"')
    vars(found.samples)["inputs"] = inputs
    return found


def test_tensors_and_labels_come_back(tmp_path):
    found = shown()
    assert found.export(tmp_path / "board") == tmp_path / "board"
    np.testing.assert_allclose(
        np.loadtxt(tmp_path / "board/features.tsv", delimiter="\t"), found.features, rtol=1e-4, atol=1e-5
    )
    places = np.loadtxt(tmp_path / "board/places.tsv", delimiter="\t")
    np.testing.assert_allclose(places[:, :2], found.positions, rtol=1e-4, atol=1e-5)
    lines = (tmp_path / "board/metadata.tsv").read_text().splitlines()
    assert lines[0].split("\t") == ["class", "sample"] and len(lines) == 31
    assert [line.split("\t")[0] for line in lines[1:]] == [" ".join(NASTY[k].split()) for k in found.labels]


def test_the_configuration_names_every_file(tmp_path):
    shown(2).export(tmp_path)
    told = (tmp_path / "projector_config.pbtxt").read_text()
    files = re.findall(r'_path: "(.*?)"', told)
    assert sorted(set(files)) == sorted(
        ["metadata.tsv", *(f"{w}_{n}.tsv" for w in ("features", "places") for n in (0, 1))]
    )
    assert all((tmp_path / file).is_file() for file in files)
    names = re.findall(r'tensor_name: "(.*?)"\n', told)
    assert len(set(names)) == 4 and not any('"' in name or "\\" in name for name in names)


@pytest.mark.parametrize("shape", [(30, 1, 6, 8), (30, 6, 8), (30, 6, 8, 3)])
def test_the_sprite_has_all_samples_row_by_row(tmp_path, shape):
    image = pytest.importorskip("PIL.Image")
    inputs = np.random.default_rng(0).random(shape)
    shown(inputs=inputs).export(tmp_path)
    assert "single_image_dim: 8 single_image_dim: 6" in (tmp_path / "projector_config.pbtxt").read_text()
    sheet = np.asarray(image.open(tmp_path / "sprite.png"))
    assert sheet.shape == (36, 48, 3)  # six across
    last = inputs.reshape(30, 6, 8, -1)[29]
    wanted = (last - inputs.min()) / np.ptp(inputs) * 255
    np.testing.assert_allclose(sheet[24:30, 40:48], np.broadcast_to(wanted, (6, 8, 3)), atol=1)


def test_a_picture_is_a_png():
    image = pytest.importorskip("PIL.Image")
    pixels = np.random.default_rng(0).integers(0, 256, (7, 5, 3)).astype(np.uint8)
    np.testing.assert_array_equal(np.asarray(image.open(io.BytesIO(png(pixels)))), pixels)


def test_nothing_of_others_is_overwritten(tmp_path):
    found = shown()
    found.export(tmp_path / "a")
    with pytest.raises(BadValue, match="overwrite=True"):
        found.export(tmp_path / "a")
    found.export(tmp_path / "a", overwrite=True)
    (tmp_path / "b").mkdir()
    (tmp_path / "b/precious").write_text("x")
    with pytest.raises(BadValue, match="no projector"):
        found.export(tmp_path / "b", overwrite=True)
    assert (tmp_path / "b/precious").exists()


def test_tensorboard_reads_it(tmp_path):
    plugin = pytest.importorskip("tensorboard.plugins.projector.projector_plugin", exc_type=ImportError)
    from google.protobuf import text_format
    from tensorboard.plugins.projector.projector_config_pb2 import ProjectorConfig

    found = shown(2, np.zeros((30, 1, 4, 4)))
    found.export(tmp_path)
    config = text_format.Parse((tmp_path / "projector_config.pbtxt").read_text(), ProjectorConfig())
    assert len(config.embeddings) == 4
    for one in config.embeddings:
        tensor = plugin._read_tensor_tsv_file(str(tmp_path / one.tensor_path))
        assert list(tensor.shape) == list(one.tensor_shape)
        assert one.sprite.image_path == "sprite.png" and list(one.sprite.single_image_dim) == [4, 4]
