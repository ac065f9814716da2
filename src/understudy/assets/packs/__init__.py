"""Asset packs that a user has: added once, checked then, and worn by name.

``add`` reads a MakeHuman pack (clothes, shoes, hats, hair, brows, lashes, eyes, teeth, skins, BVH poses), keeps what can
be used in the user's data folder and says of every other file why not. What is kept needs nothing of the pack's folder any
more::

    ASSETS/NAME/pack.json        kind, licence, digest of every piece; what was skipped and why
    ASSETS/NAME/pieces/*.npz     binding, mesh, hidden skin, texture
    ASSETS/NAME/poses/*.bvh      poses, with their .meta

"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np

from understudy.assets.packs.mhclo import BASE_VERTICES, Binding, licence_of, read_mhclo
from understudy.assets.packs.obj import plain_text, read_obj
from understudy.assets.packs.skins import is_skin, read_skin
from understudy.errors import AssetError, UsageError

KINDS = ("clothes", "hair", "eyebrows", "eyelashes", "eyes", "teeth", "tongue", "skins")
_TEXTURE_PX = 1024


@dataclass(frozen=True)
class Piece:
    """One thing to wear. kind : one of KINDS; tags : lower case; file : below the pack; sha256 : of what it came from"""

    name: str
    kind: str
    tags: tuple[str, ...]
    licence: str
    sha256: str
    file: str


@dataclass(frozen=True)
class Pack:
    """A pack that was added. skipped : (file, why); poses : names of BVH files in ``poses``"""

    name: str
    root: Path
    pieces: tuple[Piece, ...]
    poses: tuple[str, ...]
    skipped: tuple[tuple[str, str], ...]


def assets_dir() -> Path:
    """Where added packs are: ``$UNDERSTUDY_ASSETS``, else ``understudy/assets`` in the platform's data folder."""
    chosen = os.environ.get("UNDERSTUDY_ASSETS")
    if chosen:
        return Path(chosen).expanduser().absolute()
    if sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    elif sys.platform == "win32":
        base = Path(os.environ.get("APPDATA") or Path.home() / "AppData" / "Roaming")
    else:
        named = os.environ.get("XDG_DATA_HOME", "")
        base = Path(named) if named.startswith("/") else Path.home() / ".local" / "share"
    return base / "understudy" / "assets"


def add(name: str, folder: Path) -> Pack:
    """Add what is in ``folder`` under ``name``, in place of a pack of that name. Raises AssetError where nothing of it can
    be used."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,40}", name):
        raise UsageError("this is no name for a pack", wanted="lower case letters, digits, - and _", got=repr(name))
    if not folder.is_dir():
        raise AssetError("there is no such folder", where=folder, remedy="Name the pack's unpacked folder")
    files = sorted(p for p in folder.rglob("*") if p.is_file() and (
        p.suffix.lower() in (".mhclo", ".bvh") or (p.suffix.lower() == ".mhmat" and is_skin(p, folder))))
    root = assets_dir() / name
    part = root.with_name(f".{name}.{os.getpid()}.part")
    shutil.rmtree(part, ignore_errors=True)
    pieces: list[Piece] = []
    poses: list[str] = []
    skipped: list[tuple[str, str]] = []
    try:
        (part / "pieces").mkdir(parents=True)
        (part / "poses").mkdir()
        for path in files:
            said = path.relative_to(folder).as_posix()
            try:
                if path.suffix.lower() == ".bvh":
                    _keep_pose(path, part / "poses")
                    poses.append(path.name)
                else:
                    keep = _keep_skin if path.suffix.lower() == ".mhmat" else _keep_piece
                    pieces.append(keep(path, folder, part, {p.name for p in pieces}))
            except AssetError as error:
                skipped.append((said, str(error).replace(f"{folder}/", "").removeprefix(f"{said}: ")))
        if not pieces and not poses:
            raise AssetError("nothing in this folder can be worn", where=folder, wanted=".mhclo and .bvh files",
                             got=_told(skipped), remedy="Name the folder that holds the pack's clothes, hair and poses")
        facts = {"name": name, "pieces": [p.__dict__ for p in pieces], "poses": poses, "skipped": skipped}
        (part / "pack.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
        shutil.rmtree(root, ignore_errors=True)
        part.replace(root)
    except OSError as error:
        raise AssetError("the pack cannot be kept", where=root, got=error.strerror,
                         remedy="Set UNDERSTUDY_ASSETS to a folder that can be written and has room") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return load(name)


def load(name: str) -> Pack:
    """The pack added under ``name``. Raises AssetError where there is none or its list is damaged."""
    root = assets_dir() / name
    try:
        facts = json.loads((root / "pack.json").read_text(encoding="utf-8"))
        pieces = tuple(Piece(**{**p, "tags": tuple(p["tags"])}) for p in facts["pieces"])
        return Pack(name, root, pieces, tuple(facts["poses"]), tuple((f, w) for f, w in facts["skipped"]))
    except FileNotFoundError as error:
        there = ", ".join(names()) or "none"
        raise AssetError("no pack of this name was added", where=name, got=f"added: {there}",
                         remedy="Add one: understudy assets add makehuman DIR") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise AssetError("the pack is damaged", where=root / "pack.json", remedy="Add it again") from error


def names() -> list[str]:
    """The packs that were added."""
    try:
        return sorted(p.name for p in assets_dir().iterdir() if (p / "pack.json").is_file())
    except OSError:
        return []


def arrays(pack: Pack, piece: Piece) -> dict[str, np.ndarray]:
    """A piece's arrays: those of a Binding, and ``faces`` (m, 3), ``uv`` (k, 2), ``uv_faces`` (m, 3), and ``texture``
    (h, w, 3 or 4) uint8 where it has one. Raises AssetError for a damaged file."""
    path = pack.root / piece.file
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except Exception as error:  # whatever a damaged archive does
        raise AssetError("a piece of the pack is damaged", where=f"{pack.name}/{piece.file}",
                         remedy=f"Add the pack again: understudy assets add makehuman DIR --name {pack.name}") from error


def _kind(path: Path, folder: Path, tags: tuple[str, ...]) -> str:
    """By the folder that it lies in, else by what its tags say."""
    parts = [p.lower() for p in path.relative_to(folder.parent).parts[:-1]]
    for part in reversed(parts):
        if part in KINDS:
            return part
    for kind in KINDS[1:]:
        if any(kind in tag.lower() for tag in tags):
            return kind
    return "clothes"


def _keep_piece(path: Path, folder: Path, part: Path, taken: set[str]) -> Piece:
    bound = read_mhclo(path)
    mesh_path = path.parent / bound.obj
    mesh = read_obj(mesh_path)
    if len(mesh.vertices) != len(bound.corners):
        raise AssetError("the mesh and its binding do not belong together", where=path,
                         wanted=f"{len(bound.corners)} points in {bound.obj}", got=str(len(mesh.vertices)),
                         remedy="Take both files from one download")
    name = _name(path, taken)
    kept: dict[str, np.ndarray] = {
        "corners": bound.corners, "shares": bound.shares, "offsets": bound.offsets, "scales": np.array(bound.scales),
        "hidden": bound.hidden, "faces": mesh.faces}
    if mesh.uv is not None and mesh.uv_faces is not None:
        kept |= {"uv": mesh.uv.astype(np.float32), "uv_faces": mesh.uv_faces}
    texture = _texture(path, bound)
    if texture is not None:
        kept["texture"] = texture
    np.savez_compressed(part / "pieces" / f"{name}.npz", **kept)
    digest = sha256(path.read_bytes() + mesh_path.read_bytes()).hexdigest()
    tags = tuple(sorted({t.lower() for t in bound.tags}))
    return Piece(name, _kind(path, folder, bound.tags), tags, bound.licence or "unstated", digest, f"pieces/{name}.npz")


def _keep_skin(path: Path, folder: Path, part: Path, taken: set[str]) -> Piece:
    skin, name = read_skin(path), _name(path, taken)
    np.savez_compressed(part / "pieces" / f"{name}.npz", texture=skin.pixels)
    digest = sha256(path.read_bytes() + skin.picture.read_bytes()).hexdigest()
    return Piece(name, "skins", skin.tags, skin.licence or "unstated", digest, f"pieces/{name}.npz")


def _name(path: Path, taken: set[str]) -> str:
    stem = re.sub(r"[^a-z0-9]+", "-", path.stem.lower()).strip("-") or "piece"
    return next(n for n in (stem, *(f"{stem}-{k}" for k in range(2, 10_000))) if n not in taken)


def _told(skipped: list[tuple[str, str]]) -> str:
    """The first files that were skipped and why, in one line."""
    told = "; ".join(f"{file}: {why}" for file, why in skipped[:3])
    return (told + (f"; and {len(skipped) - 3} more" if len(skipped) > 3 else "")) or "none"


def _texture(path: Path, bound: Binding) -> np.ndarray | None:
    """The diffuse texture that the material names, (h, w, 3 or 4) uint8; None where there is none or it cannot be read."""
    if not bound.material:
        return None
    material = path.parent / bound.material
    try:
        lines = [line.split(None, 1) for line in plain_text(material).splitlines()]
    except AssetError:
        return None
    named = next((w[1].strip() for w in lines if len(w) == 2 and w[0] == "diffuseTexture"), None)
    picture = None if named is None else material.parent / named
    if picture is None or not picture.is_file():
        return None
    from PIL import Image

    try:
        with Image.open(picture) as image:
            clear = "A" in image.getbands() or "transparency" in image.info
            image = image.convert("RGBA" if clear else "RGB")
            image.thumbnail((_TEXTURE_PX, _TEXTURE_PX))
            return np.asarray(image)
    except Exception:  # a texture that cannot be decoded: the mesh is worn in a cloth of ours
        return None


def _keep_pose(path: Path, poses: Path) -> None:
    from understudy.assets.motions.bvh import read_bvh

    read_bvh(path)
    shutil.copyfile(path, poses / path.name)
    meta = path.with_suffix(".meta")
    if meta.is_file():
        shutil.copyfile(meta, poses / meta.name)


__all__ = ["BASE_VERTICES", "KINDS", "Pack", "Piece", "add", "arrays", "assets_dir", "licence_of", "load", "names"]
