"""The page on object stores, as it stands, against an S3-compatible server; its trace also without nissl."""

import urllib.request

import numpy as np
import pytest

import nissl
from tests.docs.blocks import entrusted

torch = pytest.importorskip("torch")


def test_the_page_records_into_a_bucket_and_reads_it_without_nissl(s3, monkeypatch):
    monkeypatch.delenv("AWS_ALLOW_HTTP", raising=False)
    urllib.request.urlopen(urllib.request.Request(f"{s3.endpoint}/bucket", method="PUT")).close()
    x, y = torch.randn(32, 12), torch.arange(32) % 4
    model = torch.nn.Sequential(torch.nn.Linear(12, 16), torch.nn.ReLU(), torch.nn.Linear(16, 4))
    names = {"model": model, "loader": [(x[:16], y[:16]), (x[16:], y[16:])], "train_step": lambda x, y: model(x)}
    recording, reading = entrusted("how-to/record-to-s3.md", __file__)
    recording.run(names, "record-to-s3.md")  # plain http is taken on this machine
    with pytest.raises(Exception, match="HTTP"):
        reading.run(names, "record-to-s3.md")
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")  # as the page says
    reading.run(names, "record-to-s3.md")
    trace = names["trace"]
    assert trace.epochs == list(range(1, 31))
    kept = names["group"]["layers/0/class_mean"]
    assert kept.shape == (30, 16, 4)
    np.testing.assert_array_equal(kept[29], trace[30]["0"].array("class_mean"))
    assert nissl.open("s3://bucket/runs/digits").closed
