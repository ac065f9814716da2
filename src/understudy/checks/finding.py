"""What an audit finds, and how much a label may be off before it is a finding."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One thing wrong in a data set.

    rule : the rule's name (``understudy check --rules`` lists them); where : file, record, instance
    severity : ``error`` (the label is wrong) or ``warning`` (legal, but a trainer may stumble over it)
    """

    rule: str
    where: str
    message: str
    wanted: str | None = None
    got: str | None = None
    severity: str = "error"

    def __str__(self) -> str:
        facts = [f"{name} {value}" for name, value in (("wanted", self.wanted), ("got", self.got)) if value is not None]
        return f"{self.where}: {self.message}{' (' + ', '.join(facts) + ')' if facts else ''} [{self.rule}]"

    def plain(self) -> dict[str, str | None]:
        """The finding as a JSON object."""
        return {"severity": self.severity, "rule": self.rule, "where": self.where, "message": self.message,
                "wanted": self.wanted, "got": self.got}


@dataclass(frozen=True)
class Tolerance:
    """How far apart two statements of the same fact may be.

    box_px : a box's side against its mask's; area : relative; fraction : of visible fractions; point_px : a joint's
    projection against its pixel; disjoint : modal masks may not share a pixel
    """

    box_px: float
    area: float
    fraction: float
    point_px: float
    disjoint: bool


# Labels made here follow from one geometry: they agree to the last pixel (what is left is a file's rounding of decimals).
EXACT = Tolerance(box_px=0.02, area=1e-6, fraction=1e-3, point_px=0.25, disjoint=True)
# Labels drawn by hand: a polygon's own box is up to a pixel and a half off its pixels', masks of neighbours overlap.
BY_HAND = Tolerance(box_px=2.5, area=0.1, fraction=0.05, point_px=1.0, disjoint=False)
