"""From the body's surface to cloth: ease, hang, folds, and the pose.

Cloth is an offset of the canvas at rest. It keeps its distance from the body (``gap``), stands off where it is loose, hangs
from what it lies on (a belly, a bust, a calf) instead of following every hollow, and is smoothed so that it spans
concavities. Skinned with the body's own weights it follows any pose; garments over one another share the canvas's
vertices, so which of two is the outer one is a comparison of two offsets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from understudy.key import Key
from understudy.worlds.people.body import vertex_normals
from understudy.worlds.people.clothes.canvas import STEP_M, Canvas, canvas
from understudy.worlds.people.clothes.coordinates import LIMBS
from understudy.worlds.people.figure import Figure

COARSE_M = 0.03  # about how far apart the coarse canvas's vertices lie
_SIZE_M = 1.67  # the template's stature, which lengths in an Ease are meant for


@dataclass(frozen=True)
class Ease:
    """How a garment sits.

    gap_m : least distance from the body; loose_m : distance added everywhere
    slope : by kind of limb ("torso", "arm", "leg"), how many metres the cloth may come nearer to the limb's axis per metre
        downwards; 0 hangs straight from the widest place, 1 follows the body. A limb that is not listed is followed.
    folds_m : height of folds; rounds : smoothing steps
    """

    gap_m: float = 0.004
    loose_m: float = 0.0
    slope: Mapping[str, float] = field(default_factory=dict)
    folds_m: float = 0.004
    rounds: int = 6


@dataclass(frozen=True)
class Measures:
    """A figure measured on the canvas, at rest: (n, 3) vertices, unit normals, unit radial directions and centres of the
    limb beside them; size : its stature over the template's; moves : (n, 3, 4) rest to world."""

    canvas: Canvas
    rest: np.ndarray
    normals: np.ndarray
    radial: np.ndarray
    centre: np.ndarray
    size: float
    moves: np.ndarray

    def height(self, points: np.ndarray) -> np.ndarray:
        """Distance of points from the body along its normals, (n,)."""
        return np.einsum("ij,ij->i", points - self.rest, self.normals)


def measure(figure: Figure) -> Measures:
    """A figure's measures, on the coarse canvas where the picture shows no finer one."""
    c = canvas(figure.detail.shows(COARSE_M, 9))
    rest = c.stencil @ figure.posed.rest_vertices
    normals = vertex_normals(rest, c.faces)
    for _ in range(c.rounds(4)):
        normals = 0.4 * normals + 0.6 * (c.smooth @ normals)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    rest = rest + (c.sunk * np.float32(size_of(figure.rest.stature_m)))[:, None] * normals
    centre = c.centres @ (c.stations @ rest)
    axis = _axes(c, rest)[c.at.limb]
    radial = rest - centre
    radial -= (radial * axis).sum(1, keepdims=True) * axis
    radial /= np.maximum(np.linalg.norm(radial, axis=1, keepdims=True), 1e-6)
    transforms = figure.posed.transforms[:, :3, :].reshape(-1, 12).astype(np.float32)
    moves = (c.weights @ transforms).reshape(-1, 3, 4)
    return Measures(c, rest, normals, radial, centre, size_of(figure.rest.stature_m), moves)


def size_of(stature_m: float) -> float:
    """A figure's size over the template's, which scales the thickness of cloth and soles."""
    return stature_m / _SIZE_M


def drape(m: Measures, ease: Ease) -> np.ndarray:
    """The cloth at rest, (n, 3)."""
    c = m.canvas
    gap, loose = ease.gap_m * m.size, ease.loose_m * m.size
    cloth = m.rest + (gap + loose) * m.normals
    slope = np.array([ease.slope.get(name.partition(".")[0], np.inf) for name in LIMBS], np.float32)[c.at.limb]
    hangs = np.isfinite(slope)
    if hangs.any():
        reach = np.einsum("ij,ij->i", cloth - m.centre, m.radial)
        fall = np.where(hangs, slope, 0) * STEP_M * m.size
        hung = reach.copy()
        for _ in range(24):
            hung = np.where(hangs, np.maximum(hung, c.up @ hung - fall), hung)
        hang = (hung - reach)[:, None] * m.radial
        for _ in range(c.rounds(8)):  # a limb hangs by an axis of its own: across a seam the one passes into the other
            hang = hang + c.seam[:, None] * (c.smooth @ hang - hang)
        cloth = cloth + hang
        cloth = _apart(c, cloth, gap)
    for _ in range(c.rounds(ease.rounds)):
        cloth = 0.5 * cloth + 0.5 * (c.smooth @ cloth)
        cloth = cloth + np.maximum(gap - m.height(cloth), 0)[:, None] * m.normals
    return cloth


def fold(m: Measures, cloth: np.ndarray, height_m: float, key: Key) -> np.ndarray:
    """Folds where cloth bends or hangs: arcs across the limbs near elbows, knees and ankles, drag lines on the trunk.

    A fold is a ridge that runs part of the way round and dies out; two sets of different spacing break each other up.
    """
    c = m.canvas
    phase = (2 * np.pi * key.child("phase").uniforms(16)).astype(np.float32)
    pick = key.child("shape").uniforms(6).tolist()
    limb, along, around = c.at.limb, c.at.along, c.at.around
    x, _, z = c.at.xyz.T
    arm, leg = (limb == 1) | (limb == 2), limb >= 3
    odd = np.where(limb % 2 == 0, np.float32(2.3), np.float32(0))  # left and right differ
    first = _arcs(along, around, 0.052 + 0.02 * pick[0], 1.9, phase[0:4], odd)
    second = _arcs(along, around, 0.034 + 0.01 * pick[1], -2.6, phase[4:8], odd)
    elbow, knee = _bump(along, 0.23, 0.08), _bump(along, 0.42, 0.10)
    cuff, ankle = _bump(along, 0.42, 0.06), _bump(along, 0.77, 0.09)
    crotch = _bump(along, 0.08, 0.08) * np.clip(1.2 - np.abs(around) / 2, 0, 1)
    where = np.where(arm, 0.25 + 0.8 * elbow + 0.5 * cuff, np.where(leg, 0.12 + 0.6 * knee + 0.9 * ankle + 0.5 * crotch, 0))
    limbs = where * (0.75 * first + 0.5 * second)
    # trunk: folds that hang from the bust, slant towards the waist, and gather under the arms
    count = 4 + int(4 * pick[2])
    fan = np.sin(count * around + 7.0 * (z - 0.2) * np.sin(2 * around + phase[8]) + phase[9])
    slant = _ridge(2 * np.pi * (z + 0.45 * np.abs(x) + 0.05 * np.sin(2 * around + phase[10])) / 0.085 + phase[11])
    slant = slant * np.clip(0.4 + np.sin(around * 1.5 + phase[12]) + 0.6 * np.sin(12 * z + phase[13]), 0, 1)
    armpit = _ridge(2 * np.pi * (z - 1.1 * np.abs(x)) / 0.07 + phase[14])
    armpit = armpit * _bump(z, 0.41, 0.07) * _bump(np.abs(x), 0.15, 0.05)
    trunk = 0.5 * fan * _bump(z, 0.03, 0.16) + 0.55 * slant * _bump(z, 0.16, 0.10) + 0.6 * armpit
    lift = np.where(limb == 0, trunk, limbs)
    for _ in range(c.rounds(2)):
        lift = 0.5 * lift + 0.5 * (c.smooth @ lift)
    return cloth + (1.5 * height_m * m.size * lift)[:, None] * m.normals


def _ridge(phase: np.ndarray) -> np.ndarray:
    """A wave with narrow crests and broad hollows, -0.4 to 1."""
    wave = 0.5 + 0.5 * np.cos(phase)
    return wave * wave * 1.4 - 0.4


def _arcs(along, around, wave_m, skew, phase, odd) -> np.ndarray:
    """Ridges around a limb that wander, slant and die out."""
    wander = skew * np.sin(around + phase[0] + odd) + 0.8 * np.sin(2 * around + phase[1] + 9 * along)
    alive = 0.35 + np.sin(around + phase[2] + odd + 13 * along) + 0.5 * np.sin(3 * around - 21 * along + phase[3])
    return _ridge(2 * np.pi * along / wave_m + wander + odd) * np.clip(alive, 0, 1)


def outside(m: Measures, cloth: np.ndarray, under: np.ndarray, gap_m: float) -> np.ndarray:
    """``cloth`` pushed out so that it lies at least ``gap_m`` outside ``under``."""
    short = m.height(under) + gap_m - m.height(cloth)
    return cloth + np.maximum(short, 0)[:, None] * m.normals


def tuck(m: Measures, cloth: np.ndarray, over: np.ndarray, waist: float, gap_m: float) -> np.ndarray:
    """``cloth`` pulled inside ``over`` below the waistband, with a blouse above it."""
    c = m.canvas
    excess = m.height(cloth) - (m.height(over) - gap_m)
    below = np.clip((waist + 0.02 - c.at.xyz[:, 2]) / 0.03, 0, 1)
    return cloth - (np.maximum(excess, 0) * below)[:, None] * m.normals


def move(moves: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Rest to world: (n, 3, 4) by (n, 3)."""
    return np.einsum("nij,nj->ni", moves[:, :, :3], points) + moves[:, :, 3]


def _axes(c: Canvas, rest: np.ndarray) -> np.ndarray:
    """Unit direction of each limb, (limbs, 3)."""
    rings = (c.stations @ rest).reshape(len(LIMBS), -1, 3)
    axis = rings[:, -6] - rings[:, 2]
    axis[0] = (0, 0, 1)
    return axis / np.linalg.norm(axis, axis=1, keepdims=True)


def _apart(c: Canvas, cloth: np.ndarray, gap: float) -> np.ndarray:
    """The two legs' cloth does not cross the middle."""
    left, right = c.at.limb == LIMBS.index("leg.L"), c.at.limb == LIMBS.index("leg.R")
    x = cloth[:, 0]
    x = np.where(left, np.maximum(x, 0.5 * gap), np.where(right, np.minimum(x, -0.5 * gap), x))
    return np.concatenate([x[:, None], cloth[:, 1:]], 1)


def _bump(x: np.ndarray, middle: float, width: float) -> np.ndarray:
    return np.exp(-0.5 * ((x - middle) / width) ** 2)
