"""Simple bodies: closed, outwards, of the right volume, standing on the ground."""

import math

import numpy as np
import pytest

from understudy.geometry import primitives

BODIES = {
    "sphere": (primitives.sphere(0.5), 4 / 3 * math.pi * 0.5**3),
    "box": (primitives.box(1, 2, 3), 6.0),
    "cylinder": (primitives.cylinder(0.5, 2), math.pi * 0.5),
    "cone": (primitives.cone(0.5, 2), math.pi * 0.5 / 3),
    "capsule": (primitives.capsule(0.25, 2), math.pi * 0.25**2 * 1.5 + 4 / 3 * math.pi * 0.25**3),
    "torus": (primitives.torus(1, 0.2), 2 * math.pi**2 * 0.2**2),
}


@pytest.mark.parametrize("name", BODIES)
def test_volume_and_outward_faces(name):
    mesh, volume = BODIES[name]
    a, b, c = (mesh.vertices[mesh.faces[:, i]].astype(float) for i in range(3))
    assert np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6 == pytest.approx(volume, rel=0.02)


@pytest.mark.parametrize("name", BODIES)
def test_closed_and_on_the_ground(name):
    mesh, _ = BODIES[name]
    _, welded = np.unique(np.round(mesh.vertices, 5), axis=0, return_inverse=True)
    faces = welded.reshape(-1)[mesh.faces]
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    forward = {tuple(e) for e in edges.tolist()}
    assert len(forward) == len(edges)  # no edge twice in one direction
    assert all((b, a) in forward for a, b in forward)  # and each once in the other
    assert mesh.vertices[:, 2].min() == pytest.approx(0, abs=1e-6)
    assert np.isfinite(mesh.uv).all() and mesh.uv.min() >= 0 and mesh.uv.max() <= 1
