import logging
import warnings

import start
import torch
from torch.nn import functional as F

logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
warnings.simplefilter("ignore")

import lightning  # noqa: E402 - it warns when it is imported


class Module(lightning.LightningModule):
    def __init__(self):
        super().__init__()
        self.net = start.network()

    def training_step(self, batch, index):
        return F.cross_entropy(self.net(batch[0]), batch[1])

    def validation_step(self, batch, index):
        self.log("loss", F.cross_entropy(self.net(batch[0]), batch[1]))

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters())


module = Module()
quiet = dict.fromkeys(("logger", "enable_progress_bar", "enable_checkpointing", "enable_model_summary"), False)
lightning.Trainer(max_epochs=2, accelerator="cpu", **quiet).fit(module, start.loader(), start.loader())
start.ended(module)
