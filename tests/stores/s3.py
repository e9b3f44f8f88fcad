"""An S3-compatible server on this machine: moto's, one request at a time.

moto looks whether an object is there and then writes it, in two steps; S3 does so in one. The lock makes it one here too.
"""

import os
import subprocess
import sys
import threading
import urllib.request
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]


@contextmanager
def server(bucket="traces"):
    """Its address, as long as the block runs; the environment leads to it."""
    process = subprocess.Popen([sys.executable, "-m", "tests.stores.s3"], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    before = dict(os.environ)
    try:
        endpoint = f"http://127.0.0.1:{int(process.stdout.readline())}"
        os.environ.update(AWS_ENDPOINT_URL=endpoint, AWS_REGION="us-east-1")
        os.environ.update(AWS_ACCESS_KEY_ID="somebody", AWS_SECRET_ACCESS_KEY="something")
        urllib.request.urlopen(urllib.request.Request(f"{endpoint}/{bucket}", method="PUT")).close()
        yield endpoint
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

    moto, lock = DomainDispatcherApplication(create_backend_app), threading.Lock()

    def one_at_a_time(environ, start):
        with lock:
            return [b"".join(moto(environ, start))]

    found = make_server("127.0.0.1", 0, one_at_a_time, threaded=True, request_handler=Handler)
    print(found.port, flush=True)
    found.serve_forever()


if __name__ == "__main__":
    main()
