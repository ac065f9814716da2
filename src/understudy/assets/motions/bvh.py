"""Biovision hierarchy files (.bvh): a skeleton of offsets and channels, then one line of numbers a frame.

Rotations of a joint are applied in the order of its channels (Meredith & Maddock, *Motion capture file formats explained*,
2001). Of position channels the root's alone are used: bones keep their length.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from understudy.assets.motions.clip import MAX_JOINTS, REMEDY, Clip, about, motion_text, numbers
from understudy.errors import AssetError

_CHANNELS = {f"{axis}{kind}": (kind, "XYZ".index(axis)) for axis in "XYZ" for kind in ("position", "rotation")}


def read_bvh(path: Path) -> Clip:
    """The motion in ``path``. Raises AssetError, naming the line, for whatever is no BVH file or a broken one."""
    lines = motion_text(path).splitlines()
    words = [(word, number) for number, line in enumerate(lines, 1) for word in line.split()]
    head = _Header(path, words)
    head.joints()
    turns, roots = _motion(path, head, lines)
    return Clip(path, tuple(head.names), tuple(head.parents), np.array(head.offsets), turns, roots)


class _Header:
    """Reads HIERARCHY word by word; ``at`` is the next word."""

    def __init__(self, path: Path, words: list[tuple[str, int]]) -> None:
        self.path, self.words, self.at = path, words, 0
        self.names: list[str] = []
        self.parents: list[int] = []
        self.offsets: list[np.ndarray] = []
        self.channels: list[tuple[int, str, int]] = []  # joint, kind, axis: in the order of a frame's numbers

    def fail(self, message: str, wanted: str | None = None, got: str | None = None) -> AssetError:
        line = self.words[min(self.at, len(self.words) - 1)][1] if self.words else 1
        return AssetError(message, where=f"{self.path}:{line}", wanted=wanted, got=got, remedy=REMEDY)

    def peek(self) -> str:
        return self.words[self.at][0] if self.at < len(self.words) else ""

    def take(self, *wanted: str) -> str:
        word = self.peek()
        if wanted and word.upper() not in wanted:
            raise self.fail("the skeleton is broken", wanted=" or ".join(wanted),
                            got=repr(word[:40]) if word else "the file's end")
        self.at += 1
        return word

    def name(self) -> str:
        """Words up to the brace: some exporters write blanks into names."""
        words = []
        while self.peek() and self.peek() != "{" and len(words) < 8:
            words.append(self.take())
        return " ".join(words) or "unnamed"

    def values(self, count: int) -> np.ndarray:
        taken = [self.take() for _ in range(count)]
        return numbers(taken, f"{self.path}:{self.words[min(self.at, len(self.words)) - 1][1]}")

    def joints(self) -> None:
        self.take("HIERARCHY")
        self.take("ROOT")
        self.open(self.name(), -1)
        above = [0]
        while above:
            word = self.take("JOINT", "END", "}").upper()
            if word == "JOINT":
                above.append(self.open(self.name(), above[-1]))
            elif word == "END":
                self.name()  # "Site", and what some exporters add
                self.take("{")
                self.take("OFFSET")
                self.add(f"{self.names[above[-1]]}.end", above[-1], self.values(3))
                self.take("}")
            else:
                above.pop()
        if self.peek().upper() == "ROOT":
            raise self.fail("the file holds more than one figure", wanted="one ROOT", got="a second one")
        self.take("MOTION")

    def add(self, name: str, parent: int, offset: np.ndarray) -> int:
        if len(self.names) >= MAX_JOINTS:
            raise self.fail("the skeleton has too many joints", wanted=f"at most {MAX_JOINTS}")
        self.names.append(name)
        self.parents.append(parent)
        self.offsets.append(np.zeros(3) if parent < 0 else offset)
        return len(self.names) - 1

    def open(self, name: str, parent: int) -> int:
        self.take("{")
        self.take("OFFSET")
        joint = self.add(name, parent, self.values(3))
        if self.peek().upper() == "CHANNELS":
            self.take()
            count = self.take()
            for _ in range(int(count) if count.isdigit() else 0):
                word = self.take()
                kind = next((k for k in _CHANNELS if k.lower() == word.lower()), None)
                if kind is None:
                    raise self.fail("this is no channel", wanted=", ".join(_CHANNELS), got=repr(word[:40]))
                self.channels.append((joint, *_CHANNELS[kind]))
        return joint


def _motion(path: Path, head: _Header, lines: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """(F, J, 3, 3) turns and (F, 3) roots."""
    head.take("FRAMES:")
    said = head.take()
    if not said.isdigit() or int(said) < 1:
        raise head.fail("the number of frames is wrong", wanted="a whole number of at least 1", got=repr(said[:40]))
    if head.peek().lower() == "frame":
        head.take()
        head.take("TIME:")
        head.take()
    per_frame = len(head.channels)
    if not per_frame:
        raise head.fail("nothing moves in this file", wanted="CHANNELS with rotations", got="none")
    rows = numbers([word for word, _ in head.words[head.at:]], f"{path} (MOTION)")
    if len(rows) != int(said) * per_frame:
        raise AssetError("the motion is not what the skeleton says", where=f"{path}:{len(lines)}", remedy=REMEDY,
                         wanted=f"{said} frames of {per_frame} numbers", got=f"{len(rows)} numbers")
    rows = rows.reshape(int(said), per_frame)
    turns = np.tile(np.eye(3), (len(rows), len(head.names), 1, 1))
    roots = np.zeros((len(rows), 3))
    for column, (joint, kind, axis) in zip(rows.T, head.channels):
        if kind == "rotation":
            turns[:, joint] = turns[:, joint] @ about(axis, column)
        elif joint == 0:
            roots[:, axis] = column
    return turns.astype(np.float32), roots
