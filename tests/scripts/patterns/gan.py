import start
import torch
from torch import nn

G = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 6))
D = start.network(1)
for_g, for_d = torch.optim.Adam(G.parameters(), 1e-3), torch.optim.Adam(D.parameters(), 1e-3)
criterion = nn.BCEWithLogitsLoss()
real, fake = torch.ones(16, 1), torch.zeros(16, 1)
for _ in range(2):
    for x, _ in start.loader():
        made = G(torch.randn(16, 3))
        for_d.zero_grad()
        (criterion(D(x), real) + criterion(D(made.detach()), fake)).backward()
        for_d.step()
        for_g.zero_grad()
        criterion(D(made), real).backward()
        for_g.step()
start.ended(G, D)
