"""Learning again after something was taken away."""

from collections.abc import Callable
from typing import Any

import numpy as np

from nissl.core import aim
from nissl.core.dataset import Examples, Splits
from nissl.core.network import Network
from nissl.core.pool import Pool, settled
from nissl.errors import BadValue, MissingDependency, Unsupported
from nissl.studies._pruning.measures import BATCH

FineTune = Callable[[Any], Any] | int


def checked(finetune: FineTune) -> FineTune:
    """A loop of the user's, or a number of epochs."""
    if not callable(finetune) and (not isinstance(finetune, int) or isinstance(finetune, bool) or finetune < 0):
        raise BadValue(f"finetune={finetune!r}: your loop as a function of the model, or a number of epochs from 0.")
    return finetune


def tuned(net: Network, finetune: FineTune, data: Any, *, batch: int, learning_rate: float, seed: int) -> None:
    """By the user's own loop, or for some epochs of Adam on the data."""
    if callable(finetune):
        finetune(net.model)
    elif finetune:
        _learned(net, finetune, data, batch, learning_rate, seed)


def _learned(net: Network, epochs: int, data: Any, batch: int, learning_rate: float, seed: int) -> None:
    if net.framework != "torch":
        raise Unsupported(
            f"nissl trains with PyTorch: give your own {net.framework} loop, finetune=FUNCTION of the model."
        )
    try:
        from nissl.models._training import trainer
    except ImportError as error:
        raise MissingDependency(f"nissl trains with PyTorch: pip install 'nissl[torch]' ({error})") from error
    pool = Pool(net, data, BATCH)
    if pool.y is None or not isinstance(pool.x, np.ndarray):
        raise BadValue("finetune=EPOCHS takes data of one input and labels; for others give your own loop, a function.")
    outputs = settled(pool.outputs(np.arange(min(pool.count, BATCH))))
    squashed = aim.looks_squashed(outputs)
    if squashed and outputs.shape[1] > 1:
        raise Unsupported(
            "The network returns probabilities of several classes: give your own loop, finetune=FUNCTION."
        )
    examples = Examples(pool.x, pool.y)
    splits = Splits(examples, examples, pool.task.names)
    model, device = net.model, str(next(iter(net.model.parameters())).device)
    mode = model.training
    with trainer.seeded(seed):
        training = trainer.Trainer(
            model, splits, gives="probability" if squashed else "logits", optimiser="adam", learning_rate=learning_rate,
            batch=batch, seed=seed, device=device,
        )  # fmt: skip
        model.train()
        with training.paced():
            for _ in range(epochs):
                for x, y in training.loader:
                    training.step(x, y)
    model.train(mode)
