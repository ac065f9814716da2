"""The auditor on records: each rule sees exactly the defect planted for it, and clean records give nothing."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from understudy.checks.audit import RULES, audit_record, audit_records
from understudy.checks.finding import BY_HAND
from understudy.checks.joints import mirrored_2d, mirrored_3d
from understudy.record import DensePose, PointSet, Rle


def changed(record, *, at=0, **fields):
    """The record with fields of its ``at``-th instance replaced."""
    instances = list(record.instances)
    instances[at] = dataclasses.replace(instances[at], **fields)
    return dataclasses.replace(record, instances=tuple(instances))


def with_map(record, name, change):
    array = record.maps[name].copy()
    change(array, record.instances[0].mask.decode())
    return dataclasses.replace(record, maps={**record.maps, name: array})


def with_points(record, change):
    points = record.instances[0].points[0]
    xyv, xyz = points.xyv.copy(), points.xyz_m.copy()
    change(xyv, xyz, points.names.index)
    return changed(record, points=(dataclasses.replace(points, xyv=xyv, xyz_m=xyz),))


def without(record, *fields, keep_maps=()):
    """The record without what other rules would compare the planted defect against."""
    instances = tuple(dataclasses.replace(i, **{f: () if f == "points" else None for f in fields}) for i in record.instances)
    return dataclasses.replace(record, instances=instances, maps={k: v for k, v in record.maps.items() if k in keep_maps})


def swap_sides(points):
    names = points.names
    other = [names.index(n.replace("left", "#").replace("right", "left").replace("#", "right")) for n in names]
    return dataclasses.replace(points, xyv=points.xyv[other],
                               xyz_m=None if points.xyz_m is None else points.xyz_m[other])


def plant_box_tight(r):
    x0, y0, x1, y1 = r.instances[0].xyxy_px
    return changed(r, xyxy_px=(x0, y0, x1 + 1, y1))


def plant_amodal_box(r):
    x0, y0, x1, y1 = r.instances[0].amodal_xyxy_px
    return changed(r, amodal_xyxy_px=(x0 + 1, y0, x1, y1))


def plant_mask_empty(r):
    mask = Rle.encode(np.zeros(r.picture.size_wh[::-1], bool))
    return changed(without(r, "densepose", "amodal_mask", "visible_fraction", "points", "area_px"), mask=mask)


def plant_overlap(r):
    a, b = r.instances[0].mask.decode(), r.instances[1].mask.decode()
    row, column = np.argwhere(b)[len(np.argwhere(b)) // 2]
    a[row, column] = True
    r = without(r, "area_px", "amodal_mask", "visible_fraction", "densepose", "points")
    return changed(r, mask=Rle.encode(a), xyxy_px=tuple(map(float, _bounds(a))))


def plant_modal_outside(r):
    whole = r.instances[0].amodal_mask.decode()
    seen = r.instances[0].mask.decode()
    inner = np.argwhere(seen)[len(np.argwhere(seen)) // 2]
    whole[tuple(inner)] = False
    return changed(r, amodal_mask=Rle.encode(whole))


def plant_densepose_box(r):
    d = r.instances[0].densepose
    return changed(r, densepose=DensePose(d.xyxy_px, d.iuv[:-1]))


def plant_camera(r):
    pose = np.diag([1.0, 1.0, -1.0, 1.0]).tolist()
    return dataclasses.replace(r, camera={**r.camera, "to_world": pose})


def plant_other_focal(r):
    k = np.array(r.camera["matrix"]) * [[1.05, 1, 1], [1, 1.05, 1], [1, 1, 1]]
    return dataclasses.replace(r, camera={**r.camera, "matrix": k.tolist()})


def _bounds(mask):
    ys, xs = np.nonzero(mask)
    return xs.min(), ys.min(), xs.max() + 1, ys.max() + 1


def _set(array, where, value):
    array[where] = value


def _hide_point(xyv, xyz, at):
    k = at("left_wrist")
    xyv[k] = (2.5, 110.5, 1)
    xyz[k] = np.nan


def _joint_off(xyv, xyz, at):
    xyv[at("left_wrist"), :2] += (0.0, 3.0)


def _other_size(r):
    return dataclasses.replace(r.picture, data=_png(64, 48))


def _png(w, h):
    import io

    from PIL import Image

    file = io.BytesIO()
    Image.new("RGB", (w, h)).save(file, "PNG")
    return file.getvalue()


def _metres_for_centimetres(r):
    points = r.instances[0].points[0]
    return changed(dataclasses.replace(r, camera=None), points=(dataclasses.replace(points, xyz_m=points.xyz_m * 100),))


PLANTS = {
    "picture-unreadable": lambda r: dataclasses.replace(
        r, picture=dataclasses.replace(r.picture, data=r.picture.data[:300])),
    "picture-size": lambda r: dataclasses.replace(r, picture=_other_size(r)),
    "mask-empty": plant_mask_empty,
    "box-tight": plant_box_tight,
    "amodal-box-tight": plant_amodal_box,
    "area": lambda r: changed(r, area_px=r.instances[0].area_px + 1),
    "masks-disjoint": plant_overlap,
    "modal-in-amodal": plant_modal_outside,
    "visible-fraction": lambda r: changed(r, visible_fraction=r.instances[0].visible_fraction - 0.01),
    "truncation": lambda r: changed(r, truncation=0.4),
    "attributes": lambda r: changed(r, attributes={"height_m": float("nan")}),
    "points-shape": lambda r: with_points(r, lambda xyv, xyz, at: _set(xyv, (3, 2), 3)),
    "points-inside": lambda r: with_points(r, lambda xyv, xyz, at: _set(xyv, (at("nose"), 2), 0)),
    "points-on-body": lambda r: with_points(dataclasses.replace(r, camera=None), _hide_point),
    "points-left-right": lambda r: changed(r, points=(swap_sides(r.instances[0].points[0]),)),
    "points-depth": _metres_for_centimetres,
    "points-camera": plant_other_focal,
    "camera": plant_camera,
    "depth": lambda r: with_map(r, "depth", lambda a, m: _set(a, m & (np.cumsum(m).reshape(m.shape) == 40), np.inf)),
    "normals": lambda r: with_map(r, "normals", lambda a, m: _set(a, m, a[m] * 0.5)),
    "instance-map": lambda r: with_map(r, "instances", lambda a, m: _set(a, (0, 0), 7)),
    "semantic-map": lambda r: with_map(r, "semantic", lambda a, m: _set(a, m, 2)),
    "part-map": lambda r: with_map(r, "parts", lambda a, m: _set(a, (0, 0), 3)),
    "densepose": plant_densepose_box,
}


@pytest.mark.parametrize("index", range(6))
def test_clean_records_give_nothing(ball_people, index):
    assert audit_record(ball_people(index, 1 + index % 3)) == []


def test_every_rule_has_a_planted_defect():
    assert {r.name for r in RULES} == set(PLANTS)


@pytest.mark.parametrize("rule", PLANTS)
def test_a_planted_defect_is_found_and_nothing_else(ball_people, rule):
    record = PLANTS[rule](ball_people())
    findings = audit_record(record)
    assert {f.rule for f in findings} == {rule}, [str(f) for f in findings]
    assert "record 0" in str(findings[0]) and f"[{rule}]" in str(findings[0])


@pytest.mark.parametrize("more", [
    ("depth", lambda r: with_map(r, "depth", lambda a, m: _set(a, (0, 0), np.nan))),
    ("depth", lambda r: with_map(r, "depth", lambda a, m: _set(a, (0, 0), -1.0))),
    ("normals", lambda r: with_map(r, "normals", lambda a, m: _set(a, m, 0.0))),
    ("instance-map", lambda r: with_map(r, "instances", lambda a, m: _set(a, tuple(np.argwhere(m)[9]), 2))),
    ("semantic-map", lambda r: with_map(r, "semantic", lambda a, m: _set(a, (0, 0), 1))),
    ("semantic-map", lambda r: with_map(r, "semantic", lambda a, m: _set(a, (0, 0), 3))),
    ("part-map", lambda r: with_map(r, "parts", lambda a, m: _set(a, m, 99))),
    ("densepose", lambda r: _with_iuv(r, lambda iuv: _set(iuv, (*np.argwhere(iuv[..., 0] > 0)[0], 0), 25))),
    ("densepose", lambda r: _with_iuv(r, lambda iuv: _set(iuv, (*np.argwhere(iuv[..., 0] == 0)[0], 1), 9))),
    ("densepose", lambda r: _with_iuv(r, lambda iuv: _set(iuv, (*np.argwhere(iuv[..., 0] == 0)[0], 0), 9))),
    ("visible-fraction", lambda r: changed(r, visible_fraction=1.2)),
    ("truncation", lambda r: changed(r, truncation=-0.1)),
    ("area", lambda r: changed(r, area_px=float("nan"))),
    ("points-inside", lambda r: with_points(r, _outside)),
    ("points-shape", lambda r: changed(r, points=(dataclasses.replace(r.instances[0].points[0], names=("nose",)),))),
    ("points-shape", lambda r: with_points(r, lambda xyv, xyz, at: _set(xyv, (0, 0), np.inf))),
    ("points-on-body", lambda r: with_points(dataclasses.replace(r, camera=None), _seen_on_nothing)),
    ("points-camera", lambda r: with_points(r, _joint_off)),
    ("camera", lambda r: dataclasses.replace(r, camera={**r.camera, "matrix": np.zeros((3, 3)).tolist()})),
    ("camera", lambda r: dataclasses.replace(r, camera={**r.camera, "distortion": [0.0, float("nan"), 0, 0, 0]})),
])
def test_more_plants(ball_people, more):
    rule, plant = more
    assert {f.rule for f in audit_record(plant(ball_people()))} == {rule}


def _with_iuv(r, change):
    d = r.instances[0].densepose
    iuv = d.iuv.copy()
    change(iuv)
    return changed(r, densepose=DensePose(d.xyxy_px, iuv))


def _outside(xyv, xyz, at):
    xyv[at("nose")] = (-4.0, 20.0, 2.0)
    xyz[:] = np.nan


def _seen_on_nothing(xyv, xyz, at):
    xyv[at("left_wrist")] = (2.5, 110.5, 2)
    xyz[at("left_wrist")] = np.nan


def test_bodies_turned_every_way_are_no_mirror_images(ball_people):
    xyz = ball_people(0, 1).instances[0].points[0].xyz_m.astype(float)
    points = ball_people(0, 1).instances[0].points[0]
    for turn in np.linspace(0, 2 * np.pi, 13):
        for tilt in np.linspace(0, np.pi, 5):
            c, s = np.cos(turn), np.sin(turn)
            yaw = np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])
            c, s = np.cos(tilt), np.sin(tilt)
            roll = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
            turned = dataclasses.replace(points, xyz_m=xyz @ yaw.T @ roll.T)
            assert mirrored_3d(turned) is None
            assert mirrored_3d(swap_sides(turned)) is not None
            mirror = dataclasses.replace(turned, xyz_m=turned.xyz_m * (-1, 1, 1))
            assert mirrored_3d(mirror) is not None


def test_a_mirrored_face_is_seen_from_pixels_alone(ball_people):
    points = dataclasses.replace(ball_people(0, 1).instances[0].points[0], xyz_m=None)
    assert mirrored_2d(points) is None
    assert mirrored_2d(swap_sides(points)) is not None


def test_what_is_not_held_is_not_asked_for(ball_people):
    record = ball_people()
    bare = dataclasses.replace(record, maps={}, camera=None, instances=tuple(
        dataclasses.replace(i, mask=None, area_px=None, amodal_mask=None, amodal_xyxy_px=None, visible_fraction=None,
                            truncation=None, points=(), densepose=None) for i in record.instances))
    assert audit_record(bare) == []


def test_hand_made_labels_may_be_a_little_off(ball_people):
    record = plant_box_tight(ball_people())
    assert audit_record(record, BY_HAND) == []


def test_between_records(ball_people):
    one, two = ball_people(0), ball_people(1)
    assert audit_records([one, two]) == []
    assert [f.rule for f in audit_records([one, dataclasses.replace(two, index=0)])] == ["index-unique"]
    assert [f.rule for f in audit_records([one, dataclasses.replace(two, picture=one.picture)])] == ["picture-twice"]
    other = dataclasses.replace(two, categories=("person", "cat"))
    assert [f.rule for f in audit_records([one, other])] == ["categories-same"]


def test_points_of_any_convention_are_audited(ball_people):
    """The corners of a box need not lie on the thing in it; that they lie in the picture is asked of all."""
    record = ball_people()
    corners = PointSet("corners", ("tip",), np.array([[5.0, 5.0, 2.0]], np.float32))
    assert audit_record(changed(record, points=(corners,))) == []
    outside = dataclasses.replace(corners, xyv=np.array([[-5.0, 5.0, 2.0]], np.float32))
    assert [f.rule for f in audit_record(changed(record, points=(outside,)))] == ["points-inside"]
