"""What several processes cannot record together is refused in words, on all of them, before anything waits."""

import pytest
import torch
from torch import distributed

import nissl
from nissl.errors import Unsupported
from tests.ranks.worker import network, train


def test_every_rank_says_why(tmp_path, launch):
    train(network(), 0, 1, tmp_path / "run", epochs=1)
    launch("refused", tmp_path)


@pytest.fixture
def group(tmp_path):
    distributed.init_process_group("gloo", init_method=f"file://{tmp_path}/meet", rank=0, world_size=1)
    yield
    distributed.destroy_process_group()


def test_models_that_are_split_otherwise_are_refused_by_name(group):
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.tensor.parallel import ColwiseParallel, parallelize_module

    split = parallelize_module(network(), init_device_mesh("cpu", (1,)), {"0": ColwiseParallel()})
    with pytest.raises(Unsupported, match="otherwise than by fully_shard"):
        nissl.network(split)


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning")  # it is on its way out
def test_flat_parameters_are_refused_by_name(group):
    with pytest.raises(Unsupported, match="FSDP1"):
        nissl.network(distributed.fsdp.FullyShardedDataParallel(network(), device_id=torch.device("cpu")))


def test_a_sharded_layer_is_not_edited(group):
    model = distributed.fsdp.fully_shard(network(), mesh=distributed.device_mesh.init_device_mesh("cpu", (1,)))
    net = nissl.network(model)
    before = net.weights("0")
    with pytest.raises(Unsupported, match="divided over several processes"):
        net.edit("0", {"bias": before["bias"] + 1})
    assert (net.weights("0")["bias"] == before["bias"]).all()
