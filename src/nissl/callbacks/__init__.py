"""Recording for training loops that a library runs, one file a library: `nissl.callbacks.Keras("runs/a")`."""

from nissl import plugins


def __getattr__(name: str) -> type:
    """The class of this name, once it is asked for: its file imports its library."""
    homes = {plugins.class_name(home): home for home in plugins.names("callbacks")}
    if name in homes:
        return plugins.load("callbacks", homes[name])
    raise AttributeError(f"nissl.callbacks has no {name!r}; there are: {', '.join(sorted(homes))}.")


def __dir__() -> list[str]:
    return sorted(map(plugins.class_name, plugins.names("callbacks")))
