"""See inside a neural network while it learns: record its trace, stain its pathways, prove its structures.

The public names, each imported on first use, so that `import nissl` costs nothing.
"""

TYPE_CHECKING = False  # typing's own takes longer to import than all of this; checkers know it by its name

if TYPE_CHECKING:  # for editors and type checkers; a test holds it to the table below
    from nissl import callbacks as callbacks
    from nissl.adapters.arrays import Arrays as Arrays
    from nissl.apps.notebook import view as view
    from nissl.apps.report import report as report
    from nissl.core.attributing import attribute as attribute
    from nissl.core.attribution import Attribution as Attribution
    from nissl.core.communities import communities as communities
    from nissl.core.dream import dream as dream
    from nissl.core.graph import Graph as Graph
    from nissl.core.graph import graph as graph
    from nissl.core.inversion import invert as invert
    from nissl.core.layer import Layer as Layer
    from nissl.core.map import Map as Map
    from nissl.core.network import Network as Network
    from nissl.core.network import network as network
    from nissl.core.outlook import Outlook as Outlook
    from nissl.core.portrait import portrait as portrait
    from nissl.core.portraits import Portraits as Portraits
    from nissl.core.profiles import Profiles as Profiles
    from nissl.core.profiling import profile as profile
    from nissl.core.projection import Projection as Projection
    from nissl.core.projection import projection as projection
    from nissl.core.quantity import Quantity as Quantity
    from nissl.core.record import record as record
    from nissl.core.recorder import Recorder as Recorder
    from nissl.core.search import structure as structure
    from nissl.core.search import structures as structures
    from nissl.core.store import Store as Store
    from nissl.core.structure import Structure as Structure
    from nissl.core.topomap import topomap as topomap
    from nissl.core.trace import Trace as Trace
    from nissl.core.trace import open as open  # noqa: A004 - nissl.open reads as intended
    from nissl.core.trailing import trails as trails
    from nissl.core.trails import Trails as Trails
    from nissl.core.verbs import edit as edit
    from nissl.studies.attribution_checks import attribution_agreement as attribution_agreement
    from nissl.studies.attribution_checks import attribution_erasure as attribution_erasure
    from nissl.studies.attribution_checks import attribution_sanity as attribution_sanity
    from nissl.studies.changes import changes as changes
    from nissl.studies.compress import compress as compress
    from nissl.studies.compress import decompress as decompress
    from nissl.studies.decay import biased_decay as biased_decay
    from nissl.studies.kinship import kinship as kinship
    from nissl.studies.prune import prune as prune
    from nissl.studies.stages import Stages as Stages
    from nissl.studies.study import study as study

    __version__: str

__all__ = [
    "Arrays", "Attribution", "Graph", "Layer", "Map", "Network", "Outlook", "Portraits", "Profiles", "Projection", "Quantity", "Recorder", "Stages",
    "Store", "Structure", "Trace", "Trails", "attribute", "attribution_agreement", "attribution_erasure", "attribution_sanity", "biased_decay",
    "changes", "communities", "compress", "decompress", "dream", "edit", "graph", "invert", "kinship", "network", "open", "portrait", "profile",
    "projection", "prune", "record", "report", "structure", "structures", "study", "topomap", "trails", "view",
]  # fmt: skip

_HOMES = {
    "Arrays": "nissl.adapters.arrays",
    "Attribution": "nissl.core.attribution",
    "Graph": "nissl.core.graph",
    "Layer": "nissl.core.layer",
    "Map": "nissl.core.map",
    "Network": "nissl.core.network",
    "Outlook": "nissl.core.outlook",
    "Portraits": "nissl.core.portraits",
    "Profiles": "nissl.core.profiles",
    "Projection": "nissl.core.projection",
    "Quantity": "nissl.core.quantity",
    "Recorder": "nissl.core.recorder",
    "Stages": "nissl.studies.stages",
    "Store": "nissl.core.store",
    "Structure": "nissl.core.structure",
    "Trace": "nissl.core.trace",
    "Trails": "nissl.core.trails",
    "attribute": "nissl.core.attributing",
    "attribution_agreement": "nissl.studies.attribution_checks",
    "attribution_erasure": "nissl.studies.attribution_checks",
    "attribution_sanity": "nissl.studies.attribution_checks",
    "biased_decay": "nissl.studies.decay",
    "changes": "nissl.studies.changes",
    "communities": "nissl.core.communities",
    "compress": "nissl.studies.compress",
    "decompress": "nissl.studies.compress",
    "dream": "nissl.core.dream",
    "edit": "nissl.core.verbs",
    "graph": "nissl.core.graph",
    "invert": "nissl.core.inversion",
    "kinship": "nissl.studies.kinship",
    "network": "nissl.core.network",
    "open": "nissl.core.trace",
    "portrait": "nissl.core.portrait",
    "profile": "nissl.core.profiling",
    "projection": "nissl.core.projection",
    "prune": "nissl.studies.prune",
    "record": "nissl.core.record",
    "report": "nissl.apps.report",
    "structure": "nissl.core.search",
    "structures": "nissl.core.search",
    "study": "nissl.studies.study",
    "topomap": "nissl.core.topomap",
    "trails": "nissl.core.trailing",
    "view": "nissl.apps.notebook",
}

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        if name in _HOMES:
            from importlib import import_module

            return getattr(import_module(_HOMES[name]), name)
        if name == "callbacks":
            from importlib import import_module

            return import_module("nissl.callbacks")
        if name == "__version__":
            from importlib.metadata import version

            return version("nissl")
        raise AttributeError(f"nissl has no public name {name!r}; there are: {', '.join(__all__)}.")

    def __dir__() -> list[str]:
        return [*__all__, "callbacks", "__version__"]
