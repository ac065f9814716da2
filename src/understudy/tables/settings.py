"""How closely a model follows the data: the one place where fidelity and privacy are weighed."""

from __future__ import annotations

from dataclasses import dataclass, replace

from understudy.errors import UsageError


@dataclass(frozen=True)
class Settings:
    """What fit holds on to.

    owners : no name, value or cell that fewer rows share is ever learnt or made (k)
    cells : a quantity is cut into about so many cells
    floor : rows in the least leaf of a tree (small tables: a twentieth of the rows, never below ``owners``)
    choice : what a split must gain for having been chosen as the best of so many, in units of the logarithm of their number
        (nats, each row left out in turn); more is smoother and more private
    lean : pseudo-rows a state by which a leaf leans on what it was split from, at the least
    boosts : trees that correct whole rows
    """

    owners: int = 8
    cells: int = 128
    floor: int = 50
    choice: float = 0.75
    lean: float = 0.3
    boosts: int = 30


# From the closest to the most careful; docs/tables.md has the figures of "standard", `table report` the curve.
LEVELS = {
    "close": Settings(owners=5, floor=20, choice=0.4, lean=0.1),
    "standard": Settings(),
    "careful": Settings(owners=10, floor=100, choice=1.5, lean=1.0),
    "strict": Settings(owners=20, cells=64, floor=200, choice=3.0, lean=3.0),
}


def level(name: str | Settings, owners: int | None = None) -> Settings:
    """The settings of a level, with another number of owners if one is given."""
    if isinstance(name, str) and name not in LEVELS:
        raise UsageError("there is no such level of privacy", wanted=", ".join(LEVELS), got=name)
    own = LEVELS[name] if isinstance(name, str) else name
    if owners is None:
        return own
    if owners < 2:
        raise UsageError("a value with one owner points at that owner", wanted="--owners of at least 2", got=owners)
    return replace(own, owners=owners)
