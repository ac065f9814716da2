"""Photographs as surroundings: figures are lit by the photograph, stand on its ground and match its blur and noise.

With a folder, each record takes one photograph of it; without one, a procedural photograph is painted. A photograph that
cannot be used (unreadable, too small, people in it) is passed over for the next in an order drawn for the record, and the
reason is noted in the manifest, so a record stays a function of the recipe, the seed, its index and the folder's contents.

What is guessed from a single picture is rough, and stated: the horizon is where the sky ends if there is one to see, else
drawn; the camera's height is drawn; the light is :func:`~understudy.surroundings.light.environment_from_photo`'s.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from understudy.assets.palettes import srgb_decode
from understudy.assets.people_guard import holds_people
from understudy.assets.photos import Album, Photograph, album, photograph
from understudy.draws import Draws
from understudy.errors import AssetError, Unsatisfiable
from understudy.fields import param, setting
from understudy.key import Key
from understudy.scene import AssetUse, Backdrop, Camera, Ground, Material
from understudy.sensors.tone import uncontrasted
from understudy.supports import Boolean, Interval, OneOf, Text
from understudy.surroundings import Place
from understudy.surroundings.evidence import blur_sigma, brightness, horizon_row, noise_sigma
from understudy.surroundings.light import environment_from_photo
from understudy.surroundings.painted import painted_photograph
from understudy.values import Choice, LogUniform, Normal, Uniform, Value

BLENDS = ("soft", "hard", "gaussian", "poisson")
_TRIES = 12  # photographs looked at before a record gives up


@dataclass(frozen=True)
class Photographs:
    """Your photographs (or painted ones) as the place; figures go in lit by them."""

    folder: str | None = setting(None, Text("a folder of photographs", optional=True, path=True), "",
                                 "the photographs, with all folders below; nothing paints procedural ones")
    exclude: str | None = setting(None, Text("a file that lists photographs", optional=True, path=True), "",
                                  "photographs to leave out, a name or pattern a line, beside the folder's own people.txt")
    people: str = setting("skip", OneOf(("skip", "trust")), "",
                          "photographs that seem to hold people, who would go unlabelled: skip them, or trust the folder")
    share: Value = param(Uniform(0.65, 1.0), Interval(0.05, 1), "", "size of the piece cut out, over the largest that fits")
    across: Value = param(Uniform(0, 1), Interval(0, 1), "", "where it is cut, 0 is left, 1 right")
    down: Value = param(Uniform(0.3, 1), Interval(0, 1), "", "where it is cut, 0 is top, 1 bottom")
    mirror: Value = param(Choice((False, True)), Boolean(), "", "left and right of the photograph swapped")
    horizon_from: str = setting("sky", OneOf(("sky", "draw")), "",
                                "the horizon: where the sky ends if there is one to see (else drawn), or always drawn")
    horizon: Value = param(Normal(0.42, 0.07, 0.22, 0.62), Interval(-0.5, 1.5), "",
                           "the horizon where it is drawn, as a fraction of the height from the top")
    camera_height_m: Value = param(Normal(1.5, 0.25, 0.8, 2.2), Interval(0.1, 50), "m", "height of the camera that took it")
    light: Value = param(LogUniform(1.0, 2.4), Interval(0.05, 20), "",
                         "brightness of the figures' light over that which the photograph suggests")
    sun: Value = param(Uniform(0.15, 0.8), Interval(0, 0.95), "",
                       "the sun's share of the light in a photograph of high contrast; it falls with the contrast")
    sun_size_deg: Value = param(LogUniform(1.0, 16.0), Interval(0.1, 60), "degrees",
                                "the sun's apparent size, which softens its shadows")
    blend: Value = param(Choice(BLENDS), OneOf(BLENDS), "", "how figures are laid over the photograph")
    grain: Value = param(Uniform(0.6, 1.2), Interval(0, 4), "", "noise of the figures over that of the photograph")

    def check_assets(self) -> None:
        """AssetError where the folder cannot serve: missing, unreadable, without photographs."""
        if self.folder is not None:
            album(self.folder, self.exclude)

    def sample(self, draws: Draws, camera: Camera) -> Place:
        """Cut a photograph to the camera's picture, and say how light and ground lie in it."""
        cut = {"share": draws("share", self.share), "at": (draws("across", self.across), draws("down", self.down))}
        eye = draws("camera_height_m", self.camera_height_m)
        if self.folder is None:
            lens = camera.lens
            srgb, horizon, floor = painted_photograph(draws.key("painted"), lens.size_wh, lens.focal_px[0], eye)
            name, assets = "painted", ()
            draws.note("photo", name)
            draws.note("passed_over", "")
        else:
            photo, use = self._choose(album(self.folder, self.exclude), draws, camera.lens.size_wh, cut)
            srgb, horizon, floor, assets = photo.srgb, None, None, (use,)
        if draws("mirror", self.mirror):
            srgb = np.ascontiguousarray(srgb[:, ::-1])
            floor = None if floor is None else (-floor[2], floor[1], -floor[0], floor[3])
        luma = brightness(srgb)
        drawn = draws("horizon", self.horizon)
        if horizon is None:
            sky = horizon_row(luma) if self.horizon_from == "sky" else None
            horizon = drawn if sky is None else min(max(sky + 0.04, 0.22), 0.62)
        draws.note("horizon_used", horizon)
        contrast = camera.electronics.contrast
        linear = _light_of(srgb, contrast)
        lighting = environment_from_photo(
            linear, horizon, draws.key("light"), sun_share=draws("sun", self.sun),
            sun_size_deg=draws("sun_size_deg", self.sun_size_deg), strength=draws("light", self.light))
        blur, noise = blur_sigma(luma), noise_sigma(luma) * draws("grain", self.grain) / (1 + contrast / 2)
        draws.note("blur_px", blur)
        draws.note("noise", noise)
        return Place(
            environment=lighting.environment, sun=lighting.sun, horizon=horizon,
            backdrop=Backdrop(linear, blur_px=blur, noise=noise, blend=draws("blend", self.blend)),
            ground=Ground(Material(lighting.ground_albedo, roughness=0.9, specular=0.2)),
            floor_m=floor, camera_height_m=eye, assets=assets)

    def _choose(self, photos: Album, draws: Draws, size_wh: tuple[int, int], cut: dict) -> tuple[Photograph, AssetUse]:
        reasons: list[str] = []
        count = len(photos.names)
        for i in _order(draws.key("photo"), count):
            name = photos.names[i]
            try:
                photo = photograph(photos.root / name, size_wh, **cut, refuse=_people if self.people == "skip" else None)
            except AssetError as error:
                reasons.append(f"{name}: {error.message}" + (f" ({error.got})" if error.got else ""))
                continue
            draws.note("photo", _printable(name))
            draws.note("passed_over", _printable("; ".join(reasons)))
            licence, source = photos.licence_of(name)
            return photo, AssetUse(_printable(name), _printable(source), licence, photo.sha256)
        message = "no usable photograph"
        remedy = "Mend or remove these files, or say people: trust if none of them holds people"
        told = _printable("; ".join(reasons[:3]) + (f"; and {len(reasons) - 3} more" if len(reasons) > 3 else ""))
        if count <= _TRIES:  # every one was tried: another draw cannot help
            raise AssetError(message, where=photos.root, got=told, remedy=remedy)
        raise Unsatisfiable(message, where=photos.root, wanted=f"one of {_TRIES} drawn", got=told, remedy=remedy)


def _people(srgb: np.ndarray) -> str | None:
    return "there seem to be people in it" if holds_people(srgb) else None


def _light_of(srgb: np.ndarray, contrast: float) -> np.ndarray:
    """(h, w, 3) float32 linear light of a photograph (uint8) by a camera of this contrast: developed, it is itself."""
    import cv2

    table = srgb_decode(uncontrasted(np.arange(256, dtype=np.float32) / 255, contrast))
    return cv2.LUT(np.ascontiguousarray(srgb), table)


def _order(key: Key, count: int) -> list[int]:
    """The photographs to try, drawn for the record: without repeats where the folder is small."""
    if count <= 2048:
        return [int(i) for i in key.permutation(count)[:_TRIES]]
    return [key.child(i).integer(0, count - 1) for i in range(_TRIES)]


def _printable(text: str) -> str:
    """``text`` without the halves of names that are no UTF-8."""
    return text.encode("utf-8", "replace").decode()
