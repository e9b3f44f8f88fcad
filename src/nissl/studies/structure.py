"""`structure`: what makes an output of a network by name, proved and cut."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nissl.core.deletions import Deletions, deletions
from nissl.core.edit import Committed
from nissl.core.report import Report
from nissl.core.search import structure as find
from nissl.core.search import structures as find_all
from nissl.core.structure import Structure
from nissl.core.structures import Structures
from nissl.core.view import View
from nissl.errors import BadValue, MissingDependency
from nissl.studies.subject import subject
from nissl.views.deleted import Deleted
from nissl.views.faithfulness import Faithfulness
from nissl.views.owners import Owners


@dataclass(frozen=True, eq=False)
class Found:
    """What `structure` leaves behind."""

    one: Structure | None
    """The structure that was asked for; None where all classes' were."""
    all: Structures | None
    """Of all classes, where there are classes."""
    report: Report | None = None
    deletions: Deletions | None = None
    committed: Committed | None = None
    smaller: Path | None = None
    pictures: Mapping[str, View] = field(default_factory=dict)


def structure(
    where: str, target: str | None = None, *, data: str | None = None, limit: int = 500, verify: bool = False,
    delete: bool = False, output: Path | None = None, **options: Any,
) -> Found:  # fmt: skip
    """The structure of `target` (a class, "3,8" for why 3 and not 8, an output's number; None: of every class).

    `where`, `data`: see `nissl.studies.subject`; `verify` proves it on held-out examples; `delete` makes a smaller network
    without it and writes that to `output`. The rest is `nissl.structure`'s.
    """
    if delete and (target is None or output is None):
        raise BadValue("delete needs a target, and an output: where the smaller network goes, such as smaller.pt.")
    if output is not None and not delete:
        raise BadValue("output is where delete writes the smaller network: ask for delete too, or leave it out.")
    if output is not None and output.exists():
        raise BadValue(f"{output} is there already; nothing is overwritten: choose another name.")
    seen = subject(where, data, limit)
    given: dict[str, Any] = {"classes": seen.classes or None, **options}
    if target is None:
        if verify:
            raise BadValue(
                "verify proves one structure: name its target. Without one, the table of all deletions is shown."
            )
        family = find_all(seen.model, seen.discovery, **given)
        table = deletions(family, seen.held_out)
        return Found(None, family, deletions=table, pictures={"owners": Owners(family), "deletions": Deleted(table)})
    one = find(seen.model, seen.discovery, _target(target, seen.classes), **given)
    report = one.verify(seen.held_out) if verify else None
    committed = _smaller(one, output) if delete and output is not None else None
    pictures = {"faithfulness": Faithfulness(report)} if report is not None else {}
    return Found(one, None, report, committed=committed, smaller=output if delete else None, pictures=pictures)


def _target(said: str, classes: tuple[str, ...]) -> Any:
    """A class by name or number, a pair of them, or the number of an output."""
    parts = [said] if said in classes else said.split(",")
    found = [part if part in classes or not part.lstrip("-").isdigit() else int(part) for part in parts]
    return found[0] if len(found) == 1 else tuple(found)


def _smaller(one: Structure, output: Path) -> Committed:
    try:
        from nissl.models._weights.whole import save
    except ImportError as error:
        raise MissingDependency(
            f"Smaller networks are made with PyTorch: pip install 'nissl[torch]' ({error})"
        ) from error
    model, committed = one.delete().commit(shrink=True)
    save(model, output)
    return committed
