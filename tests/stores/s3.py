"""An S3-compatible server on this machine: moto's, one request at a time.

moto looks whether an object is there and then writes it, in two steps; S3 does so in one. The lock makes it one here too.
"""

import os
import signal
import subprocess
import sys
import threading
import urllib.request
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]


class Server:
    """A running one."""

    def __init__(self, process):
        self._process = process
        self.endpoint = f"http://127.0.0.1:{int(process.stdout.readline())}"

    @contextmanager
    def overloaded(self, number=signal.SIGUSR1):
        """While it answers nothing but 503."""
        self._toggle(number)
        try:
            yield
        finally:
            self._toggle(number)

    def forgetful(self):
        """While it takes commit records and says 503, and refuses to delete."""
        return self.overloaded(signal.SIGUSR2)

    def _toggle(self, number):
        self._process.send_signal(number)
        self._process.stdout.readline()


@contextmanager
def server(bucket="traces"):
    """It runs as long as the block does, and the environment leads to it."""
    process = subprocess.Popen([sys.executable, "-m", "tests.stores.s3"], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    before = dict(os.environ)
    try:
        started = Server(process)
        os.environ.update(AWS_ENDPOINT_URL=started.endpoint, AWS_REGION="us-east-1")
        os.environ.update(AWS_ACCESS_KEY_ID="somebody", AWS_SECRET_ACCESS_KEY="something")
        urllib.request.urlopen(urllib.request.Request(f"{started.endpoint}/{bucket}", method="PUT")).close()
        yield started
    finally:
        os.environ.clear()
        os.environ.update(before)
        process.kill()
        process.communicate()


def main():
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import WSGIRequestHandler, make_server

    class Handler(WSGIRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_request(self, *_):
            pass

    moto, lock, modes = DomainDispatcherApplication(create_backend_app), threading.Lock(), set()

    def toggle(number, _):
        modes.symmetric_difference_update({number})
        print("toggled", flush=True)

    def busy(start):
        start("503 Slow Down", [("Content-Length", "0")])
        return [b""]

    def one_at_a_time(environ, start):
        if signal.SIGUSR1 in modes or (signal.SIGUSR2 in modes and environ["REQUEST_METHOD"] in ("POST", "DELETE")):
            environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            return busy(start)
        with lock:
            if signal.SIGUSR2 in modes and environ["REQUEST_METHOD"] == "PUT" and "/_commits/" in environ["PATH_INFO"]:
                b"".join(moto(environ, lambda *_: None))
                return busy(start)
            return [b"".join(moto(environ, start))]

    found = make_server("127.0.0.1", 0, one_at_a_time, threaded=True, request_handler=Handler)
    for number in (signal.SIGUSR1, signal.SIGUSR2):
        signal.signal(number, toggle)
    print(found.port, flush=True)
    found.serve_forever()


if __name__ == "__main__":
    main()
