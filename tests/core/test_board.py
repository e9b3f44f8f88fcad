"""Event files: read back by a reader of our own, and by TensorBoard where that is installed."""

import io
import struct

import google_crc32c
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nissl.core.board import Board

PIXELS = np.arange(4 * 5 * 3).reshape(4, 5, 3).astype(np.uint8)
NODES = [("a/in", "input", []), ("a/conv", "Conv2d", ["a/in"])]


def written(folder):
    with Board(folder) as board:
        board.scalar("Loss/eval", 0.25, 3)
        board.scalar("Loss/eval", 0.125, 300)
        board.image("seen", PIXELS, 7)
        board.graph(NODES)
    return board.path


def records(data):
    """The records of a file, their checksums proved."""
    while data:
        (length,) = struct.unpack("<Q", data[:8])
        for part, said in ((data[:8], data[8:12]), (data[12 : 12 + length], data[12 + length : 16 + length])):
            crc = google_crc32c.value(part)
            assert struct.unpack("<I", said)[0] == (((crc >> 15) | (crc << 17)) + 0xA282EAD8) % 2**32
        yield data[12 : 12 + length]
        data = data[16 + length :]


def fields(data):
    """(number, value) of a message, as the wire format of protocol buffers has them."""

    def varint(at):
        value = shift = 0
        while True:
            value |= (data[at] & 127) << shift
            at, shift = at + 1, shift + 7
            if data[at - 1] < 128:
                return value, at

    at = 0
    while at < len(data):
        key, at = varint(at)
        if key & 7 == 0:
            value, at = varint(at)
        elif key & 7 == 2:
            length, at = varint(at)
            value, at = data[at : at + length], at + length
        else:
            size = 8 if key & 7 == 1 else 4
            value, at = struct.unpack("<d" if size == 8 else "<f", data[at : at + size])[0], at + size
        yield key >> 3, value


def test_what_is_written_can_be_read(tmp_path):
    head, *rest, drawn = [dict(fields(record)) for record in records(written(tmp_path).read_bytes())]
    assert head[3] == b"brain.Event:2"
    values = [(event[2], dict(fields(dict(fields(event[5]))[1]))) for event in rest]
    assert [(step, value[1]) for step, value in values] == [(3, b"Loss/eval"), (300, b"Loss/eval"), (7, b"seen")]
    assert [value[2] for _, value in values[:2]] == [0.25, 0.125]
    picture = dict(fields(values[2][1][4]))
    assert (picture[1], picture[2], picture[3]) == (4, 5, 3)
    image = pytest.importorskip("PIL.Image")
    np.testing.assert_array_equal(np.asarray(image.open(io.BytesIO(picture[4]))), PIXELS)
    nodes = [list(fields(node)) for number, node in fields(drawn[4]) if number == 1]
    assert nodes == [[(1, b"a/in"), (2, b"input")], [(1, b"a/conv"), (2, b"Conv2d"), (3, b"a/in")]]


@given(st.integers(0, 2**40), st.floats(width=32, allow_nan=False))
def test_any_step_and_number(tmp_path_factory, step, value):
    folder = tmp_path_factory.mktemp("board")
    with Board(folder) as board:
        board.scalar("x", value, step)
    *_, last = records(board.path.read_bytes())
    found = dict(fields(last))
    assert found[2] == step
    assert dict(fields(dict(fields(found[5]))[1]))[2] == value


def test_tensorboard_reads_it(tmp_path):
    module = "tensorboard.backend.event_processing.event_accumulator"
    reader = pytest.importorskip(module, exc_type=ImportError).EventAccumulator(str(tmp_path))
    written(tmp_path)
    reader.Reload()
    assert [(event.step, event.value) for event in reader.Scalars("Loss/eval")] == [(3, 0.25), (300, 0.125)]
    assert reader.Images("seen")[0].width == 5
    assert [(node.name, list(node.input)) for node in reader.Graph().node] == [("a/in", []), ("a/conv", ["a/in"])]
