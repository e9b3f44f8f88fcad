"""What several processes cannot record together is refused in words, on all of them, before anything waits."""

from tests.ranks.launch import launch
from tests.ranks.worker import network, train


def test_every_rank_says_why(tmp_path):
    train(network(), 0, 1, tmp_path / "run", epochs=1)
    launch("refused", tmp_path)
