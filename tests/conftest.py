"""Shared material: small records whose every label follows from the geometry of a few spheres.

``ball_people(index)`` gives a fresh, complete and correct :class:`~understudy.record.Record` in a few milliseconds: two
or more figures made of balls along a skeleton, seen by a pinhole camera, one partly hidden, one cut by the border.
"""

from __future__ import annotations

import io

import numpy as np
import pytest

from understudy.record import DensePose, Instance, Picture, PointSet, Record, Rle

_JOINTS = {  # x to the figure's left, y up, z forward, metres; the figure looks along +z
    "nose": (0.0, 1.62, 0.12), "left_eye": (0.03, 1.66, 0.09), "right_eye": (-0.03, 1.66, 0.09),
    "left_ear": (0.08, 1.64, 0.0), "right_ear": (-0.08, 1.64, 0.0),
    "left_shoulder": (0.19, 1.42, 0.0), "right_shoulder": (-0.19, 1.42, 0.0),
    "left_elbow": (0.30, 1.15, 0.02), "right_elbow": (-0.30, 1.15, 0.02),
    "left_wrist": (0.32, 0.90, 0.10), "right_wrist": (-0.32, 0.90, 0.10),
    "left_hip": (0.11, 0.92, 0.0), "right_hip": (-0.11, 0.92, 0.0),
    "left_knee": (0.12, 0.50, 0.03), "right_knee": (-0.12, 0.50, 0.03),
    "left_ankle": (0.12, 0.08, 0.0), "right_ankle": (-0.12, 0.08, 0.0),
}
_BONES = [("left_ankle", "left_knee", 0.07), ("left_knee", "left_hip", 0.09), ("right_ankle", "right_knee", 0.07),
          ("right_knee", "right_hip", 0.09), ("left_shoulder", "left_elbow", 0.06), ("left_elbow", "left_wrist", 0.05),
          ("right_shoulder", "right_elbow", 0.06), ("right_elbow", "right_wrist", 0.05),
          ("left_hip", "left_shoulder", 0.13), ("right_hip", "right_shoulder", 0.13), ("left_ear", "right_ear", 0.11)]
_RADIUS_M = 0.15


@pytest.fixture(scope="session")
def ball_people():
    return _record


def _record(index: int = 0, figures: int = 2, size_wh: tuple[int, int] = (160, 120), suffix: str = ".png") -> Record:
    w, h = size_wh
    focal = 0.9 * w
    matrix = np.array([[focal, 0, w / 2], [0, focal, h / 2], [0, 0, 1.0]])
    columns, rows = np.meshgrid(np.arange(w) + 0.5, np.arange(h) + 0.5)
    rays = np.stack([(columns - w / 2) / focal, (rows - h / 2) / focal, np.ones((h, w))], -1)
    depth, instance = np.full((h, w), np.inf, np.float32), np.zeros((h, w), np.uint32)
    normal, chart = np.zeros((h, w, 3), np.float32), np.zeros((h, w), np.uint8)
    bodies = []
    for n in range(figures):
        turn = np.radians(20.0 * np.sin(index + 1.7 * n))
        offset = np.array([(-0.45, 0.1, 1.55)[n % 3] + 0.07 * (index % 5), 0.9, 3.4 + 0.5 * n])
        joints = {name: _to_camera(np.array(xyz), turn) + offset for name, xyz in _JOINTS.items()}
        own_depth, own_normal, own_chart = _balls(joints, rays)
        bodies.append((joints, np.isfinite(own_depth)))
        front = own_depth < depth
        depth[front], instance[front] = own_depth[front], n + 1
        normal[front], chart[front] = own_normal[front], own_chart[front]
    instances = []
    for n, (joints, whole) in enumerate(bodies):
        seen = instance == n + 1
        if not seen.any():
            continue
        xyz = np.array(list(joints.values()), np.float32)
        xy = (xyz @ matrix.T)[:, :2] / xyz[:, 2:]
        v = np.array([_visibility(p, z, n + 1, instance, depth) for p, z in zip(xy, xyz[:, 2])])
        box = _bounds(seen)
        iuv = np.zeros((box[3] - box[1], box[2] - box[0], 3), np.uint8)
        window = np.where(seen, chart, 0)[box[1]:box[3], box[0]:box[2]]
        iuv[..., 0] = window
        iuv[..., 1:] = (window > 0)[..., None] * 128
        cut = whole[:, 0].any() or whole[:, -1].any() or whole[0].any() or whole[-1].any()
        instances.append(Instance(
            id=n + 1, category_id=1, xyxy_px=tuple(map(float, box)), mask=Rle.encode(seen), area_px=float(seen.sum()),
            amodal_xyxy_px=tuple(map(float, _bounds(whole))), amodal_mask=Rle.encode(whole),
            visible_fraction=float(seen.sum() / whole.sum()), truncation=0.3 if cut else 0.0,
            points=(PointSet("coco17", tuple(_JOINTS),
                             np.where(v[:, None] > 0, np.column_stack([xy, v]), 0).astype("f4"), xyz),),
            densepose=DensePose(box, iuv),
            attributes={"age": 20 + 7 * n + index, "skin_tone": 1 + (index + n) % 10, "top": "striped shirt"}))
    shade = np.clip(-normal @ np.array([0.3, 0.6, 0.75], np.float32), 0.15, 1)[..., None]
    tint = np.array([[90, 120, 150], [200, 80, 70], [80, 150, 90], [190, 160, 70]], float)[np.minimum(instance, 3)]
    ground = np.linspace(235, 120, h)[:, None, None] * np.array([0.95, 1.0, 1.05])
    ground = ground + 6 * np.sin(columns / 7 + index)[..., None]
    rgb = np.where((instance > 0)[..., None], tint * (0.4 + 0.9 * shade), ground).clip(0, 255).astype(np.uint8)
    part = np.where(instance > 0, 15, 0).astype(np.uint8)
    return Record(
        index=index, picture=Picture(_encoded(rgb, suffix), suffix, size_wh), categories=("person", "dog"),
        instances=tuple(instances),
        camera={"matrix": matrix.tolist(), "distortion": [0.0] * 5, "to_world": np.eye(4).tolist()},
        maps={"depth": depth, "normals": normal, "instances": instance, "parts": part,
              "semantic": (instance > 0).astype(np.uint16)},
        drawn={"world.people.count": figures, "camera.fov": 58.0 + index} | {f"world.people.age[{n}]": 20.0 + 7 * n + index
                                                                            for n in range(figures)})


def _to_camera(xyz: np.ndarray, turn: float) -> np.ndarray:
    """A figure that looks at the camera: its left is on the picture's right, up is -y, forward is -z."""
    x, y, z = xyz
    return np.array([x * np.cos(turn) + z * np.sin(turn), -y, x * np.sin(turn) - z * np.cos(turn)])


def _balls(joints, rays):
    h, w, _ = rays.shape
    depth, normal, chart = np.full((h, w), np.inf, np.float32), np.zeros((h, w, 3), np.float32), np.zeros((h, w), np.uint8)
    square = (rays**2).sum(-1)
    for number, (a, b, radius) in enumerate(_BONES, 1):
        for t in np.linspace(0, 1, 8):
            centre = joints[a] * (1 - t) + joints[b] * t
            along = rays @ centre / square
            under = along**2 - (centre @ centre - radius**2) / square
            hit = under >= 0
            z = np.where(hit, along - np.sqrt(np.where(hit, under, 0)), np.inf).astype(np.float32)
            front = z < depth
            depth[front], chart[front] = z[front], number
            normal[front] = (rays[front] * z[front, None] - centre) / radius
    return depth, normal, chart


def _visibility(xy, z, number, instance, depth) -> int:
    h, w = depth.shape
    x, y = np.floor(xy).astype(int)
    if not (0 <= x < w and 0 <= y < h):
        return 0
    return 2 if instance[y, x] == number and z - depth[y, x] < _RADIUS_M else 1


def _bounds(mask) -> tuple[int, int, int, int]:
    ys, xs = np.nonzero(mask)
    return int(xs.min()), int(ys.min()), int(xs.max()) + 1, int(ys.max()) + 1


def _encoded(rgb, suffix) -> bytes:
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(rgb).save(file, "PNG" if suffix == ".png" else "JPEG")
    return file.getvalue()
