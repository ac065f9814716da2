"""The shapes of hair: shells over the scalp, curtains that fall over neck and shoulders, tails and buns.

Each is a closed round of columns that thins out at the hairline and moves with the pose.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from understudy.assets.patterns import noise
from understudy.key import Key
from understudy.scene import PART_ID, Material, Surface
from understudy.worlds.people import body
from understudy.worlds.people.clothes.tailor import carried
from understudy.worlds.people.figure import Figure
from understudy.worlds.people.scalp import COLUMNS, ROWS, scalp

TILE_M = 0.22  # the length that the strands' texture spans
_OVER = tuple(PART_ID[name] for name in ("top", "dress", "outerwear"))


@dataclass(frozen=True)
class Style:
    """A hairstyle, lengths in metres on an adult head.

    top, side, front : thickness over the crown, over the ears and at the forehead's hairline
    fall : how far below the hairline strands hang (0 for short hair); rough : unevenness of the surface; curl : its grain
    back : hair is combed back and tied; knot : "", "bun" or "tail"; part : a parting on the subject's left
    edge : unevenness of the hairline and of the ends
    """

    top: float
    side: float
    front: float
    fall: float = 0.0
    rough: float = 0.1
    curl: float = 0.0
    knot: str = ""
    part: bool = False
    edge: float = 0.06


def grown(key: Key, figure: Figure, style: Style, material: Material, clothes: Sequence[Surface]) -> list[Surface]:
    grid = scalp()
    model = body.model()
    faces = model.mesh("body").base_faces
    rest = figure.posed.rest_vertices.astype(float)
    size = _head_size(rest)
    corners = faces[grid.face]
    normals = figure.rest.normals.astype(float)
    root = np.einsum("crk,crkd->crd", grid.bary, rest[corners])
    out = np.einsum("crk,crkd->crd", grid.bary, normals[corners])
    out /= np.linalg.norm(out, axis=-1, keepdims=True)
    thin = 0.55 if figure.age < 2.5 else 1.0

    turn, row = np.meshgrid(grid.azimuth, np.arange(ROWS), indexing="ij")
    ripple = _around(key.child("edge"), 5) * 0.5 + _around(key.child("fine edge"), 40) * 0.5
    limit = 1.0 + style.edge * ripple  # where the hair ends, in units of ``down``
    down = np.minimum(grid.down, limit[:, None])
    clamp = grid.down > limit[:, None]
    upper = np.clip(grid.up, 0, 1)
    front = np.clip(np.cos(turn), 0, 1) ** 2 * grid.down.clip(0, 1)
    depth = style.side + (style.top - style.side) * upper**1.2
    depth = depth * (1 - front) + style.front * front
    rough = 1 + style.rough * (_bumps(key.child("rough"), (6, 16)) + 0.8 * _bumps(key.child("rougher"), (11, 40)))
    if style.part:
        parting = np.abs(((turn - 0.42 + np.pi) % (2 * np.pi)) - np.pi)
        depth = depth * (1 - 0.75 * np.exp(-((parting / 0.10) ** 2)) * np.clip(1.1 - grid.down, 0, 1))
        depth = depth + 0.006 * np.exp(-(((parting - 0.45) / 0.3) ** 2)) * np.clip(1 - grid.down, 0, 1)
    edge = np.sqrt(np.clip((limit[:, None] - down) / (0.10 if style.fall else 0.16), 0, 1))
    hangs = _hanging(turn[:, 0], style)
    edge = np.maximum(edge, hangs[:, None])
    depth = (0.0012 + depth * rough * edge * thin) * size
    last = _last_row(limit)
    # beyond the hairline all rows of a column gather in its end
    stop = np.where(clamp, last[:, None], row)
    points = np.take_along_axis(root, stop[..., None], 1) + np.take_along_axis(out * depth[..., None], stop[..., None], 1)
    weights = np.take_along_axis(grid.weights, stop[..., None], 1)
    columns = _fall(key, figure, style, points, weights, hangs, size, rest, normals) if style.fall else (points, weights)
    surface = [_sheet("hair", figure, *columns, material, grid.face, clothes if style.fall else ())]
    if style.knot:
        surface += _knot(key.child("knot"), figure, style, material, size)
    return surface


def _hanging(azimuth: np.ndarray, style: Style) -> np.ndarray:
    """(C,) 1 for columns that hang free (sides and back), 0 over the forehead."""
    if not style.fall:
        return np.zeros(COLUMNS)
    away = np.abs((azimuth + np.pi) % (2 * np.pi) - np.pi)
    return np.clip((away - np.deg2rad(52)) / np.deg2rad(12), 0, 1)


def _last_row(limit: np.ndarray) -> np.ndarray:
    return np.minimum(np.searchsorted(np.linspace(0, 1.25, ROWS), limit, side="right") - 1, ROWS - 1)


def _around(key: Key, waves: int) -> np.ndarray:
    """(C,) smooth noise round the head, about -1 to 1."""
    values = key.uniforms(waves) * 2 - 1
    at = np.arange(COLUMNS) * waves / COLUMNS
    low = at.astype(int)
    t = at - low
    t = t * t * (3 - 2 * t)
    return values[low % waves] * (1 - t) + values[(low + 1) % waves] * t


def _bumps(key: Key, cells: tuple[int, int]) -> np.ndarray:
    """(C, R) smooth noise, about -1 to 1, whole around the head; it fades at the crown, where columns meet."""
    image = noise(key, COLUMNS, (cells[1], cells[0]), 1)[:, :ROWS] * 2 - 1
    return image * np.clip(np.linspace(0, 5, ROWS), 0, 1)


def _head_size(rest: np.ndarray) -> float:
    """Breadth and depth of the skull over the template's."""
    model = body.model()
    template = model.arrays["template_vertices"]
    skull = model.region[:body.BODY_VERTICES] == body.REGIONS.index("head")
    return float(np.ptp(rest[:body.BODY_VERTICES][skull][:, :2], axis=0).sum()
                 / np.ptp(template[:body.BODY_VERTICES][skull][:, :2], axis=0).sum())


def _fall(key, figure, style, points, weights, hangs, size, rest, normals):
    """Strands go on below the hairline: (C, R + steps, 3) points and their weights.

    What starts behind the ears gathers behind the shoulders, what starts before them falls in front."""
    from scipy.spatial import cKDTree

    model = body.model()
    steps = max(5, round(style.fall / 0.018))
    azimuth = scalp().azimuth
    uneven = 1 + 0.10 * _around(key.child("length"), 24) + 0.05 * _around(key.child("ends"), 48)
    length = style.fall * size * hangs * uneven
    skin = rest[:body.BODY_VERTICES]
    region = model.region[:body.BODY_VERTICES]
    trunk, neck, head = (body.REGIONS.index(name) for name in ("torso", "neck", "head"))
    near = np.flatnonzero(np.isin(region, (trunk, neck, head)) & (skin[:, 2] > skin[:, 2].max() - 0.75 * size))
    tree = cKDTree(skin[near])
    on_head = np.zeros(len(model.bones), np.float32)
    on_head[model.bone("head")] = 1
    throat = skin[region == neck]
    low, middle = throat[:, 2].min(), throat[:, 1].mean()
    behind = np.cos(azimuth) < 0.15
    here = points[:, -1].copy()
    start = here[:, 2].copy()
    aim_x = np.sign(here[:, 0]) * np.minimum(np.abs(here[:, 0]), np.where(behind, 0.085, 0.075) * size)
    aim_y = np.where(behind, np.maximum(here[:, 1], middle + 0.055 * size), np.minimum(here[:, 1], middle - 0.05 * size))
    aim = np.stack([aim_x, aim_y], 1)
    chain, chain_weights = [points], [weights]
    for _ in range(steps):
        drop = (length / steps)[:, None]
        pull = np.clip((start - here[:, 2] - 0.03 * size) / (0.10 * size), 0, 1)[:, None] * 0.22
        here = here + np.concatenate([(aim - here[:, :2]) * pull * (hangs > 0)[:, None], -drop], 1)
        distance, at = tree.query(here)
        vertex = near[at]
        on_trunk = region[vertex] == trunk
        margin = (0.012 + 0.022 * on_trunk) * size  # there are clothes on the trunk
        depth = ((here - rest[vertex]) * normals[vertex]).sum(1)
        level = normals[vertex] * [0.6, 1, 0.1]
        level /= np.maximum(np.linalg.norm(level, axis=1, keepdims=True), 1e-6)
        push = np.where((distance < 0.08 * size) & (hangs > 0), np.clip(margin - depth, 0, 0.03 * size), 0)
        here = here + push[:, None] * level
        blend = np.clip((low + 0.06 * size - here[:, 2]) / (0.12 * size), 0, 1)[:, None]
        chain.append(here[:, None])
        chain_weights.append(((1 - blend) * on_head + blend * model.weights[vertex])[:, None])
    rows = np.concatenate(chain, 1)
    free = (hangs > 0.99) & (np.roll(hangs, 1) > 0.99) & (np.roll(hangs, -1) > 0.99)
    for _ in range(3):  # neighbours hang together
        fall = rows[:, ROWS:]
        side = 0.5 * (np.roll(fall, 1, 0) + np.roll(fall, -1, 0))
        rows[:, ROWS:] = np.where(free[:, None, None], 0.5 * fall + 0.5 * side, fall)
    return rows, np.concatenate(chain_weights, 1)


def _over_clothes(posed: np.ndarray, clothes: Sequence[Surface], gap_m: float) -> np.ndarray:
    """(C, rows, 3) strands pushed out of the garments that they lie on."""
    from scipy.spatial import cKDTree

    worn = [s for s in clothes if s.normals is not None and (s.part[0] in _OVER)]
    if not worn:
        return posed
    vertices, normals, rest = (np.concatenate([getattr(s, name) for s in worn]) for name in ("vertices", "normals", "rest"))
    # the strips inside a hem repeat the rest positions of the cloth's edge: only the outer side, which comes first, counts
    place = np.ascontiguousarray(rest).view(np.dtype((np.void, rest.dtype.itemsize * 3))).ravel()
    outer = np.unique(place, return_index=True)[1]
    vertices, normals = vertices[outer], normals[outer]
    tree = cKDTree(vertices)
    out = normals * [1, 1, 0.15]  # outwards, not upwards, or the strands would bunch up on a collar
    out /= np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-6)
    hanging = posed[:, ROWS:].reshape(-1, 3)
    for turn in range(4):
        distance, near = tree.query(hanging)
        depth = ((hanging - vertices[near]) * normals[near]).sum(1)
        facing = np.maximum((out[near] * normals[near]).sum(1), 0.35)
        push = np.where(distance < 0.10, np.clip((gap_m - depth) / facing, 0, 0.04), 0)
        hanging = hanging + push[:, None] * out[near]
        if turn < 3 and push.any():  # strands beside and below a pushed one go with it a little
            grid = hanging.reshape(len(posed), -1, 3)
            soft = grid.copy()
            soft[:, 1:-1] = 0.5 * grid[:, 1:-1] + 0.25 * (grid[:, 2:] + grid[:, :-2])
            beside = 0.25 * (np.roll(soft, 1, 0) + np.roll(soft, -1, 0)) + 0.5 * soft
            close = (np.linalg.norm(np.roll(soft, 1, 0) - soft, axis=-1) < 0.04) \
                & (np.linalg.norm(np.roll(soft, -1, 0) - soft, axis=-1) < 0.04)
            hanging = np.where(close[..., None], beside, soft).reshape(-1, 3)
    return np.concatenate([posed[:, :ROWS], hanging.reshape(len(posed), -1, 3)], 1)


def _sheet(name, figure, points, weights, material, faces_of, clothes: Sequence[Surface] = ()) -> Surface:
    """A closed round of columns as one mesh, moved with the pose."""
    count, rows = points.shape[:2]
    transforms = figure.posed.transforms[:, :3, :].reshape(-1, 12)
    moves = (weights.reshape(count * rows, -1) @ transforms).reshape(-1, 3, 4)
    flat = points.reshape(-1, 3)
    posed = np.einsum("nij,nj->ni", moves[:, :, :3], flat) + moves[:, :, 3]
    if clothes:
        posed = _over_clothes(posed.reshape(count, rows, 3), clothes, 0.010).reshape(-1, 3)
    index = np.arange(count * rows).reshape(count, rows)
    a, b = index, np.roll(index, -1, 0)
    quads = np.stack([a[:, :-1], b[:, :-1], b[:, 1:], a[:, 1:]], -1).reshape(-1, 4)
    over = np.repeat(faces_of[:, :, None], 1, 2)[:, :, 0]
    over = np.concatenate([over, np.repeat(over[:, -1:], rows - over.shape[1], 1)], 1)[:, :-1].ravel()
    faces = np.concatenate([quads[:, [0, 2, 1]], quads[:, [0, 3, 2]]])
    over = np.concatenate([over, over])
    p = flat[faces]
    area = np.linalg.norm(np.cross(p[:, 1] - p[:, 0], p[:, 2] - p[:, 0]), axis=1)
    solid = area > 1e-9
    faces, over = faces[solid], over[solid]
    chart, chart_uv = carried(over, np.full((len(over), 3, 3), 1 / 3))
    run = np.concatenate([np.zeros((count, 1)), np.cumsum(np.linalg.norm(np.diff(points, axis=1), axis=-1), 1)], 1)
    u = np.broadcast_to(np.arange(count)[:, None] / count, (count, rows)) * 4
    u = np.minimum(u, 4 - u)  # mirrored at the back, so that the round closes
    normals = body.vertex_normals(posed, faces)
    return Surface(name, posed.astype(np.float32), faces.astype(np.int32), material,
                   np.full(len(faces), PART_ID["hair"], np.uint8),
                   uv=np.stack([u.ravel(), -run.ravel() / TILE_M], 1).astype(np.float32), rest=flat.astype(np.float32),
                   chart=chart, chart_uv=chart_uv, normals=normals.astype(np.float32))


def _knot(key: Key, figure: Figure, style: Style, material: Material, size: float) -> list[Surface]:
    """A bun or a tail at the back of the head."""
    grid = scalp()
    model = body.model()
    faces = model.mesh("body").base_faces
    rest = figure.posed.rest_vertices.astype(float)
    column, row = COLUMNS // 2, int(ROWS * key.child("height").uniform(0.12, 0.5))
    corners = faces[grid.face[column, row]]
    root = grid.bary[column, row] @ rest[corners]
    normal = figure.rest.normals[corners].astype(float).mean(0)
    weight = np.zeros(len(model.bones))
    weight[model.bone("head")] = 1
    around, along = 24, 14
    angle = np.arange(around) * 2 * np.pi / around
    if style.knot == "bun":
        s = np.linspace(0, np.pi, along)
        radius = key.child("radius").uniform(0.026, 0.042) * size
        axis = normal
        centre = root + normal * (0.75 * radius + style.top * size)
        spine = centre - np.cos(s)[:, None] * axis * radius * 0.85
        width = np.sin(s) * radius + 1e-4
        weights = np.tile(weight, (along, 1))
    else:
        length = key.child("length").uniform(0.12, 0.30) * size
        s = np.linspace(0, 1, along)
        out = np.array([0, normal[1], 0]) / max(abs(normal[1]), 1e-6)
        start = root + normal * style.top * size
        spine = start + out * 0.05 * size * np.sqrt(s)[:, None] - np.array([0, 0, 1]) * (s**1.5)[:, None] * length \
            + normal * 0.02 * size * np.minimum(s * 4, 1)[:, None]
        width = size * (0.012 + 0.016 * np.sin(np.clip(s * 1.15, 0, 1) * np.pi) ** 0.7) * np.clip((1.03 - s) * 8, 0.05, 1)
        axis = None
        weights = np.tile(weight, (along, 1))
    tangent = np.gradient(spine, axis=0) if axis is None else np.tile(axis, (along, 1))
    tangent /= np.maximum(np.linalg.norm(tangent, axis=1, keepdims=True), 1e-9)
    side = np.cross(tangent, [1.0, 0.02, 0.01])
    side /= np.linalg.norm(side, axis=1, keepdims=True)
    other = np.cross(tangent, side)
    ring = np.cos(angle)[:, None, None] * side + np.sin(angle)[:, None, None] * other
    bumps = 1 + 0.07 * np.sin(5 * angle + 2 * np.pi * key.child("phase").uniform())[:, None]
    points = spine[None] + ring * (width[None] * bumps)[..., None]
    points = points[::-1]
    return [_sheet("hair knot", figure, points, np.broadcast_to(weights, (around, along, weights.shape[1])), material,
                   np.full((around, along), grid.face[column, row]))]
