"""A small training by Lightning."""

import logging
import warnings

import lightning as L
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
numbers = ("val_loss", "train_loss", "seen")


class Net(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(5, 8), nn.ReLU(), nn.Dropout(0.2), nn.Linear(8, 3))

    def forward(self, x):
        return self.net(x)

    def loss(self, batch):
        x, y = batch
        return F.cross_entropy(self(x), y)

    def training_step(self, batch, index):
        loss = self.loss(batch)
        self.log("train_loss", loss, on_epoch=True, on_step=False)
        return loss

    def validation_step(self, batch, index):
        self.log("val_loss", self.loss(batch))

    def on_train_epoch_end(self):
        self.log("seen", float(self.current_epoch + 1))

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), 0.01)


def loader(shuffle=False):
    x = torch.randn(48, 5, generator=torch.Generator().manual_seed(1))
    return DataLoader(TensorDataset(x, torch.arange(48) % 3), batch_size=8, shuffle=shuffle)


def probe():
    return tuple(next(iter(loader())))


def quiet(**options):
    kinds = {"accelerator": "cpu", "logger": False, "enable_progress_bar": False, "enable_model_summary": False}
    return L.Trainer(**kinds | {"enable_checkpointing": False} | options)


def fit(callbacks, epochs, folder, *, resume=False, module=Net, **options):
    torch.manual_seed(0)
    checkpoints = L.pytorch.callbacks.ModelCheckpoint(folder, save_last=True)
    trainer = quiet(max_epochs=epochs, callbacks=[*callbacks, checkpoints], enable_checkpointing=True, **options)
    model = module()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="lightning|torch")
        trainer.fit(model, loader(True), loader(), ckpt_path=folder / "last.ckpt" if resume else None)
    return {name: value.numpy() for name, value in model.state_dict().items()}


class Stopping(L.Callback):
    def __init__(self, after):
        self.after = after

    def on_train_epoch_end(self, trainer, pl_module):
        trainer.should_stop = trainer.current_epoch + 1 >= self.after


class Failing(L.Callback):
    def __init__(self, epoch, error):
        self.at, self.error = (epoch - 1, 3), error

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
        if (trainer.current_epoch, batch_idx) == self.at:
            raise self.error


stopping, failing = Stopping, Failing
