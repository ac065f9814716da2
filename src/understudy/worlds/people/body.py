"""Bodies: from phenotypes to a posed mesh, in NumPy.

Frames and shapes (V = 19158 vertices of MakeHuman's base mesh with all helper geometry, B = 104 bones):

* rest frame: metres, z up, the body faces -y, its left side is +x; the origin lies between the hips;
* ``RestBody.vertices`` (V, 3) float32; the first ``BODY_VERTICES`` are skin, the rest helpers (eyes, teeth, tongue, tights,
  skirt, hair) that follow shape and pose like skin does: clothes and MakeHuman's .mhclo files bind to any of them by index;
* a pose is one rotation per bone relative to the *reference pose* (an A-pose, the same for all shapes), in axes that are
  aligned with the body's own (x left, y back, z up) in that reference: anny's "local-ref" parameterization;
* ``PosedBody.vertices`` (V, 3) float32 and ``PosedBody.transforms`` (B, 4, 4), which take rest-frame points to the world.

The forward pass follows anny 0.6.2 (Brégier et al., *Human mesh modeling for Anny Body*, 2025), whose numbers it
reproduces to 0.1 mm. Linear blend skinning (Magnenat-Thalmann et al. 1988).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache

import numpy as np

from understudy.worlds.people.topology import BODY_VERTICES, REGIONS, BodyModel, Mesh, model, vertex_normals

__all__ = ["BODY_VERTICES", "PHENOTYPES", "REGIONS", "BodyModel", "BodyShape", "Mesh", "Pose", "PosedBody", "RestBody",
           "build", "model", "place", "pose", "vertex_normals"]

PHENOTYPES = ("gender", "age", "muscle", "weight", "height", "proportions", "cupsize", "firmness",
              "african", "asian", "caucasian")
_HELPERS = ("hair", "tights", "skirt")  # meshes that things are made from; nothing shows them

# Steps of each phenotype, in the order of the pack's masks; anchors are equally spaced.
_VARIATIONS = {
    "race": ("african", "asian", "caucasian"), "gender": ("male", "female"),
    "age": ("newborn", "baby", "child", "young", "old"), "muscle": 3, "weight": 3, "height": 2, "proportions": 2,
    "cupsize": 3, "firmness": 3,
}


@dataclass(frozen=True)
class BodyShape:
    """What makes one body's shape. Phenotypes lie in [0, 1] (``age`` in [-1/3, 1]: -1/3 newborn, 0 one year, 2/3 young
    adult, 1 very old; ``gender`` 0 is male, 1 female; ``weight`` up to 1.5: beyond MakeHuman's heaviest target by the same
    step). ``details`` holds anny's local changes, each in [-1, 1]."""

    gender: float = 0.5
    age: float = 0.67
    muscle: float = 0.5
    weight: float = 0.5
    height: float = 0.5
    proportions: float = 0.5
    cupsize: float = 0.5
    firmness: float = 0.5
    african: float = 1 / 3
    asian: float = 1 / 3
    caucasian: float = 1 / 3
    details: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Pose:
    """rotations : (B, 3, 3), one per bone, relative to the reference pose (see the module's text); index 0 turns the whole
        body about the origin of the rest frame
    actions : facial actions by name (anny's 52 ARKit-like names), each in [0, 1]
    """

    rotations: np.ndarray
    actions: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class RestBody:
    """One body before it is posed.

    vertices : (V, 3) float32; heads : (B, 3) float64, where each bone begins (its joint)
    orientations : (B, 3, 3) float64, each bone's axes
    """

    shape: BodyShape
    vertices: np.ndarray
    heads: np.ndarray
    orientations: np.ndarray

    @cached_property
    def stature_m(self) -> float:
        """Height from sole to crown."""
        z = self.vertices[:BODY_VERTICES, 2]
        return float(z.max() - z.min())

    @cached_property
    def mass_kg(self) -> float:
        """The skin's volume times 980 kg/m³ (a body with air in its lungs; anny's figure)."""
        return mass_kg(self.vertices)

    @cached_property
    def normals(self) -> np.ndarray:
        """(V, 3) float32 unit normals of the skin at rest."""
        return vertex_normals(self.vertices, model().mesh("body").base_faces)

    @property
    def bmi(self) -> float:
        """Body-mass index, kg/m²."""
        return self.mass_kg / self.stature_m**2


@dataclass(frozen=True)
class PosedBody:
    """One body in the world (or in the rest frame's axes, before :func:`place`).

    vertices : (V, 3) float32; transforms : (B, 4, 4) float64, rest frame -> here; heads : (B, 3) float64, joints
    rest_vertices : (V, 3) float32, the rest body with the facial expression put on (what ``transforms`` moved)
    """

    rest: RestBody
    pose: Pose
    rest_vertices: np.ndarray
    vertices: np.ndarray
    transforms: np.ndarray

    @property
    def heads(self) -> np.ndarray:
        return np.einsum("bij,bj->bi", self.transforms[:, :3, :3], self.rest.heads) + self.transforms[:, :3, 3]

    @cached_property
    def normals(self) -> np.ndarray:
        """(V, 3) float32 unit normals of the base vertices (over skin, eyes and mouth; zero elsewhere), seamless:
        give ``normals[mesh.base]`` to a Surface so that the seams of its texture do not show."""
        m = model()
        faces = np.concatenate([m.mesh(name).base_faces for name in m.facts["meshes"] if name not in _HELPERS])
        return vertex_normals(self.vertices, faces)

    def head(self, bone: str) -> np.ndarray:
        """Where ``bone`` begins: (3,) float64. ``upperarm01.L`` is the left shoulder, ``lowerarm01.L`` the elbow,
        ``wrist.L``, ``upperleg01.L`` the hip, ``lowerleg01.L`` the knee, ``foot.L`` the ankle."""
        return self.heads[model().bone(bone)]


def build(shape: BodyShape, template: np.ndarray | None = None) -> RestBody:
    """The body of ``shape`` at rest. ValueError for a phenotype outside its range or an unknown detail.

    ``template`` is :func:`detailed_template` of the shape's details, for those who have it at hand.
    """
    m = model()
    weights = phenotype_weights(shape)
    active = np.flatnonzero(weights)
    details = _detail_weights(shape.details)
    vertices = surface(shape, detailed_template(shape.details) if template is None else template)
    count = len(weights)
    rows = np.concatenate([active, [count + i for i in details]]).astype(int)
    coefficients = np.concatenate([weights[active], list(details.values())])
    heads = m.arrays["template_heads"] + _weighed(coefficients, m.arrays["head_shapes"][rows])
    covariance = m.arrays["template_orientations"] + _weighed(coefficients, m.arrays["orientation_shapes"][rows])
    return RestBody(shape, vertices, heads, _nearest_rotations(covariance))


def detailed_template(details: Mapping[str, float]) -> np.ndarray:
    """(V, 3) float32: the template with local changes put on."""
    vertices = np.array(model().arrays["template_vertices"])
    _add_details(vertices, _detail_weights(details))
    return vertices


def surface(shape: BodyShape, template: np.ndarray, shapes: np.ndarray | None = None) -> np.ndarray:
    """``template`` (n, 3) float32, the first n detailed base vertices, with the phenotypes of ``shape`` put on.

    ``shapes`` (phenotypes, 3n or more) says where other vertices than the first go.
    """
    from scipy.linalg.blas import saxpy

    weights = phenotype_weights(shape)
    if shapes is None:
        shapes = model().arrays["phenotype_shapes"].reshape(len(weights), -1)
    flat = template.copy().reshape(-1)
    for i in np.flatnonzero(weights):
        flat = saxpy(shapes[i, : flat.size], flat, a=weights[i])
    return flat.reshape(template.shape)


def stature_m(shape: BodyShape, template: np.ndarray) -> float:
    """Height from sole to crown of :func:`surface`'s body, from its ends alone."""
    m = model()
    weights = phenotype_weights(shape)
    active = np.flatnonzero(weights)
    z = template[m.ends, 2] + weights[active].astype(np.float32) @ m.end_heights[active]
    return float(np.ptp(z))


def mass_kg(vertices: np.ndarray, corners: np.ndarray | None = None) -> float:
    """Mass of a body from its skin's volume, at 980 kg/m³. vertices : (n, 3), at least the skin's; corners : (3, m) of a
    closed mesh over other ones."""
    x, y, z = np.ascontiguousarray(vertices.T)
    i, j, k = model().mesh("body").corners if corners is None else corners
    ax, ay, az, bx, by, bz = x[i], y[i], z[i], x[j], y[j], z[j]
    six_volumes = (ay * bz - az * by) * x[k] + (az * bx - ax * bz) * y[k] + (ax * by - ay * bx) * z[k]
    return float(abs(six_volumes.sum(dtype=np.float64)) / 6.0 * 980.0)


def pose(rest: RestBody, pose: Pose) -> PosedBody:
    """``rest`` in ``pose``, its pelvis at the origin of the rest frame; see :func:`place` to stand it in the world."""
    m = model()
    rest_vertices = rest.vertices
    if any(pose.actions.values()):
        rest_vertices = rest_vertices.copy()
        _add_details(rest_vertices, {m.facial_actions.index(k): v for k, v in pose.actions.items() if v})
    transforms = bone_transforms(rest, pose.rotations)
    blended = m.weights @ transforms[:, :3, :].reshape(len(transforms), 12).astype(np.float32)
    blended = blended.reshape(-1, 3, 4)
    vertices = np.einsum("vij,vj->vi", blended[:, :, :3], rest_vertices) + blended[:, :, 3]
    return PosedBody(rest, pose, rest_vertices, vertices, transforms)


def place(posed: PosedBody, to_world: np.ndarray) -> PosedBody:
    """The same body moved rigidly by ``to_world`` (4, 4)."""
    rotation, shift = to_world[:3, :3], to_world[:3, 3]
    vertices = (posed.vertices @ rotation.T.astype(np.float32) + shift).astype(np.float32)
    return replace(posed, vertices=vertices, transforms=to_world @ posed.transforms)


def reference_offsets(rest: RestBody) -> np.ndarray:
    """(B, 3): each joint minus its parent's joint, in the reference pose (the root's own row is its head)."""
    m = model()
    parents = np.array((0, *m.parents[1:]))
    turn = m.arrays["reference_orientations"] @ rest.orientations.transpose(0, 2, 1)
    turn[0] = np.eye(3)
    offsets = np.einsum("bij,bj->bi", turn[parents], rest.heads - rest.heads[parents])
    offsets[0] = rest.heads[0]
    return offsets


def bone_transforms(rest: RestBody, rotations: np.ndarray) -> np.ndarray:
    """(B, 4, 4) float64 transforms from the rest frame to the posed body, for (B, 3, 3) rotations of a Pose.

    With G the rotation of a bone from its reference: G_bone = G_parent · rotation, and each joint follows its parent's.
    """
    m = model()
    reference = m.arrays["reference_orientations"]
    offsets = reference_offsets(rest)
    turned = np.zeros((len(m.bones), 3, 3))
    joints = np.zeros((len(m.bones), 3))
    turned[0], joints[0] = rotations[0], 0.0
    for bone, parent in enumerate(m.parents[1:], start=1):
        turned[bone] = turned[parent] @ rotations[bone]
        # children of the root hang from its reference frame, which its own rotation turns as a whole
        joints[bone] = joints[parent] + turned[parent] @ offsets[bone]
    out = np.zeros((len(m.bones), 4, 4))
    out[:, 3, 3] = 1.0
    out[:, :3, :3] = turned @ reference @ rest.orientations.transpose(0, 2, 1)
    out[:, :3, 3] = joints - np.einsum("bij,bj->bi", out[:, :3, :3], rest.heads)
    return out


def phenotype_weights(shape: BodyShape) -> np.ndarray:
    """(624,) float64 weights of the phenotype targets, read-only: products of linear interpolations between steps."""
    return _phenotype_weights((shape.african, shape.asian, shape.caucasian),
                              tuple(getattr(shape, name) for name in _VARIATIONS if name != "race"))


@lru_cache(maxsize=16)  # a body that is sought is measured in several ways at each step
def _phenotype_weights(ancestry: tuple[float, ...], phenotypes: tuple[float, ...]) -> np.ndarray:
    share = np.array(ancestry, float)
    if (share < 0).any():
        raise ValueError(f"shares of ancestry must not be negative, got {share.tolist()}")
    steps = [share / share.sum() if share.sum() > 0 else np.full(3, 1 / 3)]
    for (name, variations), value in zip(list(_VARIATIONS.items())[1:], phenotypes):
        count = variations if isinstance(variations, int) else len(variations)
        low, high = -1 / 3 if name == "age" else 0.0, 1.5 if name == "weight" else 1.0
        if not low - 1e-9 <= value <= high + 1e-9:
            raise ValueError(f"{name} must lie in [{low:.2f}, {high:g}], got {value}")
        steps.append(_interpolation(value, low, count))
    weights = np.where(model().arrays["phenotype_mask"], np.concatenate(steps), 1.0).prod(axis=1)
    weights.flags.writeable = False
    return weights


def _interpolation(value: float, low: float, count: int) -> np.ndarray:
    """Linear weights of ``count`` steps from ``low`` to 1; beyond the last step the last slope goes on."""
    at = (max(value, low) - low) / (1.0 - low) * (count - 1)
    first = min(int(at), count - 2)
    weights = np.zeros(count)
    weights[first], weights[first + 1] = first + 1 - at, at - first
    return weights


def _detail_weights(details: Mapping[str, float]) -> dict[int, float]:
    """Row of the pack's sparse shapes -> weight. Facial actions come first, then a row pair for each local change."""
    m = model()
    weights = {}
    for name, value in details.items():
        place = m.local_change.get(name)
        if place is None or not -1 <= value <= 1:
            raise ValueError(f"a detail is one of the model's local changes with a value in [-1, 1], got {name}={value!r}")
        if value:
            weights[len(m.facial_actions) + 2 * place + (value < 0)] = abs(value)
    return weights


def _add_details(vertices: np.ndarray, weights: Mapping[int, float]) -> None:
    arrays = model().arrays
    start, vertex, offset = arrays["detail_start"], arrays["detail_vertex"], arrays["detail_offset"]
    if not weights:
        return
    parts = [slice(start[row], start[row + 1]) for row in weights]
    at = np.concatenate([vertex[part] for part in parts])
    moved = np.concatenate([np.float32(weight) * offset[part] for part, weight in zip(parts, weights.values())])
    for axis in range(3):
        vertices[:, axis] += np.bincount(at, moved[:, axis], len(vertices)).astype(np.float32)


def _weighed(coefficients: np.ndarray, rows: np.ndarray) -> np.ndarray:
    return np.tensordot(coefficients, rows.astype(np.float64), axes=1)


def _nearest_rotations(matrices: np.ndarray) -> np.ndarray:
    """The rotation nearest to each (3, 3) matrix: special orthogonal Procrustes by singular values (Kabsch 1976)."""
    u, _, vt = np.linalg.svd(matrices)
    u[:, :, 2] *= np.sign(np.linalg.det(u) * np.linalg.det(vt))[:, None]
    return u @ vt
