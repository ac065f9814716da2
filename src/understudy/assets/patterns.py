"""Procedural textures, each a function of its key alone: cloth, floors, walls, ground. All tile without a seam.

A pattern is two maps over the unit square: ``tone`` in [0, 1], which runs through the colours given, and ``height`` in
[0, 1], which darkens the colour a little in the hollows and serves as relief (a bump map) of the same thing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np

from understudy.assets.palettes import srgb_encode_fast
from understudy.key import Key
from understudy.scene import Texture

_Maps = tuple[np.ndarray, np.ndarray]
_Pattern = Callable[[Key, int], _Maps]


def pattern(name: str, key: Key, size: int, colours: Sequence[Sequence[float]]) -> Texture:
    """A square, tileable picture of ``size`` pixels a side: uint8 sRGB.

    ``name`` is one of PATTERNS (ValueError otherwise), ``colours`` are one or more *linear* colours, in the order
    ground, figure, further ones.
    """
    return pattern_with_relief(name, key, size, colours)[0]


def pattern_with_relief(name: str, key: Key, size: int, colours: Sequence[Sequence[float]]) -> tuple[Texture, Texture]:
    """:func:`pattern` and :func:`relief` in one."""
    tone, height = _maps(name, key, size)
    table = np.asarray(colours, np.float32).reshape(-1, 3)
    steps = np.linspace(0, len(table) - 1, 256, dtype=np.float32)
    ramp = np.stack([np.interp(steps, np.arange(len(table)), table[:, c]) for c in range(3)], 1).astype(np.float32)
    linear = ramp[_to_byte(tone)] * (0.55 + 0.45 * height)[..., None]
    return Texture(_to_byte(srgb_encode_fast(linear))), Texture(_to_byte(height))


def relief(name: str, key: Key, size: int) -> Texture:
    """The same pattern's height: a scalar Texture, (size, size) uint8 linear, white is out."""
    return Texture(_to_byte(_maps(name, key, size)[1]))


def noise(key: Key, size: int, cells: int | tuple[int, int], octaves: int = 1) -> np.ndarray:
    """Tileable value noise: (size, size) float32, mean about 0.5, values in [0, 1].

    ``cells`` lattice cells a side (rows, columns), cubic B-spline between them; each octave doubles the cells and halves
    the weight (Perlin, *An image synthesizer*, SIGGRAPH 1985, with a value lattice).
    """
    rows, columns = (cells, cells) if isinstance(cells, int) else cells
    total, lattice, weight = np.float32(0), np.zeros((0, 0), np.float32), 0.0
    for octave in range(octaves):
        shape = min(rows << octave, size), min(columns << octave, size)
        own = (key.child("octave", octave).uniforms(*shape).astype(np.float32) - np.float32(0.5)) * np.float32(0.5**octave)
        if shape == (2 * lattice.shape[0], 2 * lattice.shape[1]):
            own += _halved(_halved(lattice).T).T
        elif lattice.size:
            total = total + _spread(lattice, size)
        lattice, weight = own, weight + 0.5 ** (2 * octave)
    total = total + _spread(lattice, size)
    return np.clip(0.5 + total * np.float32(1.5 / np.sqrt(weight)), 0.0, 1.0, dtype=np.float32)


def _halved(lattice: np.ndarray) -> np.ndarray:
    """(2r, c): the same periodic cubic B-spline over cells of half the height (its two-scale relation)."""
    before, after = np.roll(lattice, 1, axis=0), np.roll(lattice, -1, axis=0)
    at, between = (before + 6 * lattice + after) / 8, (lattice + after) / 2
    return np.stack([at, between], axis=1).reshape(-1, lattice.shape[1])


def _spread(lattice: np.ndarray, size: int) -> np.ndarray:
    """(size, size): the periodic cubic B-spline of ``lattice`` (rows, columns) at pixel centres."""
    return _along(np.ascontiguousarray(_along(np.ascontiguousarray(lattice.T), size).T), size)


def _along(lattice: np.ndarray, size: int) -> np.ndarray:
    """(size, c): the spline of ``lattice`` (r, c) along its rows alone."""
    rows = len(lattice)
    if 2 * rows != size or rows < 4:
        return _spline(size, rows) @ lattice
    wide = np.concatenate([lattice[-1:], lattice, lattice[:2]])  # two pixels a cell: each has the same four weights
    taps = _spline(size, rows)[2:4, :4]
    out = np.zeros((rows, 2, lattice.shape[1]), np.float32)
    for phase in (0, 1):
        out[:, phase] = sum(wide[k:k + rows] * taps[phase, k] for k in range(4))
    return out.reshape(size, -1)


@lru_cache(maxsize=64)
def _spline(size: int, cells: int) -> np.ndarray:
    """(size, cells) weights of a periodic uniform cubic B-spline, read-only."""
    at = (np.arange(size, dtype=np.float32) + 0.5) * (cells / size)
    first, f = np.floor(at).astype(np.int64), at - np.floor(at)
    weights = ((1 - f) ** 3, 3 * f**3 - 6 * f**2 + 4, -3 * f**3 + 3 * f**2 + 3 * f + 1, f**3)
    matrix = np.zeros((size, cells), np.float32)
    for k, weight in enumerate(weights):
        np.add.at(matrix, (np.arange(size), (first + k - 1) % cells), weight / 6)
    matrix.flags.writeable = False
    return matrix


def _maps(name: str, key: Key, size: int) -> _Maps:
    if name not in _PATTERNS:
        raise ValueError(f"no pattern {name!r}; there are {', '.join(PATTERNS)}")
    if size < 1:
        raise ValueError(f"a pattern is at least 1 pixel wide, got {size}")
    tone, height = _PATTERNS[name](key, size)
    return np.broadcast_to(tone, (size, size)), np.broadcast_to(height, (size, size))


def _to_byte(x: np.ndarray) -> np.ndarray:
    return np.clip(x * 255 + 0.5, 0, 255).astype(np.uint8)


def _grid(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Row and column coordinates in [0, 1): (n, 1) and (1, n) float32, at pixel centres."""
    t = ((np.arange(n) + 0.5) / n).astype(np.float32)
    return t[:, None], t[None, :]


def _wave(x: np.ndarray) -> np.ndarray:
    return 0.5 - 0.5 * np.cos(2 * np.pi * x, dtype=np.float32)


def _band(x: np.ndarray, width: float, soft: float = 0.04) -> np.ndarray:
    """1 where the fraction of ``x`` lies in the first ``width``, with soft ends."""
    f = x - np.floor(x)
    return np.clip((width / 2 - np.abs(f - 0.5)) / soft + 0.5, 0, 1)


def _threads(key: Key, n: int, count: int) -> _Maps:
    """Fine plain weave: (jitter, height). Every thread has its own strength."""
    y, x = _grid(n)
    count = max(1, min(count, n // 3))
    warp = 0.75 + 0.5 * key.child("warp").uniforms(count)[np.floor(x * count).astype(int)]
    weft = 0.75 + 0.5 * key.child("weft").uniforms(count)[np.floor(y * count).astype(int)]
    over = ((np.floor(x * count) + np.floor(y * count)) % 2).astype(np.float32)
    height = over * _wave(x * count) * warp + (1 - over) * _wave(y * count) * weft
    jitter = over * warp + (1 - over) * weft - 1
    return jitter.astype(np.float32), np.clip(0.45 + 0.5 * height, 0, 1).astype(np.float32)


def _fabric(key: Key, n: int) -> np.ndarray:
    """Height of a fine cloth with a faint unevenness."""
    return np.clip(_threads(key, n, 64)[1] * 0.35 + 0.5 + 0.25 * (noise(key.child("uneven"), n, 4, 3) - 0.5), 0, 1)


def _plain(key: Key, n: int) -> _Maps:
    return np.float32(0) + 0.10 * noise(key.child("tone"), n, 3, 4), _fabric(key, n)


def _stripes(key: Key, n: int) -> _Maps:
    y, x = _grid(n)
    kx, ky = [(1, 0), (0, 1), (1, 1)][key.child("way").weighted((5, 5, 1))]
    count, width = key.child("count").integer(3, 10), key.child("width").uniform(0.2, 0.6)
    return _band((kx * x + ky * y) * count, width), _fabric(key, n)


def _pinstripes(key: Key, n: int) -> _Maps:
    _, x = _grid(n)
    return _band(x * key.child("count").integer(8, 16), 0.08, 0.05) * 0.7, _fabric(key, n)


def _checks(key: Key, n: int) -> _Maps:
    y, x = _grid(n)
    count = 2 * key.child("count").integer(2, 6)
    return (np.floor(x * count) + np.floor(y * count)) % 2, _fabric(key, n)


def _gingham(key: Key, n: int) -> _Maps:
    y, x = _grid(n)
    count = key.child("count").integer(5, 14)
    return 0.5 * (_band(x * count, 0.5) + _band(y * count, 0.5)), _fabric(key, n)


def _plaid(key: Key, n: int) -> _Maps:
    """Tartan: the same run of bands both ways, woven as a twill."""
    y, x = _grid(n)
    count = key.child("count").integer(2, 4)
    places, widths, tones = (key.child(k).uniforms(4) for k in ("place", "width", "tone"))

    def sett(t):
        total = np.zeros_like(t)
        for place, width, tone in zip(places, widths, tones):
            total = np.maximum(total, (0.3 + 0.7 * tone) * _band(t * count + place, 0.06 + 0.3 * width**2, 0.02))
        return total

    twill = ((np.floor(x * n / 2) + np.floor(y * n / 2)) % 2).astype(np.float32)
    return twill * sett(x) + (1 - twill) * sett(y), _fabric(key, n)


def _dots(key: Key, n: int) -> _Maps:
    y, x = _grid(n)
    count, radius = key.child("count").integer(4, 10), key.child("radius").uniform(0.12, 0.3)
    row = np.floor(y * count * 2) % 2  # every other row is shifted by half a cell
    u = (x * count + 0.5 * row) % 1 - 0.5
    v = (y * count * 2) % 1 * 0.5 - 0.25
    return np.clip((radius - np.hypot(u, v)) / 0.04 + 0.5, 0, 1), _fabric(key, n)


def _floral(key: Key, n: int) -> _Maps:
    """Flowers of 4 to 6 petals, one to a cell, turned and shifted."""
    y, x = _grid(n)
    count = key.child("count").integer(3, 6)
    row, column = np.floor(y * count).astype(int), np.floor(x * count).astype(int)
    shift, turn, scale = (key.child(k).uniforms(count, count)[row, column] - 0.5 for k in ("shift", "turn", "scale"))
    u, v = x * count - column - 0.5 + 0.25 * shift, y * count - row - 0.5 + 0.25 * turn
    radius, angle = np.hypot(u, v), np.arctan2(v, u) + 6.28 * turn
    petal = (0.22 + 0.1 * scale) * (0.65 + 0.35 * np.cos(key.child("petals").integer(4, 6) * angle))
    flower = np.clip((petal - radius) / 0.03 + 0.5, 0, 1)
    heart = np.clip((0.055 - radius) / 0.02 + 0.5, 0, 1)
    leaves = noise(key.child("leaves"), n, min(n, 4 * count), 1) > 0.72
    return np.where(flower > 0.5, 1.0 - 0.5 * heart, 0.3 * leaves).astype(np.float32), _fabric(key, n)


def _camouflage(key: Key, n: int) -> _Maps:
    cells = key.child("cells").integer(3, 6)
    a, b = noise(key.child("a"), n, cells, 3), noise(key.child("b"), n, cells, 3)
    tone = np.select([a > 0.60, b > 0.58, a < 0.38], [1.0, 0.67, 0.33], 0.0)
    return tone.astype(np.float32), _fabric(key, n)


def _denim(key: Key, n: int) -> _Maps:
    """Warp-faced twill: steep diagonals, uneven yarn, paler where it is worn."""
    y, x = _grid(n)
    lines = min(48, max(1, n // 5))
    slub = noise(key.child("slub"), n, (6, min(96, n)), 1) + noise(key.child("cross"), n, (min(96, n), 8), 1) - 1
    diagonal = _wave((x + y) * lines)
    worn = noise(key.child("worn"), n, 2, 3)
    tone = np.clip(0.22 + 0.35 * (diagonal - 0.5) + 0.22 * slub + 0.3 * (worn - 0.5), 0, 1)
    return tone, np.clip(0.55 + 0.25 * diagonal + 0.15 * slub, 0, 1)


def _herringbone(key: Key, n: int) -> _Maps:
    y, x = _grid(n)
    columns, lines = 2 * key.child("columns").integer(3, 6), min(40, max(1, n // 6))
    side = np.abs((x * columns) % 2 - 1)  # a zigzag: every other column leans the other way
    wave = _wave(y * lines + side * lines / columns)
    return np.clip((wave - 0.5) * 3 + 0.5, 0, 1) * 0.8, np.clip(0.5 + 0.4 * wave, 0, 1)


def _knit(key: Key, n: int) -> _Maps:
    """Stocking stitch: columns of V, thick and round."""
    y, x = _grid(n)
    wales = key.child("wales").integer(14, 24)
    wales = max(1, min(wales, n // 8))
    courses = round(wales * 1.25)
    u = (x * wales) % 1
    v = (y * courses + np.abs(u - 0.5) * 1.5) % 1
    yarn = np.sqrt(np.clip(np.sin(np.pi * v) * np.clip(np.sin(2 * np.pi * np.abs(u - 0.5)) * 1.6, 0, 1), 0, 1))
    heather = noise(key.child("heather"), n, min(64, n), 2)
    band = _band(y * key.child("bands").integer(2, 4), 0.35) if key.child("banded").uniform() < 0.3 else 0.0
    return np.clip(0.25 * heather * yarn + 0.75 * band, 0, 1), np.clip(0.2 + 0.8 * yarn, 0, 1).astype(np.float32)


def _corduroy(key: Key, n: int) -> _Maps:
    _, x = _grid(n)
    wales = max(1, min(key.child("wales").integer(20, 36), n // 4))
    ridge = np.sqrt(_wave(x * wales))
    pile = noise(key.child("pile"), n, min(96, n), 1)
    return 0.12 * pile, np.clip(0.15 + 0.75 * ridge + 0.15 * (pile - 0.5), 0, 1)


def _lattice(n: int, rows: int, columns: int, shift: float, joint: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cells laid in rows, each shifted by ``shift`` of a cell: (row, column) of each pixel and 1 on the joints."""
    y, x = _grid(n)
    row = np.floor(y * rows).astype(int)
    across = x * columns + shift * (row % 2)
    column = np.floor(across).astype(int) % columns
    v, u = (y * rows) % 1, across % 1
    gap_v, gap_u = np.minimum(v, 1 - v), np.minimum(u, 1 - u) * rows / columns  # both in cell heights
    return np.broadcast_to(row, (n, n)), column, np.clip((joint - np.minimum(gap_v, gap_u)) / (0.4 * joint) + 0.5, 0, 1)


def _brick(key: Key, n: int) -> _Maps:
    rows = 2 * key.child("rows").integer(4, 7)
    row, column, mortar = _lattice(n, rows, max(1, round(rows / 3)), 0.5, 0.07)
    each = key.child("each").uniforms(rows, rows)[row, column]
    grain = noise(key.child("grain"), n, 16, 4)
    tone = np.where(mortar > 0.5, 1.0, 0.35 * each + 0.2 * grain)
    return tone.astype(np.float32), np.clip((0.65 + 0.35 * grain) * (1 - 0.45 * mortar), 0, 1).astype(np.float32)


def _tiles(key: Key, n: int) -> _Maps:
    rows = key.child("rows").integer(3, 8)
    shift = 0.5 if rows % 2 == 0 and key.child("shifted").uniform() < 0.4 else 0.0
    row, column, joint = _lattice(n, rows, rows, shift, 0.03)
    each = key.child("each").uniforms(rows, rows)[row, column]
    two = ((row + column) % 2) * key.child("second").choice((0.0, 0.0, 0.6))
    cloud = noise(key.child("cloud"), n, 5, 4)
    tone = np.where(joint > 0.5, 1.0, np.clip(two + 0.12 * each + 0.15 * (cloud - 0.3), 0, 0.9))
    return tone.astype(np.float32), np.clip((0.9 + 0.1 * cloud) * (1 - 0.4 * joint), 0, 1).astype(np.float32)


def _grain(key: Key, n: int) -> np.ndarray:
    """Wood grain along x: rings of a bent distance, with pores."""
    y, _ = _grid(n)
    bend = noise(key.child("bend"), n, (3, 1), 3)
    rings = _wave(y * key.child("rings").integer(3, 7) + 2.2 * bend)
    pores = noise(key.child("pores"), n, (min(n, 128), 6), 1)
    return np.clip(0.55 * rings + 0.45 * pores, 0, 1)


def _wood(key: Key, n: int) -> _Maps:
    grain = _grain(key, n)
    return 0.8 * grain, 0.75 + 0.25 * (1 - grain)


def _planks(key: Key, n: int) -> _Maps:
    rows = 2 * key.child("rows").integer(3, 5)
    row, column, joint = _lattice(n, rows, 2, 0.5, 0.02)
    each = key.child("each").uniforms(rows, 2)[row, column]
    grain = noise(key.child("grain"), n, (min(n, 96), 5), 2)
    bend = noise(key.child("bend"), n, (rows * 2, 2), 2)
    tone = np.clip(0.25 + 0.55 * (each - 0.5) + 0.35 * (grain - 0.5) + 0.25 * (bend - 0.5), 0, 1)
    return tone, np.clip((0.85 + 0.15 * grain) * (1 - 0.7 * joint), 0, 1)


def _marble(key: Key, n: int) -> _Maps:
    y, x = _grid(n)
    warp = noise(key.child("warp"), n, 3, 5) * key.child("turbulence").uniform(1.2, 2.5)
    vein = 1 - np.abs(np.sin(np.pi * (x * key.child("kx").integer(0, 2) * 2 + y * 2 + warp)))
    return np.clip(0.8 * vein**4 + 0.25 * noise(key.child("cloud"), n, 4, 4), 0, 1), np.float32(1)


def _terrazzo(key: Key, n: int) -> _Maps:
    tone = np.zeros((n, n), np.float32)
    for i, level in enumerate((0.33, 0.67, 1.0)):
        cells = key.child("cells", i).integer(14, 28)
        tone = np.where(noise(key.child("chips", i), n, cells, 2) > 0.70, np.float32(level), tone)
    return tone, 0.92 + 0.08 * noise(key.child("speck"), n, min(128, n), 1)


def _clouds(key: Key, n: int) -> _Maps:
    cells = key.child("cells").integer(2, 4)
    return noise(key.child("cloud"), n, cells, 6), np.float32(1)


def _plaster(key: Key, n: int) -> _Maps:
    """Painted or bare wall: almost even, with trowel marks and stains."""
    stain, rough = noise(key.child("stain"), n, 2, 4), noise(key.child("rough"), n, min(48, n), 2)
    return 0.18 * stain, 0.86 + 0.14 * rough


def _concrete(key: Key, n: int) -> _Maps:
    stain, rough = noise(key.child("stain"), n, 3, 6), noise(key.child("rough"), n, min(96, n), 1)
    return np.clip(0.8 * stain - 0.1 + 0.15 * (rough - 0.5), 0, 1), 0.75 + 0.25 * rough


def _asphalt(key: Key, n: int) -> _Maps:
    stone = noise(key.child("stone"), n, min(128, n), 1)
    return np.clip(0.35 * noise(key.child("stain"), n, 3, 4) + 0.5 * (stone - 0.4), 0, 1), 0.6 + 0.4 * stone


def _grass(key: Key, n: int) -> _Maps:
    blades = noise(key.child("blades"), n, (min(40, n), min(100, n)), 2)
    patches = noise(key.child("patches"), n, 3, 4)
    return np.clip(0.6 * patches + 0.5 * (blades - 0.5), 0, 1), np.clip(0.25 + 0.85 * blades, 0, 1)


def _carpet(key: Key, n: int) -> _Maps:
    pile = noise(key.child("pile"), n, min(110, n), 1)
    return np.clip(0.3 * noise(key.child("wear"), n, 2, 3) + 0.4 * (pile - 0.5), 0, 1), 0.5 + 0.5 * pile


def _gradient(key: Key, n: int) -> _Maps:
    y, x = _grid(n)
    ramp = _wave(y if key.child("way").uniform() < 0.7 else x)
    return np.broadcast_to(ramp, (n, n)), _fabric(key, n)


_PATTERNS: dict[str, _Pattern] = {
    "plain": _plain, "stripes": _stripes, "pinstripes": _pinstripes, "checks": _checks, "gingham": _gingham,
    "plaid": _plaid, "dots": _dots, "floral": _floral, "camouflage": _camouflage, "denim": _denim,
    "herringbone": _herringbone, "knit": _knit, "corduroy": _corduroy, "gradient": _gradient, "brick": _brick,
    "tiles": _tiles, "wood": _wood, "planks": _planks, "marble": _marble, "terrazzo": _terrazzo, "clouds": _clouds,
    "plaster": _plaster, "concrete": _concrete, "asphalt": _asphalt, "grass": _grass, "carpet": _carpet,
}
PATTERNS = tuple(_PATTERNS)
CLOTH = PATTERNS[:PATTERNS.index("gradient") + 1]
FLOORS = ("planks", "tiles", "carpet", "concrete", "marble", "terrazzo", "wood", "checks")
WALLS = ("plaster", "brick", "concrete", "tiles", "stripes", "planks", "clouds")
GROUNDS = ("grass", "asphalt", "concrete", "tiles", "brick", "clouds")
