"""Labels against scenes whose answers are known by hand: the signals are written, not rendered."""

import numpy as np
import pytest

from understudy.labels import LABELS, Answers, answers, assemble, channels
from understudy.labels.densepose import encode_iuv
from understudy.labels.keypoints import keypoints
from understudy.scene import Camera, Entity, Keypoints, Lens, Material, Scene, Surface
from understudy.signals import CHANNELS, DEPTH, INSTANCE, IUV, SILHOUETTES, SILHOUETTES_WIDE, Signals

H, W = 40, 60
CAMERA = Camera(Lens((W, H), (100.0, 100.0), (30.0, 20.0)), np.eye(4))  # looks along the world's +z


def entity(number, category="thing", points=(), chart=None):
    surface = Surface("s", np.zeros((3, 3), np.float32), np.array([[0, 1, 2]], np.int32), Material(),
                      np.ones(1, np.uint8), chart=chart)
    return Entity(number, category, (surface,), tuple(points), {"colour": "red"})


def scene(*entities):
    return Scene(("other", "thing"), CAMERA, entities)


def picture(**channels_):
    full = {INSTANCE: np.zeros((H, W), np.uint32), DEPTH: np.full((H, W), np.inf, np.float32)}
    return Signals(full | {CHANNELS[k]: v for k, v in channels_.items()})


def test_box_mask_and_amodal_of_a_half_hidden_square():
    instance = np.zeros((H, W), np.uint32)
    instance[10:20, 15:25] = 7
    instance[10:20, 5:15] = 900_001  # an unlabelled thing hides the left half
    alone = np.zeros((1, H, W), bool)
    alone[0, 10:20, 5:25] = True
    signals = picture(instance=instance, silhouettes=alone, wide_area=np.array([400.0]))
    (found,), maps, _ = assemble(("masks", "amodal", "instances"), scene(entity(7), entity(900_001, None)), signals)
    assert found.xyxy_px == (15, 10, 25, 20)
    assert found.area_px == found.mask.area == 100
    assert found.amodal_xyxy_px == (5, 10, 25, 20)
    assert found.visible_fraction == 0.5
    assert found.truncation == 0.5  # 200 of 400 pixels lie in the picture
    assert found.category_id == 2
    assert set(np.unique(maps["instances"])) == {0, 7}


def test_a_single_pixel_and_nothing_at_all():
    instance = np.zeros((H, W), np.uint32)
    instance[39, 59] = 1
    found, _, _ = assemble(("boxes", "masks"), scene(entity(1), entity(2)), picture(instance=instance))
    assert [f.id for f in found] == [1]
    assert found[0].xyxy_px == (59, 39, 60, 40)


def test_a_speck_is_kept_and_ignored():
    instance = np.zeros((H, W), np.uint32)
    instance[0, :3] = 1
    instance[5:10, :5] = 2
    found, _, _ = assemble(("masks",), scene(entity(1), entity(2)), picture(instance=instance), minimum_visible_px=4)
    assert [(f.id, f.ignore) for f in found] == [(1, True), (2, False)]


def point(xyz, radius=0.1):
    return Keypoints("one", ("p",), np.array([xyz], np.float32), np.array([radius], np.float32))


def visibility(signals, xyz, radius=0.1, number=1):
    answer = keypoints(scene(entity(number, points=[point(xyz, radius)])), signals)
    return answer.instances[number]["points"][0].xyv[0]


@pytest.mark.parametrize(("surface_m", "owner", "expected"), [
    (2.00, 1, 2),   # the body's own skin at the point
    (1.95, 1, 2),   # the joint lies 5 cm inside its own body
    (1.85, 1, 1),   # its own arm, 15 cm in front
    (1.85, 2, 1),   # somebody else in front
    (1.95, 2, 1),   # somebody else's skin touching it
    (2.50, 2, 2),   # somebody behind
])
def test_visibility_is_decided_by_what_lies_in_front(surface_m, owner, expected):
    instance = np.full((H, W), owner, np.uint32)
    depth = np.full((H, W), surface_m, np.float32)
    if owner != 1:
        instance[20, 32:34], depth[20, 32:34] = 1, 2.0  # something of the body is seen two pixels away
    signals = picture(instance=instance, depth=depth)
    x, y, v = visibility(signals, (0, 0, 2.0))
    assert (x, y, v) == (30, 20, expected)


def test_a_point_with_nothing_of_its_own_body_around_is_hidden():
    signals = picture(instance=np.full((H, W), 2, np.uint32), depth=np.full((H, W), 2.5, np.float32))
    assert visibility(signals, (0, 0, 2.0))[2] == 1


def test_a_trunk_behind_a_hand_shows_nothing_of_a_finger_that_no_pixel_holds():
    instance, depth = np.ones((H, W), np.uint32), np.full((H, W), 2.4, np.float32)
    assert visibility(picture(instance=instance, depth=depth), (0, 0, 2.0))[2] == 1
    depth[21, 32] = 2.05  # one pixel of the hand
    assert visibility(picture(instance=instance, depth=depth), (0, 0, 2.0))[2] == 2


def test_a_corner_of_a_cuboid_hangs_before_what_it_is_around():
    instance, depth = np.ones((H, W), np.uint32), np.full((H, W), 2.4, np.float32)
    corner = Keypoints("one", ("p",), np.array([(0, 0, 2.0)], np.float32), np.array([0.1], np.float32), apart=True)
    answer = keypoints(scene(entity(1, points=[corner])), picture(instance=instance, depth=depth))
    assert answer.instances[1]["points"][0].xyv[0, 2] == 2


def test_visibility_is_a_majority_not_one_sample():
    depth = np.full((H, W), 2.0, np.float32)
    depth[20, 30] = 0.5  # a single speck in front of the point's own pixel
    signals = picture(instance=np.ones((H, W), np.uint32), depth=depth)
    assert visibility(signals, (0, 0, 2.0))[2] == 2


@pytest.mark.parametrize("xyz", [(2.0, 0, 2.0), (0, -2.0, 2.0), (0, 0, -2.0), (0.6, 0, 2.0)])
def test_outside_or_behind_is_zero(xyz):
    assert visibility(picture(), xyz).tolist() == [0, 0, 0]


def test_densepose_bytes_at_the_corners_of_the_chart():
    iuv = np.array([[[1, 0, 0], [24, 1, 1], [3, 0.5, 0.25], [0, 0.7, 0.7], [5, 1, 0]]], np.float32)
    mask = np.array([[True, True, True, True, False]])
    assert encode_iuv(iuv, mask).tolist() == [[[1, 0, 0], [24, 255, 255], [3, 128, 64], [0, 0, 0], [0, 0, 0]]]


def test_densepose_only_for_entities_with_charts():
    instance = np.ones((H, W), np.uint32)
    iuv = np.zeros((H, W, 3), np.float32)
    iuv[..., 0] = 2
    signals = picture(instance=instance, iuv=iuv)
    with_chart = assemble(("densepose",), scene(entity(1, chart=np.array([2], np.uint8))), signals)[0][0]
    without = assemble(("densepose",), scene(entity(1)), signals)[0][0]
    assert with_chart.densepose.xyxy_px == (0, 0, W, H)
    assert (with_chart.densepose.iuv == (2, 0, 0)).all()
    assert without.densepose is None


def test_channels_are_what_the_labels_need_and_no_more():
    assert channels(("boxes",)) == (INSTANCE,)
    assert set(channels(("amodal", "densepose"))) == {INSTANCE, SILHOUETTES, SILHOUETTES_WIDE, IUV}
    assert len(channels(LABELS)) == len(set(channels(LABELS)))


def test_ids_beyond_16_bits_survive():
    instance = np.full((H, W), 70_001, np.uint32)
    found, maps, _ = assemble(("masks", "instances"), scene(entity(70_001)), picture(instance=instance))
    assert found[0].id == 70_001
    assert maps["instances"].dtype == np.uint32
    assert (maps["instances"] == 70_001).all()


@answers(DEPTH)
def nearest(scene, signals):
    """An outsider's label."""
    return Answers(camera={"nearest_m": float(signals[DEPTH].min())})


@pytest.mark.parametrize("table", [LABELS | {"nearest": nearest}, {"nearest": nearest}], ids=["more", "alone"])
def test_an_outsiders_table_of_labels_is_asked(table):
    assert channels(("nearest",), table) == (INSTANCE, DEPTH)
    _, _, facts = assemble(("nearest",), scene(), picture(depth=np.full((H, W), 3.5, np.float32)), table=table)
    assert facts == {"nearest_m": 3.5}


def test_an_outsiders_label_from_recipe_to_record():
    from understudy.make import make_record
    from understudy.recipe import Tables, parse

    plain = {"world": {"solids": {"surroundings": None}}, "labels": {"keep": ["boxes", "nearest"]},
             "sensors": {"renderer": "flat", "camera": {"size": [64, 48]}}}
    recipe = parse(plain, tables=Tables(labels=LABELS | {"nearest": nearest}))
    record = make_record(recipe, 0).record
    assert 0 < record.camera["nearest_m"] < 100
