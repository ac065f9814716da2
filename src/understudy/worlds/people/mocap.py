"""Poses out of motion files: which file and frame a figure takes, and how its body takes them on.

A file that cannot be used is passed over for the next in an order drawn for the figure, noted and counted; so a record stays
a function of the recipe, the seed, its index and the folder's contents.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from understudy.assets.motions import Clip, Library, clip, digest, library
from understudy.draws import Draws
from understudy.errors import AssetError, Unsatisfiable
from understudy.key import Key
from understudy.scene import AssetUse, Skipped
from understudy.worlds.people.arms import fingers
from understudy.worlds.people.contact import centre_of_mass, level_foot, lowest, soles, touch_down
from understudy.worlds.people.contact import skin as skin_of
from understudy.worlds.people.retarget import Frame, frame
from understudy.worlds.people.skeleton import Posture, Skeleton, posture

_TRIES = 8  # files looked at before a figure gives up
_SEAT_HIP_DEG, _SEAT_KNEE_DEG, _SEAT_HIGH = 50.0, 125.0, 0.2  # least, most, and a seat's height over the stature
_UPRIGHT = 0.4  # below this cosine of the pelvis's tilt a body does not stand on its feet


@dataclass(frozen=True)
class Taken:
    """A body in a file's pose: joint ``angles`` beside it, the feet that carry, whether it needs a seat, the asset used."""

    posed: Posture
    angles: dict[str, float]
    planted: tuple[str, ...]
    sits: bool
    asset: AssetUse
    skipped: tuple[Skipped, ...]


def take(draws: Draws, place: str | None, moment: float, skel: Skeleton) -> Taken:
    """A pose from a file of ``place``, ``moment`` (0-1) of the way through it.

    Raises AssetError where no file of a small folder can be used, Unsatisfiable where a large one may hold another.
    """
    if place is None:
        raise AssetError("poses of the family motion need files", where="world.people.pose.motions",
                         wanted="a folder of BVH or AMC files", remedy="Name one, or leave motion out of pose.family")
    files = library(place)
    skipped: list[Skipped] = []
    for i in draws.key("clip").permutation(len(files.names))[:_TRIES]:
        name = files.names[int(i)]
        try:
            motion = clip(files.root / name)
            number = min(int(moment * motion.frames), motion.frames - 1)
            seen = frame(motion, number, skel)
        except AssetError as error:
            skipped.append(Skipped(name, str(error).replace(f"{files.root}/", "")))
            continue
        draws.note("clip", name)
        draws.note("frame", number)
        draws.note("clamped_deg", seen.clamped_deg)
        draws.note("passed_over", "; ".join(s.name for s in skipped))
        posed, angles = _put_on(skel, seen, draws.key("hands"))
        return Taken(posed, angles, seen.down, _needs_a_seat(posed, angles, seen.down), _use(files, name, motion),
                     tuple(skipped))
    error = AssetError if len(files.names) <= _TRIES else Unsatisfiable
    raise error("no motion of this folder can be used", where=files.root, got="; ".join(s.why for s in skipped[:2]),
                remedy="Mend or remove these files")


def _use(files: Library, name: str, motion: Clip) -> AssetUse:
    return AssetUse(name, name, _licence(motion, files), digest(motion.path))


def _licence(motion: Clip, files: Library) -> str:
    """What the file's own .meta says (MakeHuman's poses have one), else the folder's."""
    meta = motion.path.with_suffix(".meta")
    if meta.is_file():
        for line in meta.read_text("utf-8", "replace").splitlines():
            if line.lower().startswith("license "):
                return line[8:].strip()[:120]
    return files.licence


def _put_on(skel: Skeleton, seen: Frame, key: Key) -> tuple[Posture, dict[str, float]]:
    angles = dict(seen.angles)
    for side in "LR":
        angles |= fingers(side, key.child(side), 1.0)
    posed = posture(skel, angles, seen.pelvis)
    if (seen.pelvis @ [0, 0, 1.0])[2] < _UPRIGHT:  # lying, flying, on its hands: the file's legs stay as they are
        return posed, angles
    for side in seen.flat:
        posed = level_foot(posed, side)
    return touch_down(posed, seen.down), angles


def _needs_a_seat(posed: Posture, angles: dict[str, float], down: tuple[str, ...]) -> bool:
    """Whether the weight lies behind the feet with the thighs lifted: nobody stands like that."""
    if min(angles[f"hip.flexion.{s}"] for s in "LR") < _SEAT_HIP_DEG:
        return False
    if max(angles[f"knee.flexion.{s}"] for s in "LR") > _SEAT_KNEE_DEG or (posed.turned[0] @ [0, 0, 1.0])[2] < 0.75:
        return False
    soles_at = min(lowest(posed, side) for side in "LR")
    if posed.at("root")[2] - soles_at < (_SEAT_HIGH + 0.06) * posed.skeleton.rest.stature_m:
        return False  # on the ground
    heels = np.concatenate([skin_of(posed, soles(s)) for s in down])[:, 1].max()
    return bool(centre_of_mass(posed)[1] > heels + 0.04)
