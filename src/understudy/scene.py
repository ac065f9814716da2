"""A scene: plain facts with no distribution left in them. Worlds make scenes, renderers look at them.

World frame: right-handed, z up, metres. Camera frame: OpenCV (x right, y down, z forward), intrinsics in pixels, pixel
centres at +0.5. Colours are linear Rec. 709 (sRGB primaries) unless a name says ``srgb``. Identity is a field
(``Entity.id``), never a position in a list.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

# Semantic parts of an entity, one id for the whole house; a label map's values, so the order never changes.
PARTS = ("none", "skin", "face", "hair", "eyes", "top", "bottom", "dress", "outerwear", "shoes", "socks", "hat",
         "glasses", "bag", "held", "other")
PART_ID = {name: i for i, name in enumerate(PARTS)}


@dataclass(frozen=True)
class Texture:
    """An image wrapped over texture coordinates (u right, v up, both repeat).

    pixels : (h, w, 3) uint8 sRGB, or (h, w) uint8 linear for a scalar
    """

    pixels: np.ndarray


@dataclass(frozen=True)
class Material:
    """A surface's look, in the terms of the principled model (Burley, SIGGRAPH 2012 course).

    ``base_color`` is a linear colour or a Texture. ``bump`` is an optional scalar Texture whose white is ``bump_m``
    metres out.
    """

    base_color: tuple[float, float, float] | Texture = (0.5, 0.5, 0.5)
    roughness: float = 0.6
    specular: float = 0.5
    metallic: float = 0.0
    sheen: float = 0.0
    bump: Texture | None = None
    bump_m: float = 0.0


@dataclass(frozen=True)
class Surface:
    """One triangle mesh with one material.

    vertices : (n, 3) float32, m, world frame
    faces : (m, 3) int32, counter-clockwise from outside
    uv : (n, 2) float32 texture coordinates, or None
    part : (m,) uint8, an id of PARTS for each face
    rest : (n, 3) float32, m, the same vertices in the entity's rest frame (the object channel), or None (then
        ``vertices`` are used)
    chart : (m,) uint8, DensePose chart 1-24 of each face, 0 for none; or None
    chart_uv : (m, 3, 2) float32 in [0, 1], the chart coordinates of each face's corners; or None
    smooth : normals are interpolated (True) or flat
    normals : (n, 3) float32 unit, world frame: the shading normals of a smooth surface, where it is one of several pieces
        of a skin whose seams must not show; or None (then they come from this surface's faces)
    """

    name: str
    vertices: np.ndarray
    faces: np.ndarray
    material: Material
    part: np.ndarray
    uv: np.ndarray | None = None
    rest: np.ndarray | None = None
    chart: np.ndarray | None = None
    chart_uv: np.ndarray | None = None
    smooth: bool = True
    normals: np.ndarray | None = None


@dataclass(frozen=True)
class Keypoints:
    """Named points of an entity.

    names : k names, in the order of the convention
    xyz_m : (k, 3) float32, world frame
    radius_m : (k,) float32, how deep below its skin a point may lie and still count as seen (body-scaled tolerance)
    apart : whether points may lie off the surface, as the corners of a cuboid around it do
    """

    convention: str
    names: tuple[str, ...]
    xyz_m: np.ndarray
    radius_m: np.ndarray
    apart: bool = False


@dataclass(frozen=True)
class Entity:
    """One thing. ``category`` None is a thing that is seen and occludes but is not labelled (a wall, a distractor).

    ``id`` counts from 1, is unique in the scene and never reused; ``attributes`` are plain scalars written with the label.
    """

    id: int
    category: str | None
    surfaces: tuple[Surface, ...]
    keypoints: tuple[Keypoints, ...] = ()
    attributes: Mapping[str, str | int | float | bool] = field(default_factory=dict)


@dataclass(frozen=True)
class Lens:
    """Where a ray goes: pinhole intrinsics and Brown-Conrady distortion (Brown 1971; OpenCV's k1 k2 p1 p2 k3).

    size_wh : picture's width and height in pixels
    focal_px : fx, fy
    centre_px : cx, cy (the middle of a 640-wide picture is 320.0)
    distortion : k1, k2, p1, p2, k3
    """

    size_wh: tuple[int, int]
    focal_px: tuple[float, float]
    centre_px: tuple[float, float]
    distortion: tuple[float, float, float, float, float] = (0.0, 0.0, 0.0, 0.0, 0.0)

    @property
    def matrix(self) -> np.ndarray:
        """K, (3, 3) float64."""
        (fx, fy), (cx, cy) = self.focal_px, self.centre_px
        return np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1.0]])


@dataclass(frozen=True)
class Optics:
    """What the glass and the shutter do to light; labels stay those of the pinhole at the shutter's middle.

    aperture_m : diameter of the entrance pupil (0 is a pinhole); focus_m : distance in perfect focus
    motion_px : length and angle (degrees, 0 is to the right) of the picture's motion blur
    vignette : loss of light in the corners, 0-1
    """

    aperture_m: float = 0.0
    focus_m: float = 3.0
    motion_px: tuple[float, float] = (0.0, 0.0)
    vignette: float = 0.0


@dataclass(frozen=True)
class Electronics:
    """From linear light to a JPEG file.

    exposure_ev : stops added; white_balance : gains of red and blue over green
    iso : noise is photon noise plus read noise, both scaled by it (0 is no noise)
    contrast : of the tone curve, 0 (none) to 1; sharpen : amount of unsharp masking
    jpeg_quality : 1-95 (Pillow's), 0 keeps the picture lossless (PNG)
    """

    exposure_ev: float = 0.0
    white_balance: tuple[float, float] = (1.0, 1.0)
    iso: float = 0.0
    contrast: float = 0.0
    sharpen: float = 0.0
    jpeg_quality: int = 90


@dataclass(frozen=True)
class Camera:
    """One picture's camera. ``to_world`` (4, 4) float64 takes camera-frame points to the world."""

    lens: Lens
    to_world: np.ndarray
    optics: Optics = Optics()
    electronics: Electronics = Electronics()


@dataclass(frozen=True)
class Environment:
    """Light from far away.

    radiance : (h, w, 3) float32 linear, equirectangular. Row 0 looks up (+z), the last row down; column 0 starts at the
        world's +x direction and goes on counter-clockwise seen from above (column w/4 is +y).
    """

    radiance: np.ndarray


@dataclass(frozen=True)
class Sun:
    """A distant light. direction : unit vector from the scene to it; irradiance : linear RGB; angle_deg : its size."""

    direction: tuple[float, float, float]
    irradiance: tuple[float, float, float]
    angle_deg: float = 0.53


@dataclass(frozen=True)
class Lamp:
    """A rectangular light. to_world maps the square [-1, 1]² in z = 0 (shining to +z); radiance : linear RGB."""

    to_world: np.ndarray
    radiance: tuple[float, float, float]


@dataclass(frozen=True)
class Backdrop:
    """A photograph behind everything: light already arrived at the sensor.

    radiance : (h, w, 3) float32 linear, exactly the picture's size
    blur_px, noise : the photograph's own blur (standard deviation) and noise (standard deviation in sRGB, 0-1), which
        figures put into it must match
    blend : how figures are laid over it: "soft" (antialiased edge blurred like the photograph), "hard", "poisson"
        (gradient domain) or "gaussian" (feathered edge)
    """

    radiance: np.ndarray
    blur_px: float = 0.0
    noise: float = 0.0
    blend: str = "soft"


@dataclass(frozen=True)
class Ground:
    """The plane z = 0. With a Backdrop it only catches shadow (differential rendering); else it is seen."""

    material: Material = Material()
    half_size_m: float = 30.0


@dataclass(frozen=True)
class AssetUse:
    """One file that a scene was made with, for the licence ledger."""

    name: str
    source: str
    licence: str
    sha256: str = ""


@dataclass(frozen=True)
class Skipped:
    """A file that could not be used, so that another was taken. why : one message with the remedy."""

    name: str
    why: str


@dataclass(frozen=True)
class Scene:
    """Everything that is true of one record's world.

    ``categories`` lists every category of the *world*, in id order from 1, whether or not it is seen here.
    """

    categories: tuple[str, ...]
    camera: Camera
    entities: tuple[Entity, ...]
    environment: Environment | None = None
    sun: Sun | None = None
    lamps: tuple[Lamp, ...] = ()
    backdrop: Backdrop | None = None
    ground: Ground | None = None
    assets: tuple[AssetUse, ...] = ()
    skipped: tuple[Skipped, ...] = ()

    @property
    def labelled(self) -> tuple[Entity, ...]:
        """The entities that carry labels, in order of id."""
        return tuple(sorted((e for e in self.entities if e.category is not None), key=lambda e: e.id))

    def category_id(self, entity: Entity) -> int:
        """1-based id of the entity's category; 0 for an unlabelled one."""
        return 0 if entity.category is None else self.categories.index(entity.category) + 1
