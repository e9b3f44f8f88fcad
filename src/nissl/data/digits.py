"""scikit-learn's handwritten digits, which travel with nissl."""

from dataclasses import dataclass

import numpy as np

from nissl.core.dataset import DataSet, Splits
from nissl.data._files.splitting import embedded, split


@dataclass(frozen=True)
class Digits(DataSet):
    """1,797 real images of 8 x 8 pixels, scaled to 0..1; needs no file and no network."""

    test_share: float = 0.2

    def load(self) -> Splits:
        x, y = embedded("digits.npz")
        images = x[:, None].astype(np.float32) / 16
        return Splits(*split(y, self.test_share).of(images, y), tuple(map(str, range(10))))
