"""Procedural photographs: rooms, streets and meadows painted flat, for recipes without a folder of photographs.

They are made of what matters behind a figure: a ground that runs to a horizon, upright things of many colours, patterns and
depths with shadow at their feet, soft and uneven light, and a camera's blur and noise. No mesh and no renderer: about as
quick as reading a photograph.
"""

from __future__ import annotations

import numpy as np

from understudy.assets.palettes import palette, srgb_decode, srgb_encode, srgb_encode_fast
from understudy.assets.patterns import FLOORS, GROUNDS, WALLS, noise, pattern
from understudy.key import Key
from understudy.surroundings.things import tile_of

_KINDS = ("room", "room", "street", "meadow", "studio")
_STUFF = {"planks": "wood", "wood": "wood", "grass": "foliage", "brick": "wall", "plaster": "wall", "tiles": "stone",
          "concrete": "stone", "asphalt": "stone", "marble": "stone", "terrazzo": "stone", "carpet": "cloth",
          "checks": "stone", "stripes": "wall", "clouds": "wall"}


Floor = tuple[float, float, float, float]


def painted_photograph(key: Key, size_wh: tuple[int, int], focal_px: float,
                       eye_m: float) -> tuple[np.ndarray, float, Floor | None]:
    """(h, w, 3) uint8 sRGB, the horizon as a fraction of the height from the top, and the floor between painted walls
    (left, near, right, far; m; None outdoors), behind which nobody can stand: a function of its arguments.

    ``focal_px`` and ``eye_m`` are the focal length and the height of the camera, so that figures and things agree in size.
    """
    scene = _Canvas(size_wh, focal_px, eye_m, horizon=key.child("horizon").uniform(0.3, 0.52))
    kind = key.child("kind").choice(_KINDS)
    paint = {"room": _room, "street": _street, "meadow": _meadow, "studio": _studio}[kind]
    floor = paint(scene, key.child(kind))
    return _developed(scene, key.child("camera"), indoors=floor is not None), scene.horizon, floor


class _Canvas:
    """A picture being painted, and the pinhole camera that looks at it: x right, y up from the ground, z ahead, metres."""

    def __init__(self, size_wh: tuple[int, int], focal_px: float, eye_m: float, horizon: float) -> None:
        self.w, self.h = size_wh
        self.horizon, self.row, self.focal, self.eye = horizon, horizon * self.h, focal_px, eye_m
        self.pixels = np.zeros((self.h, self.w, 3), np.uint8)
        self.shadow = np.zeros((self.h, self.w), np.uint8)

    def project(self, points: np.ndarray) -> np.ndarray:
        """(n, 3) m -> (n, 2) pixels."""
        z = np.maximum(points[:, 2], 0.05)
        return np.stack([self.w / 2 + self.focal * points[:, 0] / z,
                         self.row + self.focal * (self.eye - points[:, 1]) / z], axis=1)

    def plane(self, texture: np.ndarray, height_m: float, tile_m: float) -> None:
        """Fill below (or, above the eye, over) the horizon with a level plane; far off its texture melts into one colour."""
        import cv2

        rows = np.arange(self.h) + 0.5 - self.row
        rise = self.eye - height_m
        seen = np.flatnonzero(rows * rise > 0.5 * abs(rise))
        if not seen.size:
            return
        z = (self.focal * rise / rows[seen]).astype(np.float32)[:, None]
        x = ((np.arange(self.w, dtype=np.float32) + 0.5 - self.w / 2) / np.float32(self.focal))[None] * z
        side = len(texture)
        step = (z * z / np.float32(self.focal * abs(rise)) * (side / tile_m))[:, 0]  # texels from one row to the next
        mean = texture.reshape(-1, 3).mean(axis=0).astype(np.float32)
        for shrink, least, most in ((1, 0.0, 4.0), (6, 4.0, np.inf)):  # a coarser texture farther off
            part = (step >= least) & (step < most)
            if not part.any():
                continue
            image = texture if shrink == 1 else cv2.resize(texture, (side // shrink, side // shrink),
                                                           interpolation=cv2.INTER_AREA)
            n = np.float32(len(image) / tile_m)
            u, v = np.broadcast_arrays(x[part] * n % len(image), z[part] * n % len(image))
            cover = cv2.remap(image, u, np.ascontiguousarray(v), cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
            blank = np.clip(step[part] / 30 - 0.2, 0, 1)[:, None, None]
            self.pixels[seen[part]] = cover * (1 - blank) + mean * blank

    def face(self, corners_m: np.ndarray, texture: np.ndarray, light: float, repeat: tuple[float, float] = (1, 1)) -> None:
        """A flat quadrangle (4, 3), its corners in order; ``texture`` is repeated (across, up) and dimmed by ``light``."""
        import cv2

        if (corners_m[:, 2] < 0.1).any():
            return
        quad = self.project(corners_m).astype(np.float32)
        left, top = np.floor(np.maximum(quad.min(axis=0), 0)).astype(int)
        right, bottom = np.ceil(np.minimum(quad.max(axis=0), (self.w, self.h))).astype(int)
        if right - left < 2 or bottom - top < 2:
            return
        quad -= (left, top)
        mask = np.zeros((bottom - top, right - left), np.uint8)
        cv2.fillConvexPoly(mask, np.round(quad * 16).astype(np.int32), 255, cv2.LINE_AA, 4)
        if (right - left) * (bottom - top) < 400:
            flat = (texture.reshape(-1, 3).mean(axis=0) * light).astype(np.uint8)
            cover = np.broadcast_to(flat, (*mask.shape, 3))
        else:
            across, up = max(round(len(texture) * repeat[0]), 2), max(round(len(texture) * repeat[1]), 2)
            source = np.array([(0, up), (across, up), (across, 0), (0, 0)], np.float32)
            there = cv2.getPerspectiveTransform(quad, source)
            wide = float(np.hypot(*(quad[1] - quad[0])))
            if across > 2.5 * wide:  # far away: a smaller texture, so that it does not sparkle
                shrink = min(max(across / max(wide, 1.0), 1.0), len(texture) / 4)
                side = max(int(len(texture) / shrink), 4)
                there = np.diag([side / len(texture), side / len(texture), 1.0]) @ there
                texture = cv2.resize(texture, (side, side), interpolation=cv2.INTER_AREA)
            cover = cv2.warpPerspective(texture, there, mask.shape[::-1], borderMode=cv2.BORDER_WRAP,
                                        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP) * np.float32(light)
        here = self.pixels[top:bottom, left:right]
        share = mask[..., None].astype(np.float32) / 255
        here[...] = here * (1 - share) + cover * share
        self.shadow[top:bottom, left:right][mask > 127] = 0

    def block(self, at: tuple[float, float], size: tuple[float, float, float], turn: float, texture: np.ndarray,
              repeat: float = 1.0, lift: float = 0.0) -> None:
        """An upright box on the ground at (x, z), (wide, high, deep), turned, with a shadow at its foot."""
        import cv2

        wide, high, deep = size
        c, s = np.cos(turn), np.sin(turn)
        base = np.array([(-wide, -deep), (wide, -deep), (wide, deep), (-wide, deep)]) / 2 @ np.array([(c, s), (-s, c)]) + at
        if base[:, 1].min() < 0.4:
            return
        low = np.insert(base, 1, lift, axis=1)
        high_ = np.insert(base, 1, lift + high, axis=1)
        foot = np.insert((base - at) * 1.25 + at, 1, 0.0, axis=1)
        cv2.fillConvexPoly(self.shadow, np.round(self.project(foot)).astype(np.int32), 150)
        tops = (high_,) if lift + high < self.eye else (low[::-1],) if lift > self.eye else ()
        for top in tops:
            self.face(top, texture, 1.0, (repeat, repeat * deep / wide))
        sides = []
        for i in range(4):
            j = (i + 1) % 4
            edge = base[j] - base[i]
            outward = np.array([edge[1], -edge[0]])
            if outward @ base[i] < 0:  # it looks at the camera
                sides.append((-float(np.hypot(*((base[i] + base[j]) / 2))), i, j, edge))
        for _, i, j, edge in sorted(sides):
            length = float(np.hypot(*edge))
            self.face(np.array([low[i], low[j], high_[j], high_[i]]), texture, 0.62 + 0.3 * abs(edge[0]) / length,
                      (repeat * length / wide, repeat * high / wide))


def _texture(key: Key, names: tuple[str, ...], kind: str | None = None, size: int = 128) -> np.ndarray:
    return _named(key, key.child("name").choice(names), kind, size)


def _named(key: Key, name: str, kind: str | None = None, size: int = 128) -> np.ndarray:
    colours = palette(key.child("palette"), kind or _STUFF.get(name, "paint"), 3)
    return pattern(name, key.child("pattern"), size, colours).pixels


def _flat(key: Key, kind: str) -> np.ndarray:
    return np.full((8, 8, 3), np.round(srgb_encode(np.array(palette(key, kind, 1)[0])) * 255), np.uint8)


def _things(scene: _Canvas, key: Key, count: int, near: float, far: float, spread: float) -> None:
    """Blocks of all sizes, the farthest first; some are tables, shelves or pictures' worth of pattern."""
    u = key.child("things").uniforms(count, 7)
    for i in np.argsort(-u[:, 0], kind="stable"):
        a, b, c, d, e, f, g = (float(v) for v in u[i])
        z = near * (far / near) ** a
        size = (0.25 + 1.5 * c * c, 0.25 + 1.7 * d * d, 0.25 + 0.8 * e)
        at = ((2 * b - 1) * spread * (0.4 + z / far), z)
        own = key.child("thing", int(i))
        texture = _flat(own, "paint") if g < 0.45 else _texture(own, ("wood", "plain", "stripes", "plaid", "tiles", "dots",
                                                                       "brick", "knit", "floral", "planks"))
        if 0.45 < g < 0.6:  # a table: a thick board on legs
            high = 0.7
            for sx in (-0.45, 0.45):
                scene.block((at[0] + sx * size[0], z), (0.06, high, 0.06), 0, texture)
            scene.block(at, (size[0], 0.06, size[2]), (f - 0.5) * 0.4, texture, lift=high)
        else:
            scene.block(at, size, (f - 0.5) * 1.4, texture)


def _room(scene: _Canvas, key: Key) -> Floor:
    u = key.child("size").uniforms(4)
    depth, left, right, high = 5 + 6 * u[0], -1.4 - 2.5 * u[1], 1.4 + 2.5 * u[2], 2.4 + 0.8 * u[3]
    scene.pixels[:] = _flat(key.child("ceiling"), "wall")[0, 0]
    floor, paper = key.child("floor_name").choice(FLOORS), key.child("wall_name").choice(("plaster", *WALLS))
    scene.plane(_named(key.child("floor"), floor, size=256), 0.0, tile_of(floor))
    scene.plane(_flat(key.child("ceiling"), "wall").repeat(32, 0).repeat(32, 1), high, 2.0)
    wall, tile = _named(key.child("wall"), paper, size=256), tile_of(paper)
    side = wall if key.child("same").uniform() < 0.7 else _named(key.child("side"), "plaster", size=256)
    near = 0.3
    for x, light in ((left, 0.75 + 0.2 * u[0]), (right, 0.75 + 0.2 * u[1])):
        ends = (near, depth) if x < 0 else (depth, near)
        scene.face(np.array([(x, 0, ends[0]), (x, 0, ends[1]), (x, high, ends[1]), (x, high, ends[0])]), side, light,
                   (depth / tile, high / tile))
    scene.face(np.array([(left, 0, depth), (right, 0, depth), (right, high, depth), (left, high, depth)]), wall,
               0.9, ((right - left) / tile, high / tile))
    skirting = _flat(key.child("skirting"), "wood")
    scene.face(np.array([(left, 0, depth), (right, 0, depth), (right, 0.1, depth), (left, 0.1, depth)]), skirting, 0.9)
    for i in range(key.child("pictures").integer(0, 4)):  # pictures, doors and windows on the back wall
        v = key.child("picture", i).uniforms(5)
        wide, tall = (0.9, 2.0) if v[4] > 0.8 else (0.3 + 1.2 * v[0], 0.3 + 0.9 * v[1])
        x, low = left + (right - left - wide) * v[2], 0.0 if v[4] > 0.8 else 0.9 + 0.7 * v[3]
        own = key.child("picture", i)
        inside = np.full((8, 8, 3), 245, np.uint8) if v[4] < 0.35 else _texture(
            own, ("clouds", "marble", "wood", "floral"), "paint")
        for grow, texture in ((0.05, _flat(own.child("frame"), "wood")), (0.0, inside)):
            low_, high_ = max(low - grow, 0), low + tall + grow
            scene.face(np.array([(x - grow, low_, depth - 0.01), (x + wide + grow, low_, depth - 0.01),
                                 (x + wide + grow, high_, depth - 0.01), (x - grow, high_, depth - 0.01)]), texture, 1.0)
    _things(scene, key, key.child("count").integer(2, 9), 0.72 * depth, 0.97 * depth, (right - left) / 2)
    return left, 0.0, right, depth


def _street(scene: _Canvas, key: Key) -> None:
    _sky(scene, key.child("sky"))
    scene.plane(_texture(key.child("ground"), GROUNDS[1:], size=256), 0.0, 3.0)
    houses = key.child("houses").integer(5, 11)
    u = key.child("house").uniforms(houses, 5)
    for i in np.argsort(-u[:, 0], kind="stable"):
        a, b, c, d, e = (float(v) for v in u[i])
        z = 13 + 40 * a
        at = ((2 * b - 1) * (3 + 0.55 * z) + (4 if b > 0.5 else -4), z)
        own = key.child("house", int(i))
        wall = pattern("tiles", own, 128, (*palette(own.child("glass"), "stone", 1), *palette(own, "wall", 2))).pixels \
            if e < 0.5 else _texture(own, ("brick", "plaster", "concrete"), "wall")
        scene.block(at, (5 + 9 * c, 4 + 14 * d, 6.0), 0.0, wall, repeat=1 + 2 * e)
        if e >= 0.5:
            _windows(scene, own.child("windows"), at, 5 + 9 * c, 4 + 14 * d)
    _trees(scene, key.child("trees"), key.child("tree_count").integer(0, 5), 11, 35)
    _things(scene, key, key.child("count").integer(0, 4), 9, 20, 8)


def _windows(scene: _Canvas, key: Key, at: tuple[float, float], wide: float, high: float) -> None:
    glass = _flat(key, "stone") // 3 + 20
    across, up = max(int(wide / 2.2), 1), max(int(high / 3), 1)
    z = at[1] - 3.01
    for i in range(across):
        for j in range(up):
            x, y = at[0] + (i + 0.5) / across * wide - wide / 2, (j + 0.55) / up * high
            scene.face(np.array([(x - 0.5, y - 0.7, z), (x + 0.5, y - 0.7, z), (x + 0.5, y + 0.7, z),
                                 (x - 0.5, y + 0.7, z)]), glass, 1.0)


def _meadow(scene: _Canvas, key: Key) -> None:
    _sky(scene, key.child("sky"))
    ridge = noise(key.child("hills"), 128, (1, 3), 4)[0]
    hills = np.interp(np.linspace(0, 127, scene.w), np.arange(128), ridge)
    colour = srgb_encode(np.array(palette(key.child("hill"), "foliage", 1)[0])) * 0.75 + 0.25 * np.array([0.6, 0.65, 0.75])
    skyline = scene.row - scene.h * (0.02 + 0.16 * key.child("rise").uniform() * hills)
    below = np.arange(scene.h)[:, None] > skyline[None]
    texture = 0.85 + 0.3 * noise(key.child("wood"), 256, (48, 24), 3)
    top, bottom = max(int(skyline.min()), 0), round(scene.row) + 2
    wood = _tiled(np.clip(colour * 255 * texture[..., None], 0, 255).astype(np.uint8), (bottom - top, scene.w))
    scene.pixels[top:bottom] = np.where(below[top:bottom, :, None], wood, scene.pixels[top:bottom])
    ground = key.child("ground").choice(("grass", "grass", "concrete", "asphalt"))
    scene.plane(pattern(ground, key.child("turf"), 256, palette(key.child("soil"), _STUFF[ground], 3)).pixels, 0.0, 3.0)
    _trees(scene, key.child("trees"), key.child("tree_count").integer(3, 14), 11, 50)


def _studio(scene: _Canvas, key: Key) -> Floor:
    """A plain or patterned backcloth over a floor: what figures look like when nothing else helps."""
    import cv2

    cloth = _texture(key.child("cloth"), ("plain", "clouds", "plaster", "gradient", "marble", "camouflage"), size=160)
    side = max(scene.w, scene.h)
    scene.pixels[:] = cv2.resize(cloth, (side, side), interpolation=cv2.INTER_CUBIC)[:scene.h, :scene.w]
    deep = key.child("deep").uniform(4, 8)
    foot = min(round(scene.row + scene.focal * scene.eye / deep), scene.h)
    behind = scene.pixels[:foot].copy()
    scene.plane(_texture(key.child("floor"), FLOORS, size=256), 0.0, 2.0)
    scene.pixels[:foot] = behind
    _things(scene, key, key.child("count").integer(0, 5), 0.75 * deep, 0.97 * deep, 2.5)
    return -deep, 0.0, deep, deep


def _tiled(texture: np.ndarray, size_hw: tuple[int, int]) -> np.ndarray:
    """``texture`` repeated to this size."""
    h, w = size_hw
    return np.tile(texture, (-(-h // len(texture)) or 1, -(-w // texture.shape[1]), 1))[:h, :w]


def _sky(scene: _Canvas, key: Key) -> None:
    u = key.child("colour").uniforms(4)
    up = np.clip(1 - (np.arange(scene.h) + 0.5) / max(scene.row, 1), 0, 1)[:, None, None]
    blue = np.array([0.30 + 0.25 * u[0], 0.50 + 0.2 * u[0], 0.80 + 0.1 * u[0]])
    pale = np.array([0.80 + 0.15 * u[1], 0.84, 0.92 - 0.2 * u[1]])
    sky = pale * (1 - up**0.6) + blue * up**0.6
    fleece = noise(key.child("clouds"), 256, (5, 3), 5)
    rows = np.clip((256 * (1 - up[:, 0]) ** 0.5), 0, 255).astype(int)
    columns = np.arange(scene.w)[None] * 256 // scene.w
    cover = np.clip((fleece[rows, columns] - 0.75 + 0.6 * u[2]) * 4, 0, 1)[..., None]
    scene.pixels[:] = np.clip((sky * (1 - cover) + (0.88 + 0.1 * u[3] - 0.15 * cover) * cover) * 255, 0, 255)


def _trees(scene: _Canvas, key: Key, count: int, near: float, far: float) -> None:
    """Trunks and crowns of leaves: an ellipse whose border a noise eats into."""
    u = key.uniforms(count, 5)
    for i in np.argsort(-u[:, 0], kind="stable"):
        a, b, c, d, e = (float(v) for v in u[i])
        z = near * (far / near) ** a
        x, high = (2 * b - 1) * 0.75 * z, 3 + 5 * c
        own = key.child("tree", int(i))
        scene.block((x, z), (0.3 + 0.2 * d, 0.55 * high, 0.3), 0.3, _flat(own.child("bark"), "wood") // 2)
        leaves = pattern("grass", own, 96, palette(own.child("leaf"), "foliage", 2)).pixels
        (cx, cy), radius = scene.project(np.array([(x, 0.68 * high, z)]))[0], scene.focal * high * (0.24 + 0.12 * e) / z
        top, left = int(max(cy - 1.3 * radius, 0)), int(max(cx - 1.3 * radius, 0))
        bottom, right = int(min(cy + 1.3 * radius, scene.h)), int(min(cx + 1.3 * radius, scene.w))
        if bottom <= top or right <= left:
            continue
        rows, columns = np.mgrid[top:bottom, left:right]
        size = 2.6 * radius / 96
        v, w = np.clip((rows - cy) / size + 48, 0, 95).astype(int), np.clip((columns - cx) / size + 48, 0, 95).astype(int)
        ragged = noise(own.child("edge"), 96, 9, 3)
        inside = np.hypot(rows - cy, columns - cx) / radius < 0.55 + 0.75 * ragged[v, w]
        light = np.clip(1.15 - 0.6 * (rows - cy + radius) / (2 * radius), 0.45, 1.2) * (0.6 + 0.8 * ragged[v, w])
        scene.pixels[top:bottom, left:right][inside] = np.clip(leaves[v, w] * light[..., None], 0, 255)[inside]


def _developed(scene: _Canvas, key: Key, indoors: bool) -> np.ndarray:
    """Shadows, uneven light, cast, defocus and noise: what a camera makes of it."""
    import cv2

    u = key.child("look").uniforms(6)
    shadow = cv2.blur(scene.shadow, (max(scene.w // 50, 1),) * 2).astype(np.float32) / 255
    picture = srgb_decode(scene.pixels) * (1 - 0.85 * shadow)[..., None]
    uneven = cv2.resize(noise(key.child("light"), 32, 2, 2), (scene.w, scene.h), interpolation=cv2.INTER_CUBIC)
    span = (0.4 + 0.9 * float(u[0])) if indoors else 0.35 * float(u[0])
    picture *= np.exp2((uneven - 0.5) * np.float32(3 * span))[..., None]
    bright = float(np.percentile(picture[::8, ::8], 92))
    gain = min(2.0 ** (1.6 * (float(u[2]) - 0.5)), 1.05 / max(bright, 1e-3))
    picture *= np.float32(gain) * np.array([1 + 0.25 * (u[1] - 0.5), 1.0, 1 - 0.25 * (u[1] - 0.5)], np.float32)
    blur = 0.5 + 2.2 * float(u[3]) ** 3
    picture = cv2.GaussianBlur(picture, (0, 0), blur * scene.w / 640)
    sigma = 0.002 + 0.02 * float(u[4]) ** 2
    encoded = srgb_encode_fast(picture) + np.float32(sigma) * key.child("noise").normals(scene.h, scene.w, 1)
    return np.clip(encoded * 255 + 0.5, 0, 255).astype(np.uint8)
