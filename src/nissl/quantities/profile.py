"""The class profile: each unit's mean and standard deviation for every class apart."""

from dataclasses import dataclass

from nissl.core.columns import by_class
from nissl.core.layer import Layer
from nissl.core.quantity import Array, Context, Heard, Quantity
from nissl.core.store import ArraySpec, Column


@dataclass(frozen=True)
class Profile(Quantity):
    """class_mean and class_std (neuron, class); class_count says how many values each rests on."""

    needs = "activation"
    classes = True

    def declare(self, layer: Layer | None, context: Context) -> tuple[ArraySpec, ...]:
        if not context.classes or layer is None or not layer.units:
            return ()
        k, names = len(context.classes), {"class": context.classes}
        mean = Column("class_mean", "mean", "class_count")
        std = Column("class_std", "std", "class_count", "class_mean")
        return (
            ArraySpec("class_count", ("class",), (k,), columns=(Column("class_count", "sum"),), labels=names),
            ArraySpec("class_mean", ("neuron", "class"), (layer.units, k), columns=(mean,), labels=names),
            ArraySpec("class_std", ("neuron", "class"), (layer.units, k), columns=(std,), labels=names),
        )

    def read(self, heard: Heard) -> dict[str, Array]:
        if heard.sums is None or not len(heard.sums.class_count):
            return {}
        count, mean, std = by_class(heard.sums)
        return {"class_count": count, "class_mean": mean, "class_std": std}
