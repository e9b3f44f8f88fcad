"""Huffman's code, shared values and the file, against what is known of them."""

import itertools
import json
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from nissl.errors import DamagedData
from nissl.studies._compression import huffman, pack
from nissl.studies._compression.sharing import shared


@given(st.lists(st.integers(0, 40), min_size=2, max_size=400).filter(lambda s: len(set(s)) > 1))
def test_huffman_gives_back_what_it_was_given(symbols: list[int]) -> None:
    given_ = np.array(symbols)
    words = huffman.lengths(np.bincount(given_, minlength=41))
    data = huffman.encode(given_, words)
    assert len(data) == -(-int(words[given_].sum()) // 8)
    np.testing.assert_array_equal(huffman.decode(data, words, len(given_)), given_)


@given(st.lists(st.integers(1, 1000), min_size=2, max_size=5))
def test_huffman_is_the_shortest_prefix_code(counts: list[int]) -> None:
    """Every set of lengths that Kraft's inequality allows a prefix code of is tried."""
    tried = itertools.product(range(1, len(counts)), repeat=len(counts))
    best = min(np.dot(counts, words) for words in tried if sum(2.0**-n for n in words) <= 1)
    assert np.dot(counts, huffman.lengths(np.array(counts)).astype(int)) == best


def test_a_long_code_is_read_across_pieces() -> None:
    """Counts of Fibonacci make the longest words; the data are longer than what is decoded at once."""
    fibonacci = [1, 1]
    while len(fibonacci) < 27:
        fibonacci.append(sum(fibonacci[-2:]))
    symbols = np.random.default_rng(0).permutation(np.repeat(np.arange(27), fibonacci))
    words = huffman.lengths(np.bincount(symbols))
    assert words.max() == 26
    np.testing.assert_array_equal(huffman.decode(huffman.encode(symbols, words), words, len(symbols)), symbols)


@pytest.mark.parametrize("words", [[0, 0], [1, 1, 1], [1, 2], [60, 60]])
def test_lengths_that_are_no_code_are_refused(words: list[int]) -> None:
    with pytest.raises(DamagedData):
        huffman.decode(b"\0\0", np.array(words, np.uint8), 3)


def test_a_code_that_ends_early_is_refused() -> None:
    words = np.array([1, 2, 2], np.uint8)
    data = huffman.encode(np.array([1, 2] * 20), words)
    for many in (1, 5):
        with pytest.raises(DamagedData, match="ends"):
            huffman.decode(data[:-many], words, 40)


VALUES = arrays.arrays(np.float32, st.integers(1, 200), elements=st.floats(-5, 5, width=32))


@given(VALUES, st.integers(1, 16))
def test_every_value_has_the_nearest_centre_and_centres_are_means(values: Any, groups: int) -> None:
    centres, which = shared(values, groups)
    assert len(centres) <= groups
    assert (np.diff(centres) >= 0).all()
    distances = np.abs(values[:, None].astype(float) - centres.astype(float))
    np.testing.assert_allclose(distances[np.arange(len(values)), which], distances.min(1), atol=2e-6)
    means = [values[which == k].mean(dtype=np.float64) for k in range(len(centres))]
    np.testing.assert_allclose(centres, means, atol=2e-6)
    again = shared(values, groups)
    np.testing.assert_array_equal(again[0], centres)
    np.testing.assert_array_equal(again[1], which)


def test_few_values_are_shared_exactly() -> None:
    values = np.array([3, -1, 3, 0.5, -1], np.float32)
    centres, which = shared(values, 4)
    np.testing.assert_array_equal(centres[which], values)


@st.composite
def parts(draw: Any) -> tuple[pack.Part, Any]:
    """A part, and the array that it stands for."""
    whole = draw(arrays.arrays(np.float32, arrays.array_shapes(min_dims=0, max_side=9, min_side=0), elements=st.sampled_from([0, 0, 0, 1.5, -2, 7])))  # fmt: skip
    flat = whole.reshape(-1)
    places = np.flatnonzero(flat) if draw(st.booleans()) else None
    entries = flat if places is None else flat[places]
    if draw(st.booleans()):
        return pack.Part("a", whole.shape, entries, places), whole
    values, codes = np.unique(entries, return_inverse=True)
    return pack.Part("a", whole.shape, values, places, codes), whole


@given(parts(), st.booleans())
def test_a_part_is_read_as_it_was_written(made: tuple[pack.Part, Any], coded: bool) -> None:
    part, whole = made
    read = pack.unpacked(pack.packed([part], coded=coded), {"a": np.zeros_like(whole)})
    np.testing.assert_array_equal(read["a"], whole)
    assert read["a"].dtype == whole.dtype


def sparse(seed: int = 0) -> tuple[Any, bytes]:
    draw = np.random.default_rng(seed)
    whole = np.where(draw.random((40, 30)) < 0.2, draw.choice([-1, 0.5, 0.5, 2], (40, 30)), 0).astype(np.float32)
    places = np.flatnonzero(whole)
    values, codes = np.unique(whole.reshape(-1)[places], return_inverse=True)
    bias = np.arange(40, dtype=np.float32)
    made = [pack.Part("weight", whole.shape, values, places, codes), pack.Part("bias", bias.shape, bias)]
    return {"weight": whole, "bias": bias}, pack.packed(made, coded=True)


def test_far_entries_are_found_by_skips() -> None:
    whole = np.zeros(5000, np.float32)
    whole[[0, 255, 256, 4999]] = 1, 2, 3, 4
    places = np.flatnonzero(whole)
    data = pack.packed([pack.Part("a", whole.shape, whole[places], places)], coded=False)
    np.testing.assert_array_equal(pack.unpacked(data, {"a": whole})["a"], whole)


def test_a_file_cut_anywhere_is_refused() -> None:
    like, data = sparse()
    for end in range(len(data)):
        with pytest.raises(DamagedData):
            pack.unpacked(data[:end], like)


@given(st.data())
def test_a_byte_changed_anywhere_is_refused_or_harmless(draw: Any) -> None:
    """Also where whoever changed it made the checksum fit."""
    like, data = sparse()
    place, byte = draw.draw(st.integers(0, len(data) - 5)), draw.draw(st.integers(0, 255))
    changed = data[:place] + bytes([byte]) + data[place + 1 : -4]
    try:
        read = pack.unpacked(changed + struct.pack("<I", zlib.crc32(changed)), like)
    except DamagedData:
        return
    assert {name: array.shape for name, array in read.items()} == {"weight": (40, 30), "bias": (40,)}


def forged(**said: Any) -> bytes:
    one = {"name": "a", "shape": [4], "dtype": "<f4", "gaps": None, "codes": None, "values": 4} | said
    header = zlib.compress(json.dumps({"arrays": [one]}).encode())
    whole = pack.MAGIC + struct.pack("<I", len(header)) + header + bytes(16)
    return whole + struct.pack("<I", zlib.crc32(whole))


def test_the_forged_file_itself_is_right() -> None:
    assert pack.unpacked(forged(), {"a": np.zeros(4, np.float32)})["a"].shape == (4,)


@pytest.mark.parametrize(
    "said",
    [
        {"name": "b"}, {"name": []}, {"shape": [5]}, {"shape": 4}, {"dtype": "<f8"}, {"dtype": "O"}, {"values": 10**12},
        {"values": -1}, {"values": 2.0}, {"values": None}, {"values": 3}, {"gaps": [10**12, 2, 0, 0]}, {"gaps": [4, 10**9, 0, 0]},
        {"gaps": [4, 2, 0, -1]}, {"gaps": [4, 2, "fixed", 0]}, {"gaps": [4, 2, "huffman", 1]}, {"gaps": [4, 2, "other", 0]},
        {"gaps": [4, 4, 2, 0]}, {"gaps": [4, 2, 9, 0]}, {"codes": [4, 9, 8, 0]}, {"codes": [4]}, {"codes": "text"}, {"gaps": {}},
    ],
    ids=str,
)  # fmt: skip
def test_a_file_that_lies_is_refused(said: dict[str, Any]) -> None:
    with pytest.raises(DamagedData):
        pack.unpacked(forged(**said), {"a": np.zeros(4, np.float32)})
