"""What `nissl port` prints."""

from pathlib import Path

from nissl.apps._cli.screens import console, table
from nissl.core.network import Network


def ported(network: Network, to: Path) -> None:
    """Layer by layer what was ported, and what to do with it."""
    out = console()
    rows = [
        (
            layer.name,
            layer.kind,
            layer.units or "?",
            layer.nonlinearity or "-",
            ", ".join(f"{name} {' x '.join(map(str, shape))}" for name, shape in layer.parameters.items()) or "-",
        )
        for layer in network.layers
    ]
    out.print(table(("layer", "kind", "units", "nonlinearity", "parameters, unit first"), rows, right=[2]))
    out.print(f"written: {to}; its outputs are the SavedModel's.", soft_wrap=True)
    call = f'nissl.network(keras.models.load_model("{to}"))'
    out.print(f"next: import keras, nissl; network = {call}", soft_wrap=True, markup=False)
