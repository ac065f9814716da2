"""Bodies: the forward pass, its parts, and that left is left."""

import numpy as np
import pytest

from understudy.worlds.people import body
from understudy.worlds.people.body import BODY_VERTICES, REGIONS, BodyShape, Pose, build, model, place, pose


@pytest.fixture(scope="module")
def rest():
    return build(BodyShape())


def still():
    return Pose(np.tile(np.eye(3), (len(model().bones), 1, 1)))


def random_rotations(rng, count, spread=0.5):
    """(count, 3, 3) rotations by Rodrigues' formula, independent of the module under test."""
    out = []
    for axis in rng.normal(size=(count, 3)) * spread:
        angle = np.linalg.norm(axis)
        k = np.cross(np.eye(3), -axis / angle)
        out.append(np.eye(3) + np.sin(angle) * k + (1 - np.cos(angle)) * k @ k)
    return np.array(out)


def test_a_rest_body_stands_up_faces_minus_y_and_has_its_left_at_plus_x(rest):
    assert rest.vertices.shape == (19158, 3) and rest.vertices.dtype == np.float32
    at = {name: rest.heads[i] for i, name in enumerate(model().bones)}
    assert at["head"][2] > at["root"][2] > at["foot.L"][2]
    assert at["wrist.L"][0] > 0.2 and at["wrist.R"][0] < -0.2
    assert at["toe1-1.L"][1] < at["foot.L"][1] and at["eye.L"][1] < at["head"][1]


def test_the_body_is_mirror_symmetric(rest):
    for name in ("wrist", "foot", "lowerarm01", "lowerleg01"):
        left, right = (rest.heads[model().bone(f"{name}.{side}")] for side in "LR")
        np.testing.assert_allclose(left * [-1, 1, 1], right, atol=2e-3)


def test_turning_only_the_root_moves_the_whole_body_rigidly(rest):
    rotations = still().rotations.copy()
    c, s = np.cos(0.7), np.sin(0.7)
    rotations[0] = [[c, -s, 0], [s, c, 0], [0, 0, 1]]
    before, after = pose(rest, still()), pose(rest, Pose(rotations))
    np.testing.assert_allclose(after.vertices, before.vertices @ rotations[0].T, atol=2e-6)


def test_bending_one_elbow_moves_that_arm_alone(rest):
    rotations = still().rotations.copy()
    rotations[model().bone("lowerarm01.L")] = random_rotations(np.random.Generator(np.random.PCG64(1)), 1)[0]
    moved = np.linalg.norm(pose(rest, Pose(rotations)).vertices - pose(rest, still()).vertices, axis=1)[:BODY_VERTICES]
    region = model().region[:BODY_VERTICES]
    assert (moved[region == REGIONS.index("hand.L")] > 0.01).all()
    assert moved[np.isin(region, [REGIONS.index(n) for n in ("head", "torso", "hand.R", "upper_leg.L")])].max() < 1e-4


def test_placing_keeps_transforms_vertices_and_joints_together(rest):
    posed = pose(rest, still())
    to_world = np.eye(4)
    to_world[:3, :3] = random_rotations(np.random.Generator(np.random.PCG64(3)), 1)[0]
    to_world[:3, 3] = 1, -2, 3
    there = place(posed, to_world)
    np.testing.assert_allclose(there.heads, posed.heads @ to_world[:3, :3].T + to_world[:3, 3], atol=1e-12)
    bone = model().bone("head")
    alone = np.flatnonzero(model().weights[:, bone] > 0.999999)
    by_bone = there.rest_vertices[alone] @ there.transforms[bone, :3, :3].T + there.transforms[bone, :3, 3]
    np.testing.assert_allclose(there.vertices[alone], by_bone, atol=1e-5)


def test_facial_actions_change_the_face_alone(rest):
    smile = pose(rest, Pose(still().rotations, {"mouthSmileLeft": 1.0}))
    moved = np.flatnonzero(np.linalg.norm(smile.vertices - pose(rest, still()).vertices, axis=1) > 1e-4)
    assert len(moved) > 50
    moved = moved[moved < BODY_VERTICES]
    assert set(model().region[moved]) == {REGIONS.index("head")}
    assert rest.vertices[moved, 0].mean() > 0.01, "the subject's left cheek is at +x"


def test_meshes_are_closed_over_their_vertices_and_face_outwards(rest):
    mesh = model().mesh("body")
    assert mesh.faces.max() == len(mesh.base) - 1 and len(mesh.uv) == len(mesh.base) and mesh.base.max() < BODY_VERTICES
    tri = rest.vertices[mesh.base_faces].astype(float)
    assert np.einsum("ij,ij->", np.cross(tri[:, 0], tri[:, 1]), tri[:, 2]) > 0
    assert 45 < rest.mass_kg < 100 and 1.5 < rest.stature_m < 2.0
    for name in model().facts["meshes"]:
        assert model().mesh(name).faces.shape[1] == 3


def test_normals_have_no_seams_and_point_out(rest):
    posed = pose(rest, still())
    used = np.unique(model().mesh("body").base_faces)
    np.testing.assert_allclose(np.linalg.norm(posed.normals[used], axis=1), 1, atol=1e-5)
    arm = used[model().region[used] == REGIONS.index("lower_arm.L")]
    elbow, wrist = posed.head("lowerarm01.L"), posed.head("wrist.L")
    along = (wrist - elbow) / np.linalg.norm(wrist - elbow)
    outwards = posed.vertices[arm] - elbow
    outwards -= (outwards @ along)[:, None] * along
    assert ((outwards * posed.normals[arm]).sum(axis=1) > 0).mean() > 0.97


@pytest.mark.parametrize("bad", [{"age": 1.2}, {"height": -0.1}, {"weight": 1.6}, {"african": -0.5},
                                 {"details": {"no-such-thing": 0.5}}, {"details": {"nose-hump-incr": 1.5}}])
def test_a_shape_outside_its_range_is_refused(bad):
    with pytest.raises(ValueError):
        build(BodyShape(**bad))


def test_weight_beyond_the_heaviest_goes_on_in_the_same_direction():
    one, more = (build(BodyShape(weight=w)) for w in (1.0, 1.5))
    half = build(BodyShape(weight=0.75))
    np.testing.assert_allclose(more.vertices - one.vertices, 2 * (one.vertices - half.vertices), atol=3e-6)


@pytest.mark.slow
def test_the_forward_pass_equals_annys():
    """To 0.1 mm over random shapes, features, faces and poses (measured: under 1 µm)."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import anny
        import torch

        theirs = anny.Anny(topology="anny-full", local_changes="default", facial_actions="all", phenotypes="all",
                           skinning_method="lbs")
    m, rng = model(), np.random.Generator(np.random.PCG64(0))
    for _ in range(12):
        phenotypes = {name: float(rng.random()) for name in body.PHENOTYPES}
        phenotypes["age"] = phenotypes["age"] * 4 / 3 - 1 / 3
        details = {n: float(rng.uniform(-1, 1)) for n in rng.choice(m.local_changes, 20, replace=False)}
        actions = {n: float(rng.uniform(0, 1)) for n in rng.choice(m.facial_actions, 8, replace=False)}
        rotations = random_rotations(rng, len(m.bones))
        deltas = torch.eye(4, dtype=torch.float64)[None, None].repeat(1, len(m.bones), 1, 1)
        deltas[0, :, :3, :3] = torch.tensor(rotations)
        wanted = theirs(pose_parameters=deltas, phenotype_kwargs=phenotypes, local_changes_kwargs=details,
                        facial_actions=actions)
        got = pose(build(BodyShape(**phenotypes, details=details)), Pose(rotations, actions))
        np.testing.assert_allclose(got.rest_vertices, wanted["rest_vertices"][0].numpy(), atol=1e-4)
        np.testing.assert_allclose(got.vertices, wanted["vertices"][0].numpy(), atol=1e-4)
        np.testing.assert_allclose(got.heads, wanted["bone_poses"][0, :, :3, 3].numpy(), atol=1e-4)
