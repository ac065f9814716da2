"""Acclaim files: a skeleton (.asf) and its motions (.amc), as the CMU motion capture database has them.

A bone's turn is C · M · C⁻¹: M of the frame's angles about the bone's own axes, which C turns from the world's (J.
Lander, *Working with motion capture file formats*, Game Developer 1998). A bone begins where its parent ends, and there its
joint is.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np

from understudy.assets.motions.clip import MAX_JOINTS, REMEDY, Clip, about, motion_text, numbers
from understudy.errors import AssetError

_TURNS = {"rx": 0, "ry": 1, "rz": 2}


class _Skeleton:
    """What an .asf file says: bones in order of descent, where each points, its axes and its degrees of freedom."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.degrees = True
        self.root_order: list[str] = ["tx", "ty", "tz", "rx", "ry", "rz"]
        self.bones: dict[str, dict[str, list[str]]] = {}
        self.parent: dict[str, str] = {}
        section = ""
        block: dict[str, list[str]] | None = None
        for number, line in enumerate(motion_text(path).splitlines(), 1):
            words = line.split("#")[0].split()
            if not words:
                continue
            first = words[0].lower()
            if first.startswith(":"):
                section = first[1:]
            elif section == "units" and first == "angle" and len(words) > 1:
                self.degrees = words[1].lower().startswith("deg")
            elif section == "root" and first == "order":
                self.root_order = [w.lower() for w in words[1:]]
            elif section == "bonedata":
                block = self._bone_line(first, words, block, number)
            elif section == "hierarchy" and first not in ("begin", "end"):
                for child in words[1:]:
                    self.parent[child] = words[0]
        self._check()

    def _bone_line(self, first: str, words: list[str], block, number: int):
        if first == "begin":
            return {}
        if block is None:
            raise self.fail("a bone's data stand outside begin and end", number)
        if first == "end":
            for need in ("name", "direction", "length"):
                if not block.get(need):
                    raise self.fail(f"a bone has no {need}", number)
            self.bones[block["name"][0]] = block
            return None
        block[first] = words[1:]
        return block

    def fail(self, message: str, line: int | None = None, **more: object) -> AssetError:
        where = self.path if line is None else f"{self.path}:{line}"
        return AssetError(message, where=where, remedy=REMEDY, **more)

    def _check(self) -> None:
        if not self.bones:
            raise self.fail("this is no Acclaim skeleton", wanted=":bonedata with bones", got="none")
        if len(self.bones) > MAX_JOINTS:
            raise self.fail("the skeleton has too many bones", wanted=f"at most {MAX_JOINTS}")
        for bone in self.bones:
            seen, at = set(), bone
            while at != "root":
                if at in seen or at not in self.parent:
                    raise self.fail("a bone does not hang from the root", got=repr(bone))
                seen.add(at)
                at = self.parent[at]

    def order(self) -> list[str]:
        """Bones with every parent before its children."""
        out, waiting = ["root"], [b for b in self.bones]
        while waiting:
            ready = [b for b in waiting if self.parent[b] in out]
            out += ready
            waiting = [b for b in waiting if b not in ready]
            if not ready:
                raise self.fail("a bone hangs from one that is not there", got=repr(waiting[0]))
        return out

    def vector(self, bone: str, field: str, count: int) -> np.ndarray:
        values = numbers(self.bones[bone][field][:count], f"{self.path}, bone {bone}")
        if len(values) != count:
            raise self.fail(f"a bone's {field} is too short", wanted=f"{count} numbers", got=f"{len(values)} of {bone}")
        return values

    def axes(self, bone: str) -> np.ndarray:
        """(3, 3) turn from the world's axes to the bone's own."""
        if "axis" not in self.bones[bone]:
            return np.eye(3)
        own, order = self.vector(bone, "axis", 3), "".join(self.bones[bone]["axis"][3:4]).upper() or "XYZ"
        if sorted(order) != list("XYZ"):
            raise self.fail("a bone's axes are in no order", wanted="x, y and z once each", got=f"{order!r} of {bone}")
        turn = np.eye(3)
        for letter, value in zip(order, own if self.degrees else np.degrees(own)):
            turn = about("XYZ".index(letter), value) @ turn
        return turn


def read_amc(path: Path) -> Clip:
    """The motion in ``path`` on the skeleton that belongs to it: ``SUBJECT.asf`` of ``SUBJECT_TRIAL.amc``, the .asf of the
    same name, or the only one in the folder. Raises AssetError for whatever is missing or broken."""
    skeleton = _skeleton_file(path)
    return _clip(path, _skeleton(skeleton, skeleton.stat().st_mtime_ns))


@lru_cache(maxsize=16)
def _skeleton(path: Path, _changed_ns: int) -> _Skeleton:
    return _Skeleton(path)


def _skeleton_file(path: Path) -> Path:
    there = sorted(p for p in path.parent.iterdir() if p.suffix.lower() == ".asf")
    stems = (path.stem, path.stem.partition("_")[0])
    found = [p for p in there if p.stem in stems] or there
    if len(found) != 1:
        raise AssetError("the motion's skeleton is not clear", where=path, wanted=f"{stems[1]}.asf beside it",
                         got=f"{len(there)} .asf files", remedy="Put the skeleton into the same folder under that name")
    return found[0]


def _clip(path: Path, skel: _Skeleton) -> Clip:
    order = skel.order()
    frames = _frames(path, skel)
    count = len(frames["root"])
    at = {bone: i for i, bone in enumerate(order)}
    ends = [bone for bone in order[1:] if bone not in skel.parent.values()]
    names = (*order, *(f"{bone}.end" for bone in ends))
    parents = [-1, *(at[skel.parent[bone]] for bone in order[1:]), *(at[bone] for bone in ends)]
    reach = {bone: skel.vector(bone, "direction", 3) * skel.vector(bone, "length", 1) for bone in order[1:]}
    begins = [reach.get(skel.parent[bone], np.zeros(3)) for bone in order[1:]]
    offsets = np.array([np.zeros(3), *begins, *(reach[bone] for bone in ends)])
    turns = np.tile(np.eye(3), (count, len(names), 1, 1))
    turns[:, 0] = _turn(frames["root"], skel.root_order)
    roots = np.zeros((count, 3))
    for column, kind in zip(frames["root"].T, skel.root_order):
        if kind in ("tx", "ty", "tz"):
            roots[:, "xyz".index(kind[1])] = column
    for bone in order[1:]:
        if bone in frames:
            c = skel.axes(bone)
            turns[:, at[bone]] = c @ _turn(frames[bone], skel.bones[bone].get("dof", [])) @ c.T
    return Clip(path, names, tuple(parents), offsets, turns.astype(np.float32), roots)


def _turn(values: np.ndarray, dof: list[str]) -> np.ndarray:
    """(F, 3, 3): the angles of a bone's degrees of freedom, the first turned first."""
    out = np.tile(np.eye(3), (len(values), 1, 1))
    for column, kind in zip(values.T, dof):
        if kind.lower() in _TURNS:
            out = about(_TURNS[kind.lower()], column) @ out
    return out


def _frames(path: Path, skel: _Skeleton) -> dict[str, np.ndarray]:
    """Bone -> (F, its degrees of freedom) in degrees and the file's lengths."""
    degrees = skel.degrees
    rows: dict[str, list[list[str]]] = {}
    count = 0
    for number, line in enumerate(motion_text(path).splitlines(), 1):
        words = line.split("#")[0].split()
        if not words:
            continue
        if words[0].startswith(":"):
            degrees = {":degrees": True, ":radians": False}.get(words[0].lower(), degrees)
        elif len(words) == 1 and words[0].isdigit():
            count += 1
        else:
            bone = words[0]
            want = len(skel.root_order) if bone == "root" else len(skel.bones.get(bone, {}).get("dof", ()))
            mine = rows.setdefault(bone, [])
            wrong = ("the bone is not in the skeleton" if bone != "root" and bone not in skel.bones
                     else "a bone's values are not what the skeleton says" if len(words) - 1 != want
                     else "a bone comes before the first frame, or twice in one" if len(mine) != count - 1 else "")
            if wrong:
                raise AssetError(wrong, where=f"{path}:{number}", wanted=f"{want} values, as in {skel.path.name}",
                                 got=repr(line[:60]), remedy="Use the skeleton that the motion was recorded with")
            mine.append(words[1:])
    if not count or "root" not in rows:
        raise AssetError("there is no frame in this motion", where=path, remedy=REMEDY)
    out = {}
    for bone, values in rows.items():
        if len(values) != count:
            raise AssetError("a bone is missing from a frame", where=path, wanted=f"{count} frames of {bone}",
                             got=str(len(values)), remedy=REMEDY)
        table = numbers([v for row in values for v in row], f"{path}, bone {bone}").reshape(count, -1)
        kinds = skel.root_order if bone == "root" else skel.bones[bone].get("dof", [])
        turned = np.array([kind.lower() in _TURNS for kind in kinds])
        out[bone] = table if degrees else np.where(turned, np.degrees(table), table)
    return out
