"""Which joint of a foreign skeleton is the left knee: names as CMU, Mixamo, MakeHuman, Poser, Biped, SMPL and Unity say."""

from __future__ import annotations

import re
from dataclasses import dataclass

from understudy.assets.motions import Clip
from understudy.errors import AssetError

# What a joint is called, in lower case without side, number and separators -> what it is.
_CALLED = {
    "thigh": ("upleg", "upperleg", "legupper", "thigh", "femur", "hip", "hipjnt"),
    "shank": ("leg", "loleg", "lowleg", "lowerleg", "leglower", "shin", "calf", "tibia", "knee"),
    "foot": ("foot", "ankle"),
    "toe": ("toe", "toes", "toebase", "ball", "forefoot"),
    "upperarm": ("arm", "uparm", "upperarm", "armupper", "shldr", "humerus"),
    "forearm": ("forearm", "loarm", "lowarm", "lowerarm", "armlower", "elbow", "radius"),
    "hand": ("hand", "wrist"),
    "shoulder": ("shoulder",),  # the upper arm where nothing else is, else the collar bone
}
_PART = {name: part for part, names in _CALLED.items() for name in names}
LIMBS = ("thigh", "shank", "foot", "upperarm", "forearm", "hand")
_SIDES = {"l": "L", "left": "L", "r": "R", "right": "R"}
_PREFIX = re.compile(r"^(?:.*:)?(?:mixamorig\d*|bip\d*|valvebiped|cc_base|def|org|jnt|bn)?[\s_.:-]*", re.IGNORECASE)


@dataclass(frozen=True)
class Names:
    """Joints by what they are: ``at["thigh.L"]`` is where the limb's part begins, ``turn["thigh.L"]`` the joint that turns
    its far end (another one where a part has several bones). ``pelvis``, ``chest`` and ``head`` are in both."""

    at: dict[str, int]
    turn: dict[str, int]
    is_ours: bool


def named(clip: Clip) -> Names:
    """What the joints of a skeleton are. Raises AssetError for one without the joints that a person has."""
    at: dict[str, int] = {}
    turn: dict[str, int] = {}
    for joint, name in enumerate(clip.names):
        part = _part(name)
        if part is not None and not name.endswith(".end"):
            at.setdefault(part, joint)
            if part not in turn or _below(clip, joint, turn[part]):
                turn[part] = joint
    for side in "LR":
        for found in (at, turn):
            shoulder = found.pop(f"shoulder.{side}", None)
            if shoulder is not None:
                found.setdefault(f"upperarm.{side}", shoulder)
    missing = [f"{part}.{side}" for part in LIMBS for side in "LR" if f"{part}.{side}" not in at]
    heads = [j for j, n in enumerate(clip.names) if re.fullmatch(r"head\d*", _words(n)[0])]
    heads = heads or [j for j, n in enumerate(clip.names) if re.fullmatch(r"(?:upper)?neck\d*", _words(n)[0])]
    if missing or not heads:
        missing += [] if heads else ["head"]
        got = [n for n in clip.names if not n.endswith(".end")]
        raise AssetError(f"no joint of this skeleton is the {_said(missing[0])}", where=clip.path,
                         wanted=f"joints of a person ({len(missing)} missing)",
                         got=", ".join(got[:6])[:120] + (" ..." if len(got) > 6 else ""),
                         remedy="Rename its joints as Mixamo or MakeHuman do, or take the file out")
    at["head"] = turn["head"] = heads[0]
    at["pelvis"] = turn["pelvis"] = _meet(clip, at["thigh.L"], at["thigh.R"])
    at["chest"] = turn["chest"] = _meet(clip, at["upperarm.L"], at["upperarm.R"])
    for side in "LR":
        for upper, lower in (("thigh", "shank"), ("shank", "foot"), ("upperarm", "forearm"), ("forearm", "hand")):
            if not _below(clip, at[f"{lower}.{side}"], at[f"{upper}.{side}"]):
                raise AssetError(f"the {_said(lower + '.' + side)} does not hang from the {_said(upper + '.' + side)}",
                                 where=clip.path, got=clip.names[at[f"{lower}.{side}"]],
                                 remedy="Rename its joints as Mixamo or MakeHuman do, or take the file out")
    ours = {"upperarm01.L", "lowerarm01.R", "upperleg01.L", "lowerleg01.R", "spine01"} <= set(clip.names)
    return Names(at, turn, ours)


def _words(name: str) -> tuple[str, str]:
    """(what it is called in lower case, its side or "")."""
    words = re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+", _PREFIX.sub("", name))
    side = ""
    rest = []
    for word in words:
        if not side and word.lower() in _SIDES:
            side = _SIDES[word.lower()]
        elif not word.isdigit():
            rest.append(word.lower())
    core = "".join(rest)
    if not side:
        for mark in ("left", "right", "l", "r"):
            if core.startswith(mark) and core[len(mark):] in _PART:
                return core[len(mark):], _SIDES[mark]
    return core, side


def _part(name: str) -> str | None:
    core, side = _words(name)
    return f"{_PART[core]}.{side}" if side and core in _PART and "__" not in name else None


def _below(clip: Clip, joint: int, above: int) -> bool:
    while joint >= 0:
        if joint == above:
            return True
        joint = clip.parents[joint]
    return False


def _meet(clip: Clip, a: int, b: int) -> int:
    """The lowest joint that both hang from."""
    while not _below(clip, b, a):
        a = clip.parents[a]
    return a


def _said(part: str) -> str:
    name, _, side = part.partition(".")
    return f"{ {'L': 'left ', 'R': 'right '}.get(side, '') }{name}"
