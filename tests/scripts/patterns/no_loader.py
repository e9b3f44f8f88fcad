import start
import torch
from torch.nn import functional as F


class Trainer:
    def __init__(self):
        self.model = start.network()
        self.optimizer = torch.optim.Adam(self.model.parameters())

    def train(self):
        for _ in range(3):
            order = torch.randperm(64)
            for i in range(0, 64, 16):
                which = order[i : i + 16]
                x, target = start.x[which], start.y[which]
                self.optimizer.zero_grad()
                F.cross_entropy(self.model(x), target).backward()
                self.optimizer.step()


trainer = Trainer()
trainer.train()
start.ended(trainer.model)
