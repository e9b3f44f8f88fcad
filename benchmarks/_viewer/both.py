"""One run for two viewers: a training on the digits, recorded by nissl and as TensorBoard's own writer has it.

TensorBoard is given what its users log: scalars each epoch, histograms of weights,
gradients and activations, the graph, and the last layer's values of the held-out digits as an embedding with labels and pictures.
"""

from pathlib import Path
from typing import Any

import torch
from sklearn.datasets import load_digits
from torch import nn

import nissl

EPOCHS, WIDTH = 20, 256


def main(folder: Path) -> None:
    """Both recordings, of the same steps."""
    from torch.utils.tensorboard import SummaryWriter

    torch.manual_seed(0)
    torch.set_num_threads(1)
    digits = load_digits()
    x, y = torch.tensor(digits.data / 16, dtype=torch.float32), torch.tensor(digits.target)
    kept, held = (x[:1437], y[:1437]), (x[1437:], y[1437:])
    model = nn.Sequential(nn.Linear(64, WIDTH), nn.ReLU(), nn.Linear(WIDTH, WIDTH), nn.ReLU(), nn.Linear(WIDTH, 10))
    optimizer, board = torch.optim.Adam(model.parameters(), 1e-3), SummaryWriter(str(folder / "board"))
    board.add_graph(model, held[0][:1])
    batches = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(*kept), 64, shuffle=True)
    names = [str(name) for name in digits.target_names]
    quantities = ("activation", "profile", "weights", "predictions", "samples", "structures")
    with nissl.record(model, folder / "run", classes=names, probe=held, quantities=quantities) as recorder:
        for epoch in recorder.epochs(EPOCHS):
            for inputs, labels in recorder.batches(batches):
                loss = nn.functional.cross_entropy(model(inputs), labels)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            _told(board, model, held, int(epoch), float(loss.detach()))
    board.add_embedding(model[:4](held[0]).detach(), held[1].tolist(), held[0].reshape(-1, 1, 8, 8))
    board.close()


def _told(board: Any, model: nn.Module, held: tuple[torch.Tensor, torch.Tensor], epoch: int, loss: float) -> None:
    with torch.no_grad():
        value = held[0]
        for number, layer in enumerate(model):
            value = layer(value)
            board.add_histogram(f"activation/{number}", value, epoch)
        board.add_scalar("loss/train", loss, epoch)
        board.add_scalar("loss/held out", float(nn.functional.cross_entropy(value, held[1])), epoch)
        board.add_scalar("accuracy/held out", float((value.argmax(1) == held[1]).float().mean()), epoch)
    for name, weight in model.named_parameters():
        board.add_histogram(f"weight/{name}", weight, epoch)
        if weight.grad is not None:
            board.add_histogram(f"gradient/{name}", weight.grad, epoch)
