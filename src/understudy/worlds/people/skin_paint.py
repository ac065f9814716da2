"""Skin as it is painted: blood, freckles, wrinkles, pores, brows and beards, over masks that belong to the topology."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from understudy.assets.palettes import srgb_encode_fast
from understudy.assets.patterns import noise
from understudy.key import Key
from understudy.scene import Texture
from understudy.worlds.people.face_map import FACE_PX, FaceMasks, body_masks


@dataclass(frozen=True)
class Look:
    """What a face and a body are painted after. rgb, hair : (3,) linear; tone : step of the Monk scale; age : years

    freckles : 0 none to 1; flush : 0 to 2; gender : 0 masculine to 1 feminine; makeup : lip colour above 0.6
    """

    rgb: np.ndarray
    tone: int
    hair: np.ndarray
    beard: str
    freckles: float
    flush: float
    age: float
    gender: float
    makeup: float


def paint_face(key: Key, look: Look, fm: FaceMasks) -> tuple[Texture, Texture]:
    """Colour and relief of the face, as large as its masks."""
    n = len(fm.lips)
    px, near = n / FACE_PX, n == FACE_PX
    light = float(np.clip((7 - look.tone) / 6, 0, 1))
    grown = float(np.clip((look.age - 12) / 8, 0, 1))
    old = float(np.clip((look.age - 42) / 40, 0, 1))
    mottle = noise(key.child("mottle"), n, 12, 4) - np.float32(0.5)
    skin = _ground(look.rgb, mottle)
    flush = look.flush * (0.3 + 0.7 * light)
    _darken(skin, fm.cheeks, 0.6 * flush * np.array([0.02, 0.26, 0.24]))
    _darken(skin, fm.nose, 0.5 * flush * np.array([0.02, 0.26, 0.24]))
    _darken(skin, fm.eyes_round, (0.20 + 0.14 * old) * np.array([0.8, 1.0, 0.9]))
    if look.freckles > 0:
        spots = _spots(key.child("freckles"), n, int(160 + 700 * look.freckles), 1.1 * px)
        _darken(skin, np.clip(spots, 0, 1) * np.clip(fm.cheeks * 1.6 + fm.nose, 0, 1), np.array([0.22, 0.4, 0.5]))
    moles = key.child("moles").integer(0, 4) + int(10 * old)
    if moles:
        _darken(skin, np.clip(_spots(key.child("moles"), n, moles, 1.6 * px), 0, 1), np.array([0.36, 0.5, 0.57]))
    lined = fm.creases * (np.float32(0.6) + noise(key.child("lines"), n, 9, 1))
    creases = lined * np.float32(old) + fm.folds * np.float32(0.22 * grown)
    _darken(skin, creases, 0.16 * np.array([0.7, 1, 1]))
    blotch = noise(key.child("blotches"), n, 5, 3) - np.float32(0.5)
    skin *= 1 - np.float32(0.10 + 0.16 * old) * blotch[..., None] * np.array([0.25, 1.0, 0.9], np.float32)
    grit = noise(key.child("grit"), n, n // 2, 1) - np.float32(0.5)
    skin *= 1 + np.float32(0.05 + 0.05 * grown) * grit[..., None]
    if old > 0.3:  # age spots
        spots = _spots(key.child("age spots"), n, int(26 * old), 2.6 * px)
        _darken(skin, np.clip(spots, 0, 1) * np.clip(2 * blotch + 0.6, 0, 1), np.array([0.10, 0.20, 0.26]))
    lip = look.rgb * (np.array([0.80, 0.46, 0.48]) * light + (1 - light) * np.array([0.85, 0.62, 0.66]))
    if look.gender > 0.6 and look.age > 15 and look.makeup > 0.6:
        hue = key.child("lipstick").choice(((0.42, 0.03, 0.05), (0.30, 0.05, 0.08), (0.45, 0.14, 0.13), (0.22, 0.02, 0.06)))
        lip = 0.35 * lip + 0.65 * np.array(hue)
    _mix(skin, lip, 0.8 * fm.lips)
    _mix(skin, look.rgb * 0.18, 0.75 * fm.mouth_line)
    _mix(skin, look.rgb * 0.3, 0.8 * fm.nostrils)
    _mix(skin, np.minimum(look.hair, 0.02) * 0.6, fm.lashes * (0.65 + 0.3 * (look.gender > 0.5)))
    hairs = noise(key.child("strands"), n, (24, min(170, n)), 2) - np.float32(0.5)
    strength = (0.55 + 0.45 * grown) * (0.75 + 0.25 * (0.5 + 0.5 * (look.gender < 0.5)))
    brow = np.clip(fm.brows * (np.float32(strength) + hairs * np.float32(1.3)), 0, 1)
    grey = float(np.clip((look.age - 60) / 25, 0, 1)) * 0.6
    brow_rgb = (1 - grey) * look.hair * 0.8 + grey * np.array([0.35, 0.34, 0.33])
    _mix(skin, brow_rgb, (0.55 if near else 0.92) * brow)  # near, there are hairs over it
    # pores: fine pits, deepest on nose, cheeks and forehead; lips have furrows across
    pits = np.maximum(noise(key.child("pits"), n, n // 2, 1) - np.float32(0.55), 0)
    oily = np.float32(0.35) + np.float32(0.65) * np.maximum(fm.nose, fm.cheeks)
    rough = (0.25 + 0.75 * grown) * (1 + 0.6 * old)
    relief = np.float32(0.5) + 0.16 * rough * (noise(key.child("pores"), n, min(128, n), 2) - np.float32(0.5))
    relief -= rough * 0.55 * oily * pits * (1 - fm.lips)
    relief += 0.10 * fm.lips * (noise(key.child("furrows"), n, (8, n // 3), 1) - np.float32(0.5))
    relief += 0.06 * mottle + 0.12 * brow - 0.42 * creases
    if look.beard != "none":
        where = {"stubble": fm.beard, "full": fm.beard, "moustache": fm.moustache,
                 "goatee": np.maximum(fm.moustache, fm.chin)}[look.beard]
        thick = np.float32(0.42 if look.beard == "stubble" else 0.93)
        grain = noise(key.child("beard"), n, (min(90, n), min(150, n)), 2)
        area = np.clip(where * (thick + (grain - np.float32(0.5)) * (np.float32(1.35) - where) * np.float32(1.4)), 0, 0.97)
        _mix(skin, brow_rgb, area * (1.15 - 0.45 * grain))
        relief += 0.35 * area * grain
    return _texture(skin), Texture(np.clip(relief * 255, 0, 255).astype(np.uint8))


def paint_body(key: Key, look: Look, n: int) -> Texture:
    """Colour of everything but the face, in MakeHuman's atlas."""
    masks = body_masks(n)
    mottle = noise(key.child("mottle"), n, 16, 3) - np.float32(0.5)
    skin = _ground(look.rgb, mottle)
    dark = float(np.clip((look.tone - 4) / 5, 0, 1))
    _mix(skin, np.maximum(look.rgb * 1.2, np.array([0.36, 0.21, 0.16])), masks["palm"] * np.float32(0.1 + 0.75 * dark))
    _darken(skin, masks["joint"], 0.5 * look.flush * np.array([0.0, 0.16, 0.14]))
    _mix(skin, 0.6 * look.rgb + 0.4 * np.array([0.62, 0.42, 0.38]), 0.7 * masks["nail"])
    return _texture(skin)


def _ground(rgb: np.ndarray, mottle: np.ndarray) -> np.ndarray:
    """Bare skin, (h, w, 3) float32, a little uneven in its blood."""
    return np.asarray(rgb, np.float32) * (1 + mottle[..., None] * np.array([0.07, 0.10, 0.10], np.float32))


def _box(mask: np.ndarray) -> tuple[slice, slice]:
    """Rows and columns where a mask is not nearly 0: most are small."""
    rows, columns = (np.flatnonzero(mask.max(axis=axis) > 0.004) for axis in (1, 0))
    return (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)) if rows.size else (slice(0), slice(0))


def _mix(image: np.ndarray, colour: np.ndarray, amount: np.ndarray) -> None:
    """Lay ``colour`` over ``image`` in place, by ``amount`` (h, w)."""
    box = _box(amount)
    a = np.clip(amount[box], 0, 1).astype(np.float32)[..., None]
    image[box] += a * (np.asarray(colour, np.float32) - image[box])


def _darken(image: np.ndarray, mask: np.ndarray, by: np.ndarray) -> None:
    """Take the share ``by`` (3,) of light away in place, by ``mask`` (h, w)."""
    box = _box(mask)
    image[box] *= 1 - mask[box].astype(np.float32)[..., None] * np.asarray(by, np.float32)


def _texture(linear: np.ndarray) -> Texture:
    return Texture((srgb_encode_fast(np.clip(linear, 0, 1)) * 255 + 0.5).astype(np.uint8))


def _spots(key: Key, n: int, count: int, radius_px: float) -> np.ndarray:
    import cv2

    image = np.zeros((n, n), np.float32)
    if count == 0:
        return image
    u = key.child("at").uniforms(count, 3)
    np.add.at(image, ((u[:, 0] * n).astype(int), (u[:, 1] * n).astype(int)), 0.4 + u[:, 2])
    image = cv2.GaussianBlur(image, (0, 0), radius_px) * (2 * math.pi * radius_px**2)
    return image


__all__ = ["Look", "paint_body", "paint_face"]
