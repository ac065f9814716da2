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
from understudy.worlds.people.clothes.canvas import LIMBS, STEP_M, Canvas, canvas
from understudy.worlds.people.figure import Figure

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
    c = canvas()
    rest = c.stencil @ figure.posed.rest_vertices.astype(float)
    normals = vertex_normals(rest, c.faces)
    for _ in range(4):
        normals = 0.4 * normals + 0.6 * (c.smooth @ normals)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    centre = c.centres @ (c.stations @ rest)
    axis = _axes(c, rest)[c.at.limb]
    radial = rest - centre
    radial -= (radial * axis).sum(1, keepdims=True) * axis
    radial /= np.maximum(np.linalg.norm(radial, axis=1, keepdims=True), 1e-6)
    transforms = figure.posed.transforms[:, :3, :].reshape(-1, 12)
    moves = (c.weights @ transforms).reshape(-1, 3, 4)
    return Measures(rest, normals, radial, centre, size_of(figure.rest.stature_m), moves)


def size_of(stature_m: float) -> float:
    """A figure's size over the template's, which scales the thickness of cloth and soles."""
    return stature_m / _SIZE_M


def drape(m: Measures, ease: Ease) -> np.ndarray:
    """The cloth at rest, (n, 3)."""
    c = canvas()
    gap, loose = ease.gap_m * m.size, ease.loose_m * m.size
    cloth = m.rest + (gap + loose) * m.normals
    slope = np.array([ease.slope.get(name.partition(".")[0], np.inf) for name in LIMBS])[c.at.limb]
    hangs = np.isfinite(slope)
    if hangs.any():
        reach = np.einsum("ij,ij->i", cloth - m.centre, m.radial)
        fall = np.where(hangs, slope, 0) * STEP_M * m.size
        hung = reach.copy()
        for _ in range(24):
            hung = np.where(hangs, np.maximum(hung, c.up @ hung - fall), hung)
        cloth = cloth + (hung - reach)[:, None] * m.radial
        cloth = _apart(c, cloth, gap)
    for _ in range(ease.rounds):
        cloth = 0.5 * cloth + 0.5 * (c.smooth @ cloth)
        cloth = cloth + np.maximum(gap - m.height(cloth), 0)[:, None] * m.normals
    return cloth


def fold(m: Measures, cloth: np.ndarray, height_m: float, key: Key) -> np.ndarray:
    """Folds where cloth bends or hangs: across the limbs near elbows, knees, ankles and waist, lengthwise on the trunk."""
    c = canvas()
    at = c.at
    phase = 2 * np.pi * key.child("phase").uniforms(12)
    pick = key.child("shape").uniforms(6)
    along, around = at.along, at.around
    arm, leg = np.char.startswith(np.array(LIMBS), "arm")[at.limb], np.char.startswith(np.array(LIMBS), "leg")[at.limb]
    side = np.where(at.limb % 2 == 0, 1.7, 0.0)
    wave = 0.045 + 0.02 * pick[0]
    skew = 1.6 * np.sin(around + phase[0] + side) + 0.7 * np.sin(2 * around + phase[1] + side)
    rings = np.sin(2 * np.pi * along / wave + skew + phase[2] + side)
    rings = np.maximum(rings, -0.3)  # ridges are sharper than valleys
    elbow, knee = _bump(along, 0.23, 0.10), _bump(along, 0.42, 0.11)
    cuff, ankle = _bump(along, 0.42, 0.08), _bump(along, 0.76, 0.12)
    where = np.where(arm, 0.9 * elbow + 0.5 * cuff + 0.3, np.where(leg, 0.7 * knee + 1.0 * ankle + 0.15, 0))
    # trunk: drag lines that fan out below the bust and slant from the sides, strongest at the waist
    z = at.xyz[:, 2]
    count = 5 + int(4 * pick[1])
    fan = np.sin(count * around + 9.0 * (z - 0.2) * np.sin(around + phase[3]) + phase[4])
    slant = np.sin(2 * np.pi * (z + 0.35 * np.abs(np.sin(around + phase[5]))) / 0.075 + phase[6] + 2 * np.sin(around))
    trunk = 0.55 * fan * _bump(z, 0.05, 0.2) + 0.6 * np.maximum(slant, -0.3) * _bump(z, 0.14, 0.11)
    armpit = np.sin(2 * np.pi * (z - 0.8 * np.abs(at.xyz[:, 0])) / 0.06 + phase[7]) * _bump(z, 0.42, 0.08) \
        * _bump(np.abs(at.xyz[:, 0]), 0.17, 0.06)
    lift = np.where(at.limb == 0, trunk + 0.6 * armpit, where * rings)
    lift = 0.5 * lift + 0.5 * (c.smooth @ lift)
    return cloth + (height_m * m.size * lift)[:, None] * m.normals


def outside(m: Measures, cloth: np.ndarray, under: np.ndarray, gap_m: float) -> np.ndarray:
    """``cloth`` pushed out so that it lies at least ``gap_m`` outside ``under``."""
    short = m.height(under) + gap_m - m.height(cloth)
    return cloth + np.maximum(short, 0)[:, None] * m.normals


def tuck(m: Measures, cloth: np.ndarray, over: np.ndarray, waist: float, gap_m: float) -> np.ndarray:
    """``cloth`` pulled inside ``over`` below the waistband, with a blouse above it."""
    c = canvas()
    excess = m.height(cloth) - (m.height(over) - gap_m)
    below = np.clip((waist + 0.02 - c.at.xyz[:, 2]) / 0.03, 0, 1)
    return cloth - (np.maximum(excess, 0) * below)[:, None] * m.normals


def move(moves: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Rest to world: (n, 3, 4) by (n, 3)."""
    return np.einsum("nij,nj->ni", moves[:, :, :3], points) + moves[:, :, 3]


def vertex_normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Area-weighted unit normals, (n, 3)."""
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    face = np.cross(b - a, c - a)
    out = np.zeros_like(vertices)
    for axis in range(3):
        weight = np.repeat(face[:, axis], 3)
        out[:, axis] = np.bincount(faces.ravel(), weight, len(vertices))
    return out / np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-20)


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
