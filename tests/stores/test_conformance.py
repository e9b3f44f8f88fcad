"""Every store of the folder keeps to the contract."""

import pytest

from nissl import plugins
from nissl.stores.disk import Disk
from nissl.testing.stores import StoreSuite


@pytest.mark.parametrize("name", plugins.names("stores"), scope="class")
class TestStores(StoreSuite):
    @pytest.fixture(autouse=True)
    def _given(self, name, request):
        self._name, self._made = name, {}
        if name == "objects":
            request.getfixturevalue("s3")

    def store(self, path):
        made = plugins.load("stores", self._name)
        if made.__name__ == "Memory":  # it lives in the object alone
            return self._made.setdefault(path, made(path))
        return made(f"s3://traces{path}") if self._name == "objects" else made(path)


class TestSmallBlocks(StoreSuite):
    """The disk again, with so few epochs to a shard that every test seals and un-seals."""

    def store(self, path):
        return Disk(path, block=3, durability="power")
