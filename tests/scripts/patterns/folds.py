import start
import torch
from torch.nn import functional as F

for _ in range(2):
    net = start.network()
    optimizer = torch.optim.Adam(net.parameters())
    for _epoch in range(2):
        for i, batch in enumerate(start.loader()):
            if i == 3:
                break
            optimizer.zero_grad()
            F.cross_entropy(net(batch[0]), batch[1]).backward()
            optimizer.step()
    start.ended(net)
