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
    penalty : nats that each free parameter of a split must gain on top of itself; more is smoother and more private
    choice : the same for having chosen the best of so many splits, in units of the logarithm of their number
    shrink : pseudo-rows by which a leaf leans on what it was split from
    detail : pseudo-rows a cell by which the detail within a leaf leans on the same
    """

    owners: int = 8
    cells: int = 128
    floor: int = 50
    penalty: float = 0.9
    choice: float = 0.5
    shrink: float = 10.0
    detail: float = 10.0


# From the closest to the most careful; docs/tables.md has the figures of "standard", `table report` the curve.
LEVELS = {
    "close": Settings(owners=5, floor=20, penalty=0.7, choice=0.25),
    "standard": Settings(),
    "careful": Settings(owners=10, floor=100, penalty=1.3, choice=1.0, shrink=25.0),
    "strict": Settings(owners=20, cells=64, floor=200, penalty=2.0, choice=2.0, shrink=50.0),
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
