"""A small training by the Hugging Face Trainer."""

import torch
from torch import nn
from torch.nn import functional as F
from transformers import Trainer, TrainerCallback, TrainingArguments

numbers = ("eval_loss", "loss", "train_loss", "learning_rate")


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(5, 8), nn.ReLU(), nn.Dropout(0.2), nn.Linear(8, 3))

    def forward(self, x, labels=None):
        logits = self.net(x)
        return {"logits": logits} | ({} if labels is None else {"loss": F.cross_entropy(logits, labels)})


def data(count=48):
    x = torch.randn(count, 5, generator=torch.Generator().manual_seed(1))
    return [{"x": x[i], "labels": i % 3} for i in range(count)]


def probe():
    return torch.stack([example["x"] for example in data(8)]), torch.arange(8) % 3


def trainer(callbacks, epochs, folder, model, *, examples=None, eval_examples=None, **options):
    chosen = {
        "per_device_train_batch_size": 8, "num_train_epochs": epochs, "use_cpu": True, "report_to": [], "seed": 0,
        "disable_tqdm": True, "eval_strategy": "epoch", "save_strategy": "epoch", "logging_strategy": "epoch",
        "log_level": "error", "dataloader_pin_memory": False,
    }  # fmt: skip
    arguments = TrainingArguments(str(folder), **chosen | options)
    examples = examples or data()
    made = Trainer(
        model, arguments, train_dataset=examples, eval_dataset=eval_examples or examples, callbacks=callbacks
    )
    made.pop_callback(next(c for c in made.callback_handler.callbacks if type(c).__name__ == "PrinterCallback"))
    return made


def fit(callbacks, epochs, folder, *, resume=False, module=Net, **options):
    torch.manual_seed(0)
    model = module()
    trainer(callbacks, epochs, folder, model, **options).train(resume_from_checkpoint=resume)
    return {name: value.numpy() for name, value in model.state_dict().items()}


class Stopping(TrainerCallback):
    def __init__(self, after):
        self.after = after

    def on_evaluate(self, args, state, control, **others):
        control.should_training_stop = round(state.epoch) >= self.after


class Failing(TrainerCallback):
    def __init__(self, epoch, error):
        self.after, self.error = 6 * (epoch - 1) + 3, error

    def on_step_end(self, args, state, control, **others):
        if state.global_step == self.after:
            raise self.error


stopping, failing = Stopping, Failing
