"""A network learns handwritten digits; ten lines around the loop record what happens inside it."""

import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

import nissl
from nissl.data.digits import Digits

digits = Digits().load()
train_loader = DataLoader(TensorDataset(*map(torch.from_numpy, digits.train)), batch_size=64, shuffle=True)
model = nn.Sequential()
model.add_module("flatten", nn.Flatten())
model.add_module("hidden_1", nn.Linear(64, 32))
model.add_module("relu", nn.ReLU())
model.add_module("output", nn.Linear(32, 10))
optimizer = torch.optim.Adam(model.parameters())

with nissl.record(model, "runs/digits", classes=digits.classes, probe=digits.test) as recorder:
    for epoch in recorder.epochs(5):
        for x, y in recorder.batches(train_loader):
            loss = F.cross_entropy(model(x), y)
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
        print(f"epoch {epoch}: the last batch's loss is {loss.item():.3f}")

trace = nissl.open("runs/digits")
print(trace["E_5"]["L_hidden_1"]["n_20"])  # one neuron at one epoch
