"""The corpus pipeline: its figures against profiles spelled out, what is made again and what is not, and whatever corpora hold."""

import json
import sys

import numpy as np
import pytest
from scipy.interpolate import griddata

from nissl.errors import BadValue, DamagedData, MissingData, NisslWarning, UnknownName
from nissl.studies.corpus import (
    align_data,
    compute_contrastive_naps,
    compute_naps,
    compute_topomap_activations,
    compute_topomap_layout,
    create_model_with_layer_outputs,
    process_corpus_file,
    topomap_pictures,
)
from tests.studies.corpora import GROUPS, SIZES, arrays, model, profiles, write

NAMES = ["0", "1", "2", "3"]
CLOSE = {"rtol": 1e-5, "atol": 1e-6}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write(tmp_path_factory.mktemp("corpus"))


def processed(data, out, names=NAMES, **options):
    process_corpus_file(data, create_model_with_layer_outputs(model(), names), out, progress=False, **options)
    return out


def naps(out, folder="naps"):
    return [np.load(path) for path in sorted((out / folder).glob("layer*.npy"))]


def files(out):
    return {p.relative_to(out).as_posix(): p.stat().st_mtime_ns for p in out.rglob("*") if p.is_file()}


@pytest.mark.parametrize("aligned", [False, True])
def test_profiles_are_the_means_of_groups(data, tmp_path, aligned):
    out = processed(data, tmp_path)
    compute_naps(out, use_aligned_acts=aligned)
    for found, wanted in zip(naps(out), profiles(model(), aligned=aligned), strict=True):
        np.testing.assert_allclose(found, wanted, **CLOSE)
    assert np.load(out / "group_sizes.npy").tolist() == [7, 12, 8]
    assert json.loads((out / "group_name_to_files.json").read_text()) == {
        "a": ["batch1.npy", "batch3.npy"], "b": ["batch0.npy", "batch4.npy"], "c": ["batch2.npy", "batch5.npy"],
    }  # fmt: skip
    assert json.loads((out / "group_name_to_index.json").read_text()) == {"a": "0", "b": "1", "c": "2"}
    assert not (out / "acts").exists()


def test_the_third_column_says_whose_gradient_aligns(data, tmp_path):
    out = processed(data, tmp_path, aligned=True, align_to="label")
    compute_naps(out)
    for found, wanted in zip(naps(out), profiles(model(), aligned=True, labels=True), strict=True):
        np.testing.assert_allclose(found, wanted, **CLOSE)
    assert any(not np.allclose(a, b) for a, b in zip(naps(out), profiles(model(), aligned=True), strict=True))


@pytest.mark.parametrize("aligned", [False, True])
def test_activations_that_lie_in_files_give_the_same(data, tmp_path, aligned):
    raw = processed(data, tmp_path / "raw", raw_activations=True)
    out = tmp_path / "given"  # as another framework would write it
    out.mkdir()
    for name in ("acts", "grads", "group_name_to_files.json", "group_name_to_index.json", "index_to_group_name.json"):
        (out / name).symlink_to(raw / name)
    if aligned:
        align_data(out, progress=False)
    compute_naps(out, use_aligned_acts=aligned)
    for found, wanted in zip(naps(out), profiles(model(), aligned=aligned), strict=True):
        np.testing.assert_allclose(found, wanted, **CLOSE)


@pytest.mark.parametrize("weighed", [False, True])
@pytest.mark.parametrize("dropped", [False, True])
@pytest.mark.parametrize("chosen", [None, ["c", "a"]])
def test_contrasts_are_with_the_mean_of_the_groups_of_interest(data, tmp_path, weighed, dropped, chosen):
    out = processed(data, tmp_path, aligned=False)
    compute_naps(out, use_aligned_acts=False)
    compute_contrastive_naps(out, chosen, weighed, dropped)
    rows = [0, 1, 2] if chosen is None else [2, 0]
    sizes = np.array([7, 12, 8])[rows] if weighed else np.ones(len(rows))
    kept = rows if dropped else [0, 1, 2]
    for found, wanted in zip(naps(out, "contrastive_naps"), profiles(model()), strict=True):
        mean = sum(size * wanted[row] for size, row in zip(sizes, rows, strict=True)) / sizes.sum()
        np.testing.assert_allclose(found, wanted[kept] - mean, **CLOSE)
    assert np.load(out / "contrastive_naps/group_names.npy").tolist() == [sorted(set(GROUPS))[row] for row in kept]


def test_maps_have_a_place_and_a_value_for_every_unit_and_are_the_same_again(data, tmp_path):
    places = []
    for turn in ("one", "two"):
        out = processed(data, tmp_path / turn, aligned=False)
        compute_naps(out, use_aligned_acts=False)
        compute_topomap_layout(out)
        compute_topomap_activations(out)
        places.append([np.load(p) for p in sorted((out / "vis_data/topomap").glob("*_coordinates.npy"))])
    for first, second, wanted, path in zip(
        *places, profiles(model()), sorted((out / "vis_data/topomap").glob("*_activations.npy")), strict=True
    ):
        np.testing.assert_array_equal(first, second)
        assert first.shape == (wanted.shape[-1], 2) and first.min() >= 0 and first.max() <= 1
        assert len(np.unique(first, axis=0)) == len(first)
        np.testing.assert_allclose(np.load(path), wanted.reshape(3, -1, wanted.shape[-1]).mean(1), **CLOSE)


def test_interpolated_maps_are_those_of_scipy():
    from nissl.studies._corpus.mapping import interpolated

    draw = np.random.default_rng(0)
    places, values = draw.uniform(size=(30, 2)), draw.normal(size=(4, 30))
    turned = np.stack([1 - places[:, 1], places[:, 0]], 1)
    xx, yy = np.mgrid[turned[:, 0].min() : turned[:, 0].max() : 100j, turned[:, 1].min() : turned[:, 1].max() : 100j]
    for found, some in zip(interpolated(places, values), values, strict=True):
        wanted = griddata(turned, some, (xx, yy), method="linear")
        np.testing.assert_allclose(found, np.nan_to_num(wanted)[:, ::-1].T, atol=1e-9)
    assert np.isfinite(interpolated(places[:2], values[:, :2])).all()


def test_only_what_has_an_outdated_source_is_made_again(data, tmp_path):
    out = processed(data, tmp_path, aligned=False)
    compute_naps(out, use_aligned_acts=False)
    compute_contrastive_naps(out)
    compute_topomap_layout(out)
    before = files(out)
    compute_topomap_activations(out)
    after = files(out)
    assert {k: v for k, v in after.items() if k in before and k != "nissl/steps.json"} == {
        k: v for k, v in before.items() if k != "nissl/steps.json"
    }
    other = write(tmp_path / "other", batches=[x + 1 for x in arrays()])
    process_corpus_file(other, create_model_with_layer_outputs(model(), NAMES), out, aligned=False, progress=False)
    compute_topomap_activations(out)  # naps and contrasts are of the corpus before
    fresh = processed(other, tmp_path / "fresh", aligned=False)
    compute_naps(fresh, use_aligned_acts=False)
    compute_contrastive_naps(fresh)
    for a, b in zip(naps(out, "contrastive_naps"), naps(fresh, "contrastive_naps"), strict=True):
        np.testing.assert_array_equal(a, b)


def test_what_others_wrote_is_taken_as_it_is(tmp_path):
    (tmp_path / "naps").mkdir()
    table = np.random.default_rng(0).normal(size=(2, 5))
    np.save(tmp_path / "naps/layer000.npy", table)
    (tmp_path / "group_name_to_index.json").write_text('{"x": "0", "a/b": "1"}')
    (tmp_path / "notes.txt").write_text("mine")
    compute_contrastive_naps(tmp_path)
    np.testing.assert_allclose(naps(tmp_path, "contrastive_naps")[0], table - table.mean(0))
    assert (tmp_path / "notes.txt").read_text() == "mine"
    np.testing.assert_array_equal(np.load(tmp_path / "naps/layer000.npy"), table)


def test_one_row_is_a_corpus(tmp_path):
    folder = write(tmp_path / "data", ["batch0.npy,only"], arrays()[:1])
    out = processed(folder, tmp_path / "out")
    compute_naps(out)
    compute_contrastive_naps(out)
    assert all((table == 0).all() for table in naps(out, "contrastive_naps"))
    assert np.load(out / "group_sizes.npy").tolist() == [SIZES[0]]


def test_a_heading_comments_quotes_and_spaces_are_read(tmp_path):
    rows = ["file, group", "# a comment", "", 'batch0.npy, "x, y"', "batch1.npy,  a/b ,"]
    out = processed(write(tmp_path / "data", rows, arrays()[:2]), tmp_path / "out", aligned=False)
    assert list(json.loads((out / "group_name_to_index.json").read_text())) == ["a/b", "x, y"]


WRONG = {
    "no file": (["gone.npy,a", "batch0.npy,a"], MissingData, r"1 of 2 files .* gone\.npy \(row 1\)"),
    "one cell": (["batch0.npy"], BadValue, "Row 1 of .*file, group"),
    "four cells": (["batch0.npy,a,0,1"], BadValue, "Row 1"),
    "twice": (["batch0.npy,a", "batch1.npy,b", "batch0.npy,b"], BadValue, r"batch0\.npy is named twice .* rows 1 \(a\) and 3"),
    "no number": (["batch0.npy,a,cat"], BadValue, "Row 1 of .*'cat'"),
    "empty": (["# nothing"], BadValue, "names no file"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_with_a_corpus_is_said_with_its_row(tmp_path, case):
    rows, error, said = WRONG[case]
    folder = write(tmp_path / "data", rows, arrays()[:2])
    with pytest.raises(error, match=said):
        processed(folder, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def _nan(x):
    x[2, 0, 0, 0] = np.nan
    return x


BATCHES = {
    "NaN": (lambda x: _nan(x.copy()), DamagedData, r"batch1\.npy \(row 2 of corpus\.csv\) holds NaN .* example 2"),
    "another shape": (lambda x: x[..., :5], BadValue, r"batch1\.npy \(row 2 .* \(2, 8, 5\)"),
    "text": (lambda x: x.astype(str), DamagedData, "row 2"),
    "nothing": (lambda x: x[:0], DamagedData, "row 2"),
    "objects": (lambda x: np.array([{}, x], object), DamagedData, "row 2"),
}


@pytest.mark.parametrize("case", BATCHES)
def test_what_is_wrong_with_a_file_is_said_with_its_row(tmp_path, case):
    spoil, error, said = BATCHES[case]
    x = arrays()
    folder = write(tmp_path / "data", ["batch0.npy,a", "batch1.npy,b"], [x[0], spoil(x[1])])
    with pytest.raises(error, match=said):
        processed(folder, tmp_path / "out")


def test_half_a_file_is_no_file(data, tmp_path):
    folder = write(tmp_path / "data")
    whole = (folder / "batch2.npy").read_bytes()
    (folder / "batch2.npy").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DamagedData, match=r"batch2\.npy \(row 3"):
        processed(folder, tmp_path / "out")


def test_steps_that_come_too_early_say_what_to_call(data, tmp_path):
    for early, said in (
        (compute_naps, "process_corpus_file"),
        (compute_contrastive_naps, "compute_naps"),
        (compute_topomap_layout, "compute_contrastive_naps"),
        (align_data, "process_corpus_file"),
    ):
        with pytest.raises(MissingData, match=said):
            early(tmp_path)
    (tmp_path / "theirs/acts/layer000").mkdir(parents=True)
    np.save(tmp_path / "theirs/acts/layer000/batch0.npy", np.zeros((2, 4, 4, 3)))
    (tmp_path / "theirs/group_name_to_files.json").write_text('{"a": ["batch0.npy"]}')
    with pytest.raises(MissingData, match=r"grads.*raw_activations=True"):  # which is what it is called
        align_data(tmp_path / "theirs")
    out = processed(data, tmp_path / "out", aligned=False)
    with pytest.raises(MissingData, match="aligned=True"):
        compute_naps(out)
    compute_naps(out, use_aligned_acts=False)
    with pytest.raises(UnknownName, match="called d"):
        compute_contrastive_naps(out, ["a", "d"])


def test_layers_that_are_not_there_are_left_out_in_words():
    with pytest.warns(NisslWarning, match="'conv9'"):
        watched = create_model_with_layer_outputs(model(), ["2", "conv9"])
    assert watched.names == ("2", "4")
    with pytest.raises(UnknownName, match="There are: 0, 1, 2, 3, 4"):
        create_model_with_layer_outputs(model(), ["conv9"])


@pytest.mark.parametrize("shape", [(4, 8, 10, 2), (4, 3, 8, 10), (4, 2, 20, 20)])
def test_examples_that_the_network_does_not_take_are_named(tmp_path, shape):
    folder = write(tmp_path / "data", ["batch0.npy,a", "batch1.npy,b"], [np.zeros(shape, np.float32)] * 2)
    with pytest.raises(BadValue, match=r"does not take what .*batch0\.npy \(row 1 of corpus\.csv\).*shape \(") as told:
        processed(folder, tmp_path / "out")
    assert str(shape[1:]) in str(told.value)


def test_an_output_that_the_network_has_not_is_named_with_its_row(tmp_path):
    folder = write(tmp_path / "data", ["batch0.npy,a,1", "batch1.npy,b,7"], arrays()[:2])
    with pytest.raises(BadValue, match=r"Row 2 of corpus\.csv, batch1\.npy, says that output 7 .* 3 outputs"):
        processed(folder, tmp_path / "out", aligned=True, align_to="label")


def test_what_was_used_instead_of_a_missing_layout_is_told_once_and_kept(data, tmp_path, monkeypatch, recwarn):
    out = processed(data, tmp_path, aligned=False)
    compute_naps(out, use_aligned_acts=False)
    monkeypatch.setitem(sys.modules, "umap", None)
    monkeypatch.setattr("nissl.studies._corpus.mapping.find_spec", lambda name: None)
    recwarn.clear()
    assert compute_topomap_layout(out, "UMAP")
    assert [str(one.message).count("umap-learn") > 0 for one in recwarn.list] == [True]
    compute_topomap_activations(out)
    assert all("disc)" in view.describe().caption for view in topomap_pictures(out).values())
    assert not compute_topomap_layout(out, "UMAP")
