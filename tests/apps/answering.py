"""A page's server in a thread, asked over a real socket, with whatever host and path one likes."""

import contextlib
import http.client
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest

pytest.importorskip("uvicorn")
pytest.importorskip("starlette")

from nissl.apps.server import prepared


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def said(self) -> Any:
        return json.loads(self.body)

    @property
    def last(self) -> Any:
        """Of an answer in lines."""
        return json.loads(self.body.splitlines()[-1])


@dataclass(frozen=True)
class Server:
    address: str

    @property
    def port(self) -> int:
        return int(urlsplit(self.address).port or 0)

    @property
    def key(self) -> str:
        return urlsplit(self.address).path.strip("/")

    def get(self, path: str, *, bare: bool = False, method: str = "GET", **headers: str) -> Answer:
        """Below the page's address, or `bare`: just this path, as it is, without a client that tidies it."""
        asking = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            asking.putrequest(method, path if bare else f"/{self.key}/{path}", skip_host="Host" in headers)
            for name, value in headers.items():
                asking.putheader(name.replace("_", "-"), value)
            asking.endheaders()
            found = asking.getresponse()
            return Answer(found.status, {k.lower(): v for k, v in found.getheaders()}, found.read())
        finally:
            asking.close()

    def ask(self, kind: str, question: Any, **headers: str) -> Answer:
        """Post a question as the page does; text goes as it is."""
        body = question if isinstance(question, bytes) else json.dumps(question).encode()
        asking = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            told = {"Content-Type": "application/json", "Origin": f"http://127.0.0.1:{self.port}"} | {
                name.replace("_", "-"): value for name, value in headers.items()
            }
            asking.request("POST", f"/{self.key}/ask/{kind}", body, told)
            found = asking.getresponse()
            return Answer(found.status, {k.lower(): v for k, v in found.getheaders()}, found.read())
        finally:
            asking.close()


@contextlib.contextmanager
def serving(run: Any, **options: Any) -> Iterator[Server]:
    server, held, address, _ = prepared(run, **options)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [held]}, daemon=True)
    thread.start()
    try:
        yield Server(address)
    finally:
        server.should_exit = True
        thread.join(10)
        held.close()
        assert not thread.is_alive()
