"""The camera of a recipe: a lens, a pose to be given by the world, glass, shutter and electronics.

The defaults are those of telephones and small cameras in ordinary hands: slight distortion, mostly sharp, moderate
noise, a JPEG. An effect is switched off by the literal 0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from understudy.draws import Draws
from understudy.fields import group, param, setting
from understudy.scene import Camera, Electronics, Lens, Optics
from understudy.supports import Integers as WholeNumbers
from understudy.supports import Interval, Vector
from understudy.values import Integers, LogUniform, Normal, Uniform, Value, Weighted


def lens_of(size_wh: tuple[int, int], fov_deg: float,
            distortion: tuple[float, float, float, float, float] = (0.0, 0.0, 0.0, 0.0, 0.0)) -> Lens:
    """A lens with square pixels and a central axis; ``fov_deg`` is the undistorted horizontal angle of view."""
    w, h = size_wh
    focal = w / 2 / math.tan(math.radians(fov_deg) / 2)
    return Lens((int(w), int(h)), (focal, focal), (w / 2, h / 2), distortion)


@dataclass(frozen=True)
class Distortion:
    """The lens's departure from a pinhole: Brown-Conrady coefficients in OpenCV's meaning. Labels are distorted with it."""

    k1: Value = param(Normal(0.0, 0.03, -0.12, 0.12), Interval(-0.6, 0.6), "", "radial, second order (negative is barrel)")
    k2: Value = param(Normal(0.0, 0.01, -0.03, 0.03), Interval(-0.6, 0.6), "", "radial, fourth order")
    p1: Value = param(Normal(0.0, 0.0005, -0.002, 0.002), Interval(-0.05, 0.05), "", "tangential, vertical")
    p2: Value = param(Normal(0.0, 0.0005, -0.002, 0.002), Interval(-0.05, 0.05), "", "tangential, horizontal")
    k3: Value = param(0.0, Interval(-0.6, 0.6), "", "radial, sixth order")


@dataclass(frozen=True)
class CameraSensor:
    """A colour camera."""

    size: tuple[int, int] = setting((640, 480), Vector(2, 16, 16384, whole=True), "px", "the picture's width and height")
    fov_deg: Value = param(Normal(58.0, 9.0, 36.0, 80.0), Interval(2, 150), "degrees", "horizontal angle of view")
    distortion: Distortion = group(Distortion, "the lens's distortion")
    aperture_mm: Value = param(LogUniform(1.0, 6.0), Interval(0, 100), "mm",
                               "diameter of the entrance pupil, which sets the depth of field (a telephone has 2 to 4, "
                               "50 mm at f/4 has 12; 0 is sharp everywhere)")
    focus_m: Value = param(Uniform(2.0, 6.0), Interval(0.05, 1000), "m", "distance in perfect focus")
    motion_px: Value = param(Weighted((("0", 0, 7), ("0.5-4", Uniform(0.5, 4.0), 3))), Interval(0, 60), "px",
                             "length of the blur by the camera's motion")
    motion_deg: Value = param(Uniform(0.0, 180.0), Interval(0, 180), "degrees", "direction of that motion, 0 is level")
    vignette: Value = param(Uniform(0.0, 0.25), Interval(0, 1), "", "share of the light lost in the corners")
    exposure_ev: Value = param(Normal(0.0, 0.3, -1.0, 1.0), Interval(-6, 6), "stops", "exposure off the metered one")
    red_gain: Value = param(Normal(1.0, 0.05, 0.85, 1.18), Interval(0.25, 4), "", "white balance, red over green")
    blue_gain: Value = param(Normal(1.0, 0.05, 0.85, 1.18), Interval(0.25, 4), "", "white balance, blue over green")
    iso: Value = param(LogUniform(50.0, 1600.0), Interval(0, 102400), "ISO", "sensitivity, which sets the noise; 0 has none")
    contrast: Value = param(Uniform(0.3, 0.9), Interval(0, 0.95), "",
                            "contrast of the camera's tone curve; a photograph is taken to have been through it already")
    sharpen: Value = param(Uniform(0.1, 0.8), Interval(0, 4), "", "amount of unsharp masking")
    jpeg_quality: Value = param(Integers(72, 95), WholeNumbers(0, 95), "", "JPEG quality; 0 keeps a lossless PNG")

    def sample(self, draws: Draws) -> Camera:
        """A camera at the world's origin (identity pose); the world places it."""
        bend = draws.at("distortion")
        d = self.distortion
        coefficients = tuple(float(bend(name, getattr(d, name))) for name in ("k1", "k2", "p1", "p2", "k3"))
        lens = lens_of(tuple(self.size), draws("fov_deg", self.fov_deg), coefficients)
        optics = Optics(aperture_m=draws("aperture_mm", self.aperture_mm) / 1000,
                        focus_m=draws("focus_m", self.focus_m),
                        motion_px=(draws("motion_px", self.motion_px), draws("motion_deg", self.motion_deg)),
                        vignette=draws("vignette", self.vignette))
        electronics = Electronics(exposure_ev=draws("exposure_ev", self.exposure_ev),
                                  white_balance=(draws("red_gain", self.red_gain), draws("blue_gain", self.blue_gain)),
                                  iso=draws("iso", self.iso),
                                  contrast=draws("contrast", self.contrast),
                                  sharpen=draws("sharpen", self.sharpen),
                                  jpeg_quality=draws("jpeg_quality", self.jpeg_quality))
        return Camera(lens, np.eye(4), optics, electronics)
