"""`Made`: a feed's files, kept once made."""

from collections import OrderedDict
from threading import Lock

from nissl.studies.feed import Feed

CACHED = 64 * 2**20
"""Bytes of what was made for the page that are kept, to be handed out again."""


class Made:
    """A feed's files, each made once, and made anew when the trace has grown.

    One thread at a time for files of a kind: what takes long keeps nobody waiting who looks at something else.
    """

    def __init__(self, feed: Feed):
        self.feed = feed
        self._lock = Lock()
        self._making: dict[str, Lock] = {}
        self._kept: OrderedDict[tuple[str, int], bytes] = OrderedDict()
        self._size = 0

    def file(self, name: str) -> bytes:
        with self._lock:
            making = self._making.setdefault(name.partition("/")[0], Lock())
        with making:
            if name == "index.json":
                return self.feed.file(name)
            epochs = self.feed.trace.epochs
            key = (name, epochs[-1] if epochs else -1)
            with self._lock:
                known = self._kept.get(key)
            return self._keep(key, self.feed.file(name) if known is None else known)

    def _keep(self, key: tuple[str, int], found: bytes) -> bytes:
        """As the one that was asked for last; those that were not asked for the longest give way."""
        with self._lock:
            if key not in self._kept:
                self._kept[key] = found
                self._size += len(found)
            self._kept.move_to_end(key)
            while self._size > CACHED and len(self._kept) > 1:
                self._size -= len(self._kept.popitem(last=False)[1])
        return found
