"""The canvas that clothes are cut from: its seams, and the mean of neighbours that smooths it."""

from dataclasses import replace

import numpy as np
import pytest

from understudy.worlds.people import body
from understudy.worlds.people.clothes.canvas import canvas, refined
from understudy.worlds.people.clothes.coordinates import limb_shares
from understudy.worlds.people.clothes.neighbours import neighbour_average, on_border
from understudy.worlds.people.clothes.seams import sewn
from understudy.worlds.people.clothes.shell import COARSE_M, Ease, drape, measure
from understudy.worlds.people.figure import Detail

from .dress_figures import figure


def _seam(c):
    """(k, 3) vertices of the canvas one after another along the seams between limbs, in the chest's and hips' region."""
    edges = {}
    for face, corners in zip(c.faces.tolist(), c.corner_faces.tolist()):
        for k in range(3):
            (a, x), (b, y) = sorted(((face[k], corners[k]), (face[(k + 1) % 3], corners[(k + 1) % 3])))
            edges.setdefault((a, b), set()).add((x, y))
    beside = {}
    for (a, b), sides in edges.items():
        if len(sides) == 2:
            beside.setdefault(a, []).append(b)
            beside.setdefault(b, []).append(a)
    where = c.at.xyz
    along = [(n[0], v, n[1]) for v, n in beside.items() if len(n) == 2]
    return np.array([t for t in along if np.abs(c.at.along[list(t)]).max() < 0.2 or abs(where[t[1], 0]) < 0.12])


def _turns(at, seam):
    """Degrees by which the seam turns at each vertex."""
    a, b = at[seam[:, 1]] - at[seam[:, 0]], at[seam[:, 2]] - at[seam[:, 1]]
    return np.degrees(np.arccos(np.clip((a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1), -1, 1)))


@pytest.mark.parametrize("fine", [True, False])
def test_every_face_lies_on_one_side_of_a_seam_and_none_is_turned_over(fine):
    stencil, faces, xyz, _ = refined("tights", fine)
    share = limb_shares(stencil @ body.model().weights)
    limb, _, moved = sewn(faces, share, xyz, 12 if fine else 3)
    assert set(np.unique(limb)) == set(range(5))
    before, after = (np.cross(p[faces[:, 1]] - p[faces[:, 0]], p[faces[:, 2]] - p[faces[:, 0]]) for p in (xyz, moved @ xyz))
    assert ((before * after).sum(1) > 0).all()
    assert np.isfinite(canvas(fine).corner_uv).all()


@pytest.mark.parametrize("fine", [True, False])
def test_seams_run_evenly_on_the_canvas_and_in_draped_cloth(fine):
    """A closed loop of n edges turns by 360 degrees in all; steps would turn by some 90 at every vertex."""
    c = canvas(fine)
    seam = _seam(c)
    assert len(seam) > 100 if fine else len(seam) > 50
    m = measure(replace(figure("man"), detail=Detail(4000.0 if fine else 0.5 / COARSE_M)))
    assert m.canvas.fine == fine
    cloth = drape(m, Ease(loose_m=0.012, slope={"torso": 0.15}))
    for at in (c.at.xyz, cloth):
        assert np.percentile(_turns(at, seam), 85) < (25 if fine else 40)


def test_the_weighted_mean_leaves_a_flat_uneven_mesh_where_it_is():
    rng = np.random.default_rng(3)
    n = 12
    grid = np.stack(np.meshgrid(np.arange(n), np.arange(n), indexing="ij"), -1).reshape(-1, 2)
    xyz = np.column_stack([grid + rng.uniform(-0.3, 0.3, grid.shape), np.zeros(n * n)])
    corner = (np.arange(n - 1)[:, None] * n + np.arange(n - 1)).ravel()
    faces = np.stack([corner, corner + n, corner + n + 1, corner, corner + n + 1, corner + 1], 1).reshape(-1, 3)
    inner = ~on_border(faces, n * n)
    plain, weighted = neighbour_average(faces, n * n), neighbour_average(faces, n * n, xyz)
    np.testing.assert_allclose(np.asarray(weighted.sum(1)).ravel(), 1)
    np.testing.assert_allclose((weighted @ xyz)[inner], xyz[inner], atol=1e-9)
    assert np.abs((plain @ xyz - xyz)[inner]).max() > 0.1
    assert (weighted.data >= 0).all()
    assert (weighted[~inner] != 0).sum(1).max() == (plain[~inner] != 0).sum(1).max() == 2
