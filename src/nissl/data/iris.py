"""Fisher's iris flowers, which travel with nissl."""

from dataclasses import dataclass

from nissl.core.dataset import DataSet, Examples, Splits
from nissl.data._files.splitting import embedded, split


@dataclass(frozen=True)
class Iris(DataSet):
    """150 flowers with four measures each, standardised by the training flowers' mean and deviation."""

    test_share: float = 0.2

    def load(self) -> Splits:
        x, y = embedded("iris.npz")
        train, test = split(y, self.test_share).of(x / 10, y)
        mean, std = train.x.mean(0), train.x.std(0)
        train, test = (Examples((part.x - mean) / std, part.y) for part in (train, test))
        return Splits(train, test, ("setosa", "versicolor", "virginica"))
