import start
import torch
from torch import distributed, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

distributed.init_process_group("gloo")
rank = distributed.get_rank()
net = nn.parallel.DistributedDataParallel(start.network())
optimizer = torch.optim.Adam(net.parameters())
train = DataLoader(TensorDataset(start.x[rank::2], start.y[rank::2]), 16)
for _ in range(2):
    for x, y in train:
        optimizer.zero_grad()
        F.cross_entropy(net(x), y).backward()
        optimizer.step()
if rank == 0:
    start.ended(net)
distributed.barrier()
distributed.destroy_process_group()
