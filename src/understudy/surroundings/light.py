"""Light from far away: clear and clouded skies, rooms' soft light, colour temperature, and what a photograph tells of it.

Equirectangular maps follow :class:`~understudy.scene.Environment`: row 0 looks up, column 0 along +x, column w/4 along +y
(where the camera looks), column w/2 along -x (the camera's left).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from understudy.assets.patterns import noise
from understudy.key import Key
from understudy.scene import Environment, Sun

_RANGE = 1.4  # contrast of the light itself over that of a photograph of it
_DIM, _BRIGHT = 0.08, 0.42  # linear, of a surface of 35 %: fair skin is not blown out by it, nor dark skin black
LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)  # of linear Rec. 709
_XYZ_TO_RGB = np.array([[3.2404542, -1.5371385, -0.4985314], [-0.9692660, 1.8760108, 0.0415560],
                        [0.0556434, -0.2040259, 1.0572252]])


def directions(height: int, width: int) -> np.ndarray:
    """(height, width, 3) float64: the unit vector that each texel of an equirectangular map looks along."""
    down = (np.arange(height) + 0.5) / height * np.pi
    turn = (np.arange(width) + 0.5) / width * 2 * np.pi
    flat = np.sin(down)[:, None]
    return np.stack(np.broadcast_arrays(flat * np.cos(turn), flat * np.sin(turn), np.cos(down)[:, None]), axis=-1)


def solid_angles(height: int, width: int) -> np.ndarray:
    """(height, 1) float64 steradian of a row's texels; all of them together make 4 pi."""
    edges = np.cos(np.arange(height + 1) / height * np.pi)
    return ((edges[:-1] - edges[1:]) * 2 * np.pi / width)[:, None]


def irradiance(environment: Environment | None, sun: Sun | None, normal: tuple[float, float, float]) -> np.ndarray:
    """(3,) float64: the light that falls on a surface of this normal, nothing in the way."""
    total = np.zeros(3)
    if environment is not None:
        h, w, _ = environment.radiance.shape
        weight = np.maximum(directions(h, w) @ np.asarray(normal), 0) * solid_angles(h, w)
        total += np.tensordot(weight, environment.radiance.astype(np.float64), axes=2)
    if sun is not None:
        total += max(float(np.dot(sun.direction, normal)), 0.0) * np.asarray(sun.irradiance)
    return total


def sun_direction(height_deg: float, heading_deg: float) -> tuple[float, float, float]:
    """Towards the sun: ``heading_deg`` 0 is ahead of the camera (+y), 90 is to its left."""
    height, heading = math.radians(height_deg), math.radians(heading_deg)
    return (-math.sin(heading) * math.cos(height), math.cos(heading) * math.cos(height), math.sin(height))


def blackbody(kelvin: float) -> tuple[float, float, float]:
    """Linear colour of a Planckian radiator, luminance 1 (Kim et al. 2002's cubic for the locus, 1,667-25,000 K)."""
    t = 1000 / min(max(kelvin, 1667.0), 25000.0)
    if kelvin < 4000:
        x = ((-0.2661239 * t - 0.2343589) * t + 0.8776956) * t + 0.179910
    else:
        x = ((-3.0258469 * t + 2.1070379) * t + 0.2226347) * t + 0.240390
    if kelvin < 2222:
        y = ((-1.1063814 * x - 1.34811020) * x + 2.18555832) * x - 0.20219683
    elif kelvin < 4000:
        y = ((-0.9549476 * x - 1.37418593) * x + 2.09137015) * x - 0.16748867
    else:
        y = ((3.0817580 * x - 5.87338670) * x + 3.75112997) * x - 0.37001483
    rgb = np.maximum(_XYZ_TO_RGB @ (x / y, 1.0, (1 - x - y) / y), 0.0)
    return tuple(float(c) for c in rgb / (rgb @ LUMINANCE))


def clear_sky(height_deg: float, heading_deg: float, turbidity: float, size_hw: tuple[int, int] = (64, 128)) -> np.ndarray:
    """(h, w, 3) float32 radiance of a cloudless sky, black below the horizon; its mean luminance is about 1.

    The distribution and colour of Preetham, Shirley and Smits, *A practical analytic model for daylight* (SIGGRAPH 1999);
    ``turbidity`` 2 is a deep blue, 6 a hazy sky.
    """
    h, w = size_hw
    look = directions(h, w)
    t, theta_sun = turbidity, math.radians(90 - max(height_deg, 2.0))
    cos_theta = np.maximum(look[..., 2], 0.02)
    cos_gamma = np.clip(look @ np.asarray(sun_direction(max(height_deg, 2.0), heading_deg)), -1, 1)
    gamma = np.arccos(cos_gamma)

    def perez(c, cos_t, g, cos_g):
        return (1 + c[0] * np.exp(c[1] / cos_t)) * (1 + c[2] * np.exp(c[3] * g) + c[4] * cos_g**2)

    chi = (4 / 9 - t / 120) * (math.pi - 2 * theta_sun)
    powers, hazes = np.array([theta_sun**3, theta_sun**2, theta_sun, 1.0]), np.array([t * t, t, 1.0])
    zenith = (
        max((4.0453 * t - 4.9710) * math.tan(chi) - 0.2155 * t + 2.4192, 0.1),
        hazes @ np.array([[0.00166, -0.00375, 0.00209, 0], [-0.02903, 0.06377, -0.03202, 0.00394],
                          [0.11693, -0.21196, 0.06052, 0.25886]]) @ powers,
        hazes @ np.array([[0.00275, -0.00610, 0.00317, 0], [-0.04214, 0.08970, -0.04153, 0.00516],
                          [0.15346, -0.26756, 0.06670, 0.26688]]) @ powers,
    )
    coefficients = (
        (0.1787 * t - 1.4630, -0.3554 * t + 0.4275, -0.0227 * t + 5.3251, 0.1206 * t - 2.5771, -0.0670 * t + 0.3703),
        (-0.0193 * t - 0.2592, -0.0665 * t + 0.0008, -0.0004 * t + 0.2125, -0.0641 * t - 0.8989, -0.0033 * t + 0.0452),
        (-0.0167 * t - 0.2608, -0.0950 * t + 0.0092, -0.0079 * t + 0.2102, -0.0441 * t - 1.6537, -0.0109 * t + 0.0529),
    )
    luminance, x, y = (z * perez(c, cos_theta, gamma, cos_gamma) / perez(c, 1.0, theta_sun, math.cos(theta_sun))
                       for z, c in zip(zenith, coefficients))
    y = np.maximum(y, 0.05)
    xyz = np.stack([x / y, np.ones_like(y), (1 - x - y) / y], axis=-1) * np.maximum(luminance, 0)[..., None]
    rgb = np.maximum(xyz @ _XYZ_TO_RGB.T, 0) * (look[..., 2:] > 0)
    return (rgb / _mean_luminance(rgb[: h // 2])).astype(np.float32)


def clouded(sky: np.ndarray, cover: float, key: Key) -> np.ndarray:
    """``sky`` with clouds over a share ``cover`` of it: white fleeces that thicken to the grey of an overcast sky.

    The whole cover brightens towards the zenith as 1 + 2 sin(height) (CIE standard overcast sky).
    """
    if cover <= 0:
        return sky
    h, w, _ = sky.shape
    field = noise(key, max(h, w), (28, 9), 4)[:h, :w]
    field = np.concatenate([field[: h // 2], np.zeros((h - h // 2, w), np.float32)])
    there = np.clip((field - (1 - cover)) * 4 + 0.5 * cover, 0, 1)[..., None]
    up = np.maximum(directions(h, w)[..., 2:], 0)
    grey = (1 + 2 * up) / 3 * 1.25 * np.array([1.0, 1.01, 1.03]) * (1.15 - 0.45 * field[..., None]) * (up > 0)
    return (sky * (1 - there) + grey * there).astype(np.float32)


def sunlight(height_deg: float, turbidity: float) -> np.ndarray:
    """(3,) irradiance of the sun on a surface facing it, over that outside the air.

    Rayleigh's and Angstrom's extinction at 680, 550 and 440 nm (Preetham et al. 1999, appendix; air mass of Kasten 1965).
    """
    up = max(height_deg, 0.5)
    mass = 1 / (math.sin(math.radians(up)) + 0.15 * (up + 3.885) ** -1.253)
    wave = np.array([0.68, 0.55, 0.44])
    haze = max(0.04608 * turbidity - 0.04586, 0.0)
    return np.exp(-0.008735 * wave**-4.08 * mass) * np.exp(-haze * wave**-1.3 * mass)


def soft_boxes(key: Key, colour: tuple[float, float, float], size_hw: tuple[int, int] = (32, 64)) -> np.ndarray:
    """(h, w, 3) float32: the light of the rest of a room: dim walls, a brighter ceiling, two to five bright patches."""
    h, w = size_hw
    look = directions(h, w)
    base = 0.35 + 0.45 * np.clip(look[..., 2] + 0.3, 0, 1)
    for i in range(key.child("boxes").integer(2, 5)):
        u = key.child("box", i).uniforms(4)
        centre = np.asarray(sun_direction(float(10 + 70 * u[0]), float(360 * u[1])))
        near = np.clip((look @ centre - math.cos(math.radians(8 + 22 * float(u[2])))) * 12, 0, 1)
        base = base + near * (1.5 + 5 * float(u[3]))
    return (base[..., None] * np.asarray(colour)).astype(np.float32)


@dataclass(frozen=True)
class Lighting:
    """What lights a figure that is put into a photograph. ground_albedo : linear colour of the ground around its feet."""

    environment: Environment
    sun: Sun | None
    ground_albedo: tuple[float, float, float]


def environment_from_photo(linear: np.ndarray, horizon: float, key: Key, *, sun_share: float = 0.4,
                           sun_size_deg: float = 4.0, strength: float = 1.0,
                           size_hw: tuple[int, int] = (32, 64)) -> Lighting:
    """Light that could have made this photograph: (h, w, 3) linear, ``horizon`` as a fraction of its height from the top.

    The photograph is laid over the hemisphere in front and, mirrored and blurred, over the one behind the camera (Khan et
    al., *Image-based material editing*, SIGGRAPH 2006); its clipped highlights are opened (they were brighter than the
    film could hold), the sky side is lifted, and surfaces' own colours are held back, for a lawn is not a green lamp. The
    sun stands on the brighter side, its height drawn from ``key``; ``sun_share`` is its part of the ground's light
    in a photograph of high contrast, and falls with the contrast. All is scaled so that a surface of 35 % reflectance,
    seen from the camera, is as bright as the lit part of the photograph below the horizon, times ``strength``; but not
    darker or brighter than one who photographs people would let it be.
    """
    import cv2

    small = np.maximum(cv2.resize(linear, (48, 36), interpolation=cv2.INTER_AREA), np.float32(0.002))
    luminance = small @ LUMINANCE
    opened = small * (1 + 5 * np.clip((luminance - 0.75) / 0.25, 0, 1) ** 2)[..., None]
    grey = (opened @ LUMINANCE)[..., None]
    opened = grey + 0.5 * (opened - grey)
    opened *= (grey / grey.mean()) ** np.float32(_RANGE - 1)
    light = _wrapped(opened, horizon, size_hw)
    sky = directions(*size_hw)[..., 2:]
    light *= 1 + 0.9 * np.clip(sky + 0.15, 0, 1)
    lean = _lean(luminance)
    contrast = float(np.clip((np.std(np.log(luminance + 0.02)) - 0.3) / 0.6, 0, 1))
    sun = _photo_sun(light, lean, sun_share * (0.4 + 0.6 * contrast), sun_size_deg, key)
    reference = np.mean([irradiance(Environment(light), sun, n) @ LUMINANCE for n in
                         ((0, -1, 0), (0.7, -0.7, 0), (-0.7, -0.7, 0), (0, -0.6, 0.8))]) / math.pi
    below = luminance[min(max(round(horizon * 36), 0), 30):]
    lit = float(np.exp(np.log(np.percentile(below, (50, 80))).mean()))  # half of a photograph may lie in shadow
    wanted = min(max(lit * strength, _DIM), _BRIGHT) / 0.35
    scale = wanted / max(reference, 1e-6)
    environment = Environment((light * scale).astype(np.float32))
    if sun is not None:
        sun = Sun(sun.direction, tuple(float(c * scale) for c in sun.irradiance), sun.angle_deg)
    floor = np.median(small[-8:].reshape(-1, 3), axis=0)
    albedo = np.clip(floor * math.pi / np.maximum(irradiance(environment, sun, (0, 0, 1)), 1e-6), 0.04, 0.75)
    return Lighting(environment, sun, tuple(float(c) for c in albedo))


def _wrapped(photo: np.ndarray, horizon: float, size_hw: tuple[int, int]) -> np.ndarray:
    """(h, w, 3) float32: ``photo`` around the sphere, without seam: across by the direction's x, up and down by height."""
    import cv2

    h, w = size_hw
    look = directions(h, w)
    rows, columns = photo.shape[:2]
    height = np.arcsin(np.clip(look[..., 2], -1, 1)) / (np.pi / 2)  # -1 down, 1 up
    line = min(max(horizon, 0.12), 0.88)
    v = np.where(height > 0, line * (1 - height), line - (1 - line) * height) * rows - 0.5
    u = (0.5 + 0.5 * look[..., 0] / np.maximum(np.hypot(look[..., 0], look[..., 1]), 1e-9)) * columns - 0.5
    sharp = cv2.remap(photo, u.astype(np.float32), v.astype(np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    blurred = cv2.GaussianBlur(photo, (0, 0), columns / 5, borderType=cv2.BORDER_REPLICATE)
    soft = cv2.remap(blurred, u.astype(np.float32), v.astype(np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    front = np.clip(look[..., 1:2] * 2 + 0.5, 0, 1).astype(np.float32)
    return sharp * front + soft * (1 - front)


def _lean(luminance: np.ndarray) -> float:
    """Where the light is across the picture: -1 all on the left, 1 all on the right."""
    columns = np.square(np.percentile(luminance, 75, axis=0))
    across = np.linspace(-1, 1, len(columns))
    return float(np.clip(3 * (columns * across).sum() / max(columns.sum(), 1e-9), -1, 1))


def _photo_sun(light: np.ndarray, lean: float, share: float, size_deg: float, key: Key) -> Sun | None:
    if share <= 0.02:
        return None
    wobble = key.child("sun").uniforms(3)
    side = math.degrees(math.asin(np.clip(0.85 * lean + 0.3 * (float(wobble[0]) - 0.5), -1, 1)))  # -90 left, 90 right
    heading = -side if wobble[1] < 0.25 else 180 + side  # photographs are mostly taken with the light behind one's back
    up = 25 + 40 * float(wobble[2])
    ground = irradiance(Environment(light), None, (0, 0, 1))
    colour = 0.5 * ground / (ground @ LUMINANCE) + 0.5 * np.asarray(blackbody(5200))
    power = float(ground @ LUMINANCE) * share / (1 - share) / math.sin(math.radians(up))
    return Sun(sun_direction(up, heading % 360), tuple(float(c) for c in colour * power), size_deg)


def _mean_luminance(rgb: np.ndarray) -> float:
    return max(float((rgb @ LUMINANCE).mean()), 1e-9)
