import start
import torch
from torch.nn import functional as F

net = start.network()
optimizer = torch.optim.SGD(net.parameters(), 0.1, momentum=0.9)
train = start.loader()
for _ in range(2):
    for i, (x, y) in enumerate(train):
        (F.cross_entropy(net(x), y) / 2).backward()
        if i % 2 == 1:
            optimizer.step()
            optimizer.zero_grad()
start.ended(net)
