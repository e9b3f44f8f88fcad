import sys

import start
import torch
from torch import nn
from torch.nn import functional as F

# no dropout: inductor draws its random numbers by a rule of its own, which differs from eager's in any case
net = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 2))
optimizer = torch.optim.Adam(net.parameters())
if sys.argv[1] == "in-place":
    net.compile(backend="aot_eager")
else:
    net = torch.compile(net, backend=sys.argv[1])
for _ in range(2):
    for x, y in start.loader():
        optimizer.zero_grad()
        F.cross_entropy(net(x), y).backward()
        optimizer.step()
start.ended(net)
