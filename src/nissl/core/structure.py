"""The units behind an output: chosen, scored, combined as sets, cut, proved."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nissl.core.finder import Case, Finder
from nissl.core.fingerprint import fingerprint
from nissl.core.network import Network, network
from nissl.core.report import Report
from nissl.core.verbs import Verbs
from nissl.core.verification import verify
from nissl.core.wiring import Edge, edges
from nissl.errors import BadValue, DamagedData, MissingData, Unsupported

if TYPE_CHECKING:
    from nissl.core.structures import Structures

Array = NDArray[Any]
VERSION = 1


class Unit(NamedTuple):
    """One member of a structure."""

    layer: str
    unit: int
    score: float
    """What it adds to the aim, on average over the target's examples; negative: it speaks against it."""
    low: float
    high: float
    """The middle 95 % of bootstrapped scores; NaN where the method can't tell examples apart."""


@dataclass(frozen=True, eq=False)
class Structure(Verbs):
    """Made by `nissl.structure`; a plain value but for the network, which what cuts needs."""

    target: str
    members: Mapping[str, tuple[int, ...]]
    """The chosen units by layer."""
    scores: Mapping[str, Array]
    """Every candidate's signed score, by layer."""
    lows: Mapping[str, Array]
    highs: Mapping[str, Array]
    ranking: Mapping[str, Array]
    """What the units were chosen by: the larger the sooner."""
    means: Mapping[str, Array]
    """Every candidate's mean value over the data, (unit, part)."""
    recipe: Mapping[str, Any]
    """How it was found: method, baseline, metric, rank, size, seed, how many examples."""
    fingerprint: str
    """Of the model that it was found in."""
    network: Network | None = field(default=None, repr=False)
    case: Case | None = field(default=None, repr=False)
    """The question and its examples; not saved."""
    method: Finder | None = field(default=None, repr=False)
    """What found it; not saved but for its name."""
    family: "Structures | None" = field(default=None, repr=False)
    """The structures of all classes that were found together with it."""
    instead: Mapping[str, Array] = field(default_factory=dict, repr=False)
    """What deleting puts in the place of candidates, (unit, part): what they say for other classes, if it must go. Empty: means."""

    @property
    def units(self) -> list[Unit]:
        """The members, the one that was chosen first at the top."""
        found = [
            (self.ranking[name][unit], self._unit(name, unit)) for name, which in self.members.items() for unit in which
        ]
        return [unit for _, unit in sorted(found, key=lambda pair: (-pair[0], pair[1].layer, pair[1].unit))]

    def _unit(self, name: str, unit: int) -> Unit:
        return Unit(name, unit, *(float(table[name][unit]) for table in (self.scores, self.lows, self.highs)))

    @property
    def score(self) -> float:
        """What its members add to the aim together."""
        return float(sum(self.scores[name][list(which)].sum() for name, which in self.members.items()))

    @property
    def causal(self) -> bool:
        """Found by what the output depends on; False: by what is merely active, and possibly a decoy."""
        return bool(self.recipe.get("causal", True))

    @cached_property
    def edges(self) -> list[Edge]:
        """What its members add to the aim through one another, strongest first; found when first asked for."""
        if self.case is None or self.method is None:
            raise MissingData(
                "Edges are found with the examples at hand, and these are not saved: call nissl.structure(model, data, ...) anew."
            )
        known = self.case.targets
        target = known.index(self.target) if self.target in known else None
        return edges(self.case, self.method, self.members, target)

    def __len__(self) -> int:
        return sum(len(which) for which in self.members.values())

    def __contains__(self, place: object) -> bool:
        return isinstance(place, tuple) and len(place) > 1 and place[1] in self.members.get(place[0], ())

    def __iter__(self) -> Iterator[Unit]:
        return iter(self.units)

    def share(self) -> float:
        """How many of all candidates are members, 0 to 1."""
        return len(self) / max(sum(self.every().values()), 1)

    # sets

    def __or__(self, other: "Structure") -> "Structure":
        return self._joined(other, "|", lambda mine, theirs: mine | theirs)

    def __and__(self, other: "Structure") -> "Structure":
        return self._joined(other, "&", lambda mine, theirs: mine & theirs)

    def __sub__(self, other: "Structure") -> "Structure":
        return self._joined(other, "-", lambda mine, theirs: mine - theirs)

    def _joined(self, other: "Structure", sign: str, join: Any) -> "Structure":
        if not isinstance(other, Structure):
            return NotImplemented
        if self.fingerprint != other.fingerprint:
            raise BadValue(f"{self.target} and {other.target} are structures of different models.")
        members = {
            name: tuple(sorted(join(set(self.members.get(name, ())), set(other.members.get(name, ())))))
            for name in {**self.scores, **other.scores}
        }
        proved = {**self.recipe, "causal": self.causal and other.causal}
        whole = self._beside({name: other for name in other.scores if name not in self.scores and members[name]})
        instead = _mingled(self, other) if self.instead or other.instead else {}
        return replace(whole.having(members, f"({self.target} {sign} {other.target})"), recipe=proved, instead=instead)

    def _beside(self, others: "Mapping[str, Structure]") -> "Structure":
        """With layers that only the other looked at, and what it knows of them."""
        if not others:
            return self
        told: dict[str, Any] = {
            table: {**getattr(self, table), **{name: getattr(one, table)[name] for name, one in others.items()}}
            for table in _TABLES
        }
        case = self.case
        if case is not None:
            names = {*case.names, *others}
            case = replace(case, layers=tuple(layer for layer in case.network.layers if layer.name in names))
        return replace(self, case=case, **told)

    def having(self, members: Mapping[str, Sequence[int]], target: str | None = None) -> "Structure":
        """The same question answered by other members."""
        kept = {name: tuple(int(unit) for unit in which) for name, which in members.items() if len(which)}
        return replace(self, members=kept, target=target or self.target)

    @property
    def backbone(self) -> "Structure":
        """Units that most classes' structures share; of the structures that were found together with this one."""
        if self.family is None:
            raise Unsupported(
                "The backbone is what classes share: ask for a class, or for nissl.structures(model, data)."
            )
        return self.family.backbone

    # what Verbs asks for

    def chosen(self) -> Mapping[str, tuple[int, ...]]:
        return self.members

    def every(self) -> Mapping[str, int]:
        return {name: len(scores) for name, scores in self.scores.items()}

    def subject(self) -> tuple[Network, Mapping[str, Array], Any]:
        if self.network is None:
            raise MissingData("This structure has no model: Structure.load(path, model) gives it one.")
        sample = None
        if self.case is not None:
            sample = self.case.pool.take(np.arange(min(64, self.case.pool.count)))
        return self.network, self.means, sample

    def verify(self, data: Any = None, **options: Any) -> Report:
        """Is it necessary, sufficient, specific, or redundant? Cut, and compared with controls, on held-out `data`."""
        return verify(self, data, **options)

    # tables and files

    def to_dataframe(self) -> Any:
        """Every candidate as a row (layer, unit): score, interval, ranking, member."""
        import pandas as pd

        rows = [
            (name, unit, self.scores[name][unit], self.lows[name][unit], self.highs[name][unit],
             self.ranking[name][unit], unit in self.members.get(name, ()))
            for name, count in self.every().items() for unit in range(count)
        ]  # fmt: skip
        columns = ["layer", "unit", "score", "low", "high", "ranking", "member"]
        return pd.DataFrame(rows, columns=columns).set_index(["layer", "unit"])

    def save(self, path: str | Path) -> Path:
        """As JSON: names, numbers and the model's fingerprint."""
        held = {"target": self.target, "members": self.members, "recipe": self.recipe, "fingerprint": self.fingerprint}
        tables = {name: {k: v.tolist() for k, v in getattr(self, name).items()} for name in _SAVED}
        file = Path(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps({"nissl_structure": VERSION, **held, **tables}, default=str, indent=1) + "\n")
        return file

    @classmethod
    def load(cls, path: str | Path, model: Any = None) -> "Structure":
        """A saved structure, with the model that it was found in; another one is refused."""
        try:
            held = json.loads(Path(path).read_text())
            if held.pop("nissl_structure") != VERSION:
                raise DamagedData(f"{path} was written by another version of nissl.")
            held.setdefault("instead", {})
            tables: Any = {name: {k: np.asarray(v, np.float64) for k, v in held.pop(name).items()} for name in _SAVED}
            members = {name: tuple(which) for name, which in held.pop("members").items()}
            found = cls(held["target"], members, recipe=held["recipe"], fingerprint=held["fingerprint"], **tables)
        except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError, AttributeError) as error:
            raise DamagedData(f"{path} is no structure that nissl saved: {type(error).__name__}: {error}.") from error
        if model is None:
            return found
        net = network(model)
        if fingerprint(net) != found.fingerprint:
            raise BadValue(
                f"{path} was found in a model with other layers or weights (fingerprint {found.fingerprint}, this one "
                f"{fingerprint(net)}): its units mean nothing here. Find it anew with nissl.structure."
            )
        return replace(found, network=net)

    def __repr__(self) -> str:
        places = ", ".join(f"{name} {len(which)}" for name, which in self.members.items()) or "no units"
        how = "" if self.causal else "; an annotation: active, not proved to matter"
        return f"<Structure of {self.target}: {len(self)} of {sum(self.every().values())} units ({places}){how}>"


def _mingled(one: Structure, two: Structure) -> dict[str, Array]:
    """What stands in for units of two structures: what its own says, and for a unit of both, or of neither, half of each."""
    found = {}
    for name in {**one.means, **two.means}:
        sides = [of for of in (one, two) if name in of.means]
        whose = np.zeros((len(sides), len(sides[0].means[name])))
        for row, of in zip(whose, sides, strict=True):
            row[list(of.members.get(name, ()))] = 1
        whose[:, ~whose.any(0)] = 1
        said = np.stack([of.instead.get(name, of.means[name]) for of in sides])
        found[name] = np.einsum("su,sup->up", whose / whose.sum(0), said)
    return found


_TABLES = ("scores", "lows", "highs", "ranking", "means")
_SAVED = (*_TABLES, "instead")
