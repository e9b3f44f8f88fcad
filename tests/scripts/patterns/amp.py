import start
import torch
from torch.nn import functional as F


def main():
    net = start.network()
    optimizer = torch.optim.AdamW(net.parameters())
    scaler = torch.amp.GradScaler("cpu")
    train = start.loader(num_workers=2, multiprocessing_context="spawn", persistent_workers=True)
    for _ in range(2):
        for x, y in train:
            with torch.autocast("cpu", dtype=torch.bfloat16):
                loss = F.cross_entropy(net(x), y)
            scaler.scale(loss).backward()
            scaler.step(optimizer)
            scaler.update()
            optimizer.zero_grad()
    start.ended(net)


if __name__ == "__main__":  # spawned workers import this module
    main()
