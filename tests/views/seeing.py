"""What is in a picture."""

from nissl.core.marks import Text, Tiles


def of(picture, kind):
    return [mark for mark in picture.marks if isinstance(mark, kind)]


def words(picture):
    return [mark.words for mark in of(picture, Text)]


def slides(picture):
    return {tiles.name: tiles for tiles in of(picture, Tiles) if tiles.name}
