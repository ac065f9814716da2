"""Path tracing over a :class:`~understudy.renderers.mitsuba.stage.Stage`: one loop, one kernel for every scene.

At each hit one ray is sent to a light (next event estimation) and one onwards, and both are weighed by the balance
heuristic (Veach, 1997). Mitsuba gives the ray tracer and Dr.Jit compiles the loop.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from understudy.key import Key
from understudy.renderers.mitsuba import reflectance
from understudy.renderers.mitsuba.light import POOL
from understudy.renderers.mitsuba.rays import sampled_rays
from understudy.renderers.mitsuba.sequence import Sequence
from understudy.renderers.mitsuba.stage import COLUMNS, Stage
from understudy.scene import Camera

_LIGHT, _LAMP, _LOBE, _ONWARDS = range(2, 6)  # places of a segment's pairs of numbers; the ray's own come before


@dataclass(frozen=True)
class Traced:
    """Means over each pixel's samples, (k, ...) float32; a sample that met nothing counts as 0.

    light : (k, 3) radiance from surfaces; shown : (k, 3) straight from sky and lamps, which is free of noise
    cover : (k,) share of samples that met a surface
    albedo : (k, 3) base colour and normal : (k, 3) world shading normal of the first surface, for the denoiser
    """

    light: np.ndarray
    shown: np.ndarray
    cover: np.ndarray
    albedo: np.ndarray
    normal: np.ndarray


def traced(stage: Stage, camera: Camera, pixels: np.ndarray, samples: int, max_depth: int, key: Key, sky: bool,
           rows: int = 1) -> Traced:
    """Trace ``samples`` paths through each of ``pixels`` (k,) flat indices.

    ``sky`` says whether a sample that met nothing brings the environment's light; ``max_depth`` counts segments; of so many
    ``rows`` of the picture one has paths beyond direct light (:func:`spoken_for`).
    """
    import drjit as dr

    if not len(pixels):
        return Traced(*(np.zeros((0, *s), np.float32) for s in ((3,), (3,), (), (3,), (3,))))
    mi, n = stage.mi, len(pixels) * samples
    full = full_length(samples, max_depth)
    chance = Sequence(mi, pixels, camera.lens.size_wh[0], samples, int(key.words(1)[0]))
    ray = sampled_rays(mi, camera, pixels, samples, chance)
    state = (mi.UInt32(0), mi.Bool(True), mi.Point3f(ray.o), mi.Vector3f(ray.d), mi.Color3f(1), mi.Color3f(0),
             mi.Color3f(0), mi.Float(0), mi.Float(0), mi.Color3f(0), mi.Vector3f(0))
    speaks = mi.Float(spoken_for(camera, pixels, rows if max_depth > 2 else 1) * np.float32(samples / full))
    boost = dr.gather(mi.Float, speaks, chance.pixel)
    far = (boost > 0) & (chance.which < dr.opaque(mi.UInt32, full))
    step = _Step(dr, stage, dr.select(far, dr.opaque(mi.UInt32, max_depth), 2), boost, sky, chance)
    state = dr.while_loop(state, lambda depth, alive, *_: alive, step,
                          labels=("depth", "alive", "origin", "direction", "weight", "light", "shown", "density", "cover",
                                  "albedo", "normal"), label="paths")
    light, shown, _, cover, albedo, normal = state[5:11]
    light = dr.select(dr.isfinite(light.x + light.y + light.z), light, 0)
    parts = [*light, *shown, cover, *albedo, *normal]
    dr.eval(parts)
    sums = [np.broadcast_to(np.array(p), n).reshape(samples, -1).sum(axis=0) for p in parts]  # what nothing adds to is one 0
    table = np.stack(sums, axis=1) / np.float32(samples)
    return Traced(table[:, :3], table[:, 3:6], table[:, 6], table[:, 7:10], table[:, 10:])


def full_length(samples: int, max_depth: int) -> int:
    """How many of a pixel's samples go beyond direct light.

    A third of them, at least one, and they count for the others there: light that came round a corner is weak and smooth;
    of three this saves two fifths of the work for a tenth of a decibel (Russian roulette by sample number: no chance in it,
    and neighbours end together).
    """
    return samples if max_depth <= 2 else -(-samples // 3)


def spoken_for(camera: Camera, pixels: np.ndarray, rows: int) -> np.ndarray:
    """(k,) float32: for how many rows each of ``pixels`` has light from beyond direct light.

    The first of each ``rows``, counted from the picture's top, for all of them. If the last row is such a one, it has no
    others, and speaks for itself.
    """
    w, h = camera.lens.size_wh
    row = pixels // w
    return np.where(row % rows, 0, np.where(row + 1 < h, rows, 1)).astype(np.float32)


class _Step:
    """One segment of every path: meet a surface, collect light, choose where to go on."""

    def __init__(self, dr, stage: Stage, limit, boost, sky: bool, chance: Sequence) -> None:
        self.dr, self.stage, self.limit, self.boost, self.sky, self.chance = dr, stage, limit, boost, sky, chance

    def __call__(self, depth, alive, origin, direction, weight, light, shown, density, cover, albedo, normal):
        dr, stage, mi = self.dr, self.stage, self.stage.mi
        lights = stage.lights
        first = depth == 0
        ray = mi.Ray3f(origin, direction)
        found = stage.scene.ray_intersect_preliminary(ray, coherent=False, active=alive)
        hit = alive & found.is_valid()
        reach = dr.select(hit, found.t, dr.inf)
        if lights.has_lamps:
            shine, lamp_t, lamp_density = self._lamp_seen(origin, direction, alive)
            lit = alive & (lamp_t < reach)
            if self.sky:
                shown += dr.select(lit & first, shine, 0)
            light += dr.select(lit & ~first, weight * shine * (density / (density + lamp_density + 1e-12)), 0)
            hit &= ~(lamp_t < reach)
            alive = alive & ~(lamp_t < reach)
        if lights.has_sky:
            radiance, sky_density = self._sky(direction)
            lit = alive & ~found.is_valid()
            if self.sky:
                shown += dr.select(lit & first, self._sky_shown(direction, lit & first), 0)
            light += dr.select(lit & ~first, weight * radiance * (density / (density + sky_density + 1e-12)), 0)
        alive = hit
        point, geometric, shading, uv, piece = self._surface(found, alive, direction)
        material = [dr.gather(mi.Vector4f, stage.material, piece * (len(COLUMNS) // 4) + k, alive) for k in range(2)]
        if stage.bumpy:
            shading = self._bumped(found, piece, uv, shading, alive)
        base = self._texel(material[0], uv, alive)
        shading = dr.select(material[0].w > 0, shading, geometric)
        shading = dr.select(dr.dot(shading, direction) < -1e-3, shading, geometric)
        cover += dr.select(first & alive, 1, 0)
        albedo += dr.select(first & alive, base, 0)
        normal += dr.select(first & alive, shading, 0)
        frame = mi.Frame3f(shading)
        out = frame.to_local(-direction)
        gloss = reflectance.gloss_of(mi, dr, base, material[1].x, material[1].y, material[1].z, material[1].w, out.z)
        onwards = alive & (depth + 1 < self.limit)
        weight = dr.select(depth == 1, weight * self.boost, weight)  # the long paths speak for the short ones too
        point = point + geometric * (1e-4 * (1 + 0.1 * dr.max(dr.abs(point))))
        # light straight from a source
        towards, distance, bright, source_density = self._source(point, depth)
        share, here = reflectance.valued(mi, dr, gloss, out, frame.to_local(towards))
        useful = onwards & (dr.dot(towards, geometric) > 0) & (dr.max(share) > 0) & (dr.max(bright) > 0)
        blocked = stage.scene.ray_test(mi.Ray3f(point, towards, distance, 0, []), coherent=False, active=useful)
        balance = source_density / (source_density + here + 1e-12)
        light += dr.select(useful & ~blocked, weight * share * bright * balance, 0)
        # and onwards
        pick, _ = self.chance.pair(_LOBE, depth)
        into = reflectance.drawn(mi, dr, gloss, out, pick, mi.Point2f(*self.chance.pair(_ONWARDS, depth)))
        share, density = reflectance.valued(mi, dr, gloss, out, into)
        direction = dr.select(onwards, frame.to_world(into), direction)
        onwards &= (density > 1e-9) & (dr.dot(direction, geometric) > 0)
        weight = dr.select(onwards, weight * share / dr.maximum(density, 1e-9), weight)
        onwards &= dr.max(weight) > 1e-3
        # the last segment can only bring light from a source: a ray that asks whether anything is in the way will do
        closing = onwards & (depth + 2 >= self.limit)
        emitted, distance, source_density = self._ahead(point, direction, closing)
        blocked = stage.scene.ray_test(mi.Ray3f(point, direction, distance, 0, []), coherent=False, active=closing)
        light += dr.select(closing & ~blocked, weight * emitted * (density / (density + source_density + 1e-12)), 0)
        onwards &= ~closing
        return (depth + 1, onwards, dr.select(onwards, point, origin), direction, weight, light, shown, density, cover,
                albedo, normal)

    def _surface(self, found, alive, direction):
        """Point, geometric and shading normal (both towards the viewer), texture coordinates and piece of a hit."""
        dr, stage, mi = self.dr, self.stage, self.stage.mi
        face = dr.gather(mi.Vector4u, stage.face, found.prim_index, alive)
        near = [dr.gather(mi.Vector4f, stage.corner, 2 * face[i], alive) for i in range(3)]
        far = [dr.gather(mi.Vector4f, stage.corner, 2 * face[i] + 1, alive) for i in range(3)]
        b, c = found.prim_uv.x, found.prim_uv.y
        a = 1 - b - c
        point = a * near[0] + b * near[1] + c * near[2]
        across = far[0] * a + far[1] * b + far[2] * c
        place = [mi.Vector3f(v.x, v.y, v.z) for v in near]
        geometric = dr.normalize(dr.cross(place[1] - place[0], place[2] - place[0]))
        flip = dr.select(dr.dot(geometric, direction) > 0, mi.Float(-1), mi.Float(1))
        shading = mi.Vector3f(across.x, across.y, across.z)
        shading = shading * dr.rsqrt(dr.maximum(dr.squared_norm(shading), 1e-12))
        return (mi.Point3f(point.x, point.y, point.z), geometric * flip, shading * flip, mi.Point2f(point.w, across.w),
                face.w)

    def _texel(self, material, uv, alive):
        """Linear base colour, bilinear between texels; ``material`` is offset, width and height."""
        dr, stage, mi = self.dr, self.stage, self.stage.mi
        corners, tx, ty = self._neighbours(material, uv)
        mixed = mi.Vector3f(0)
        for at, share in corners(tx, ty):
            code = dr.gather(mi.UInt32, stage.texel, at, alive)
            mixed += share * mi.Vector3f(mi.Float(code & 255), mi.Float((code >> 8) & 255), mi.Float((code >> 16) & 255))
        mixed *= 1 / 255
        return mi.Color3f(dr.select(mixed <= 0.04045, mixed / 12.92, ((mixed + 0.055) / 1.055) ** 2.4))

    def _neighbours(self, page, uv):
        dr, mi = self.dr, self.stage.mi
        width, height = page.y, page.z
        x = (uv.x - dr.floor(uv.x)) * width - 0.5
        y = (1 - (uv.y - dr.floor(uv.y))) * height - 0.5
        left, top = dr.floor(x), dr.floor(y)

        def wrapped(v, size):
            return mi.UInt32(dr.clip(dr.select(v < 0, v + size, dr.select(v >= size, v - size, v)), 0, size - 1))

        cols = [wrapped(left, width), wrapped(left + 1, width)]
        rows = [wrapped(top, height), wrapped(top + 1, height)]
        start, pitch = mi.UInt32(page.x), mi.UInt32(width)

        def corners(tx, ty):
            for j, wy in ((0, 1 - ty), (1, ty)):
                for i, wx in ((0, 1 - tx), (1, tx)):
                    yield start + rows[j] * pitch + cols[i], wx * wy

        return corners, x - left, y - top

    def _bumped(self, found, piece, uv, shading, alive):
        """The shading normal tilted by the height map's slope (Blinn 1978)."""
        dr, stage, mi = self.dr, self.stage, self.stage.mi
        page = dr.gather(mi.Vector4f, stage.material, piece * (len(COLUMNS) // 4) + 2, alive)
        bumpy = alive & (page.w > 0)
        corners, tx, ty = self._neighbours(mi.Vector4f(page.x, dr.maximum(page.y, 1), dr.maximum(page.z, 1), 0), uv)
        heights = [mi.Float(dr.gather(mi.UInt32, stage.bump, at, bumpy)) / 255 * page.w for at, _ in corners(tx, ty)]
        slope_x = dr.lerp(heights[1] - heights[0], heights[3] - heights[2], ty) * page.y
        slope_y = -dr.lerp(heights[2] - heights[0], heights[3] - heights[1], tx) * page.z
        face = dr.gather(mi.Vector4u, stage.face, found.prim_index, bumpy)
        near = [dr.gather(mi.Vector4f, stage.corner, 2 * face[i], bumpy) for i in range(3)]
        vs = [dr.gather(mi.Vector4f, stage.corner, 2 * face[i] + 1, bumpy).w for i in range(3)]
        place = [mi.Vector3f(v.x, v.y, v.z) for v in near]
        e1, e2 = place[1] - place[0], place[2] - place[0]
        u1, u2, v1, v2 = near[1].w - near[0].w, near[2].w - near[0].w, vs[1] - vs[0], vs[2] - vs[0]
        det = u1 * v2 - u2 * v1
        inverse = dr.select(dr.abs(det) > 1e-20, dr.rcp(det), 0)
        along_u, along_v = (e1 * v2 - e2 * v1) * inverse, (e2 * u1 - e1 * u2) * inverse
        gradient = (along_u * (slope_x / dr.maximum(dr.squared_norm(along_u), 1e-12))
                    + along_v * (slope_y / dr.maximum(dr.squared_norm(along_v), 1e-12)))
        gradient -= shading * dr.dot(shading, gradient)
        steep = dr.norm(gradient)
        gradient *= dr.minimum(1, 1.5 / dr.maximum(steep, 1e-6))  # no steeper than 56 degrees
        return dr.select(bumpy, dr.normalize(shading - gradient), shading)

    def _ahead(self, point, direction, active):
        """What shines along a ray if nothing is in the way: radiance, distance, and the density of choosing it."""
        dr, mi, lights = self.dr, self.stage.mi, self.stage.lights
        radiance, density, distance = mi.Color3f(0), mi.Float(0), mi.Float(1e6)
        if lights.has_sky:
            radiance, density = self._sky(direction)
        if lights.has_lamps:
            shine, lamp_t, lamp_density = self._lamp_seen(point, direction, active)
            lamp = lamp_t < dr.inf
            radiance, density = dr.select(lamp, shine, radiance), dr.select(lamp, lamp_density, density)
            distance = dr.select(lamp, lamp_t * 0.999, distance)
        return radiance, distance, density

    def _sky(self, direction):
        """Radiance from a direction and the density of :meth:`_source` choosing it."""
        dr, mi, lights = self.dr, self.stage.mi, self.stage.lights
        rows, columns = mi.Float(lights.rows), mi.Float(lights.columns)
        polar = dr.safe_acos(direction.z) * dr.inv_pi
        around = dr.atan2(direction.y, direction.x) * dr.inv_two_pi
        around = dr.select(around < 0, around + 1, around)
        row = dr.minimum(mi.UInt32(polar * rows), lights.rows - 1)
        col = dr.minimum(mi.UInt32(around * columns), lights.columns - 1)
        found = dr.gather(mi.Vector4f, lights.sky, row * lights.columns + col)
        return mi.Color3f(found.x, found.y, found.z), found.w * (0.5 if lights.has_lamps else 1.0)

    def _sky_shown(self, direction, active):
        """The sky as the camera shows it: smooth between the centres of its pixels, where :meth:`_sky` has steps."""
        dr, mi, lights = self.dr, self.stage.mi, self.stage.lights
        row = dr.safe_acos(direction.z) * dr.inv_pi * mi.Float(lights.rows) - 0.5
        col = dr.atan2(direction.y, direction.x) * dr.inv_two_pi * mi.Float(lights.columns) - 0.5
        top, left = mi.Int32(dr.floor(row)), mi.Int32(dr.floor(col))
        down, right = row - mi.Float(top), col - mi.Float(left)
        rows, columns = mi.Int32(lights.rows), mi.Int32(lights.columns)
        total = mi.Color3f(0)
        for r, by_row in ((top, 1 - down), (top + 1, down)):
            line = dr.clip(r, 0, rows - 1) * columns
            for c, by_col in ((left, 1 - right), (left + 1, right)):
                found = dr.gather(mi.Vector4f, lights.sky, mi.UInt32(line + (c + 2 * columns) % columns), active)
                total += mi.Color3f(found.x, found.y, found.z) * (by_row * by_col)
        return total

    def _source(self, point, depth):
        """A direction to a light from ``point``: direction, distance, radiance over density, density."""
        dr, mi, lights = self.dr, self.stage.mi, self.stage.lights
        u, v = self.chance.pair(_LIGHT, depth)
        if lights.has_sky:
            at = dr.minimum(mi.UInt32(u * POOL), POOL - 1)
            aim = dr.gather(mi.Vector4f, lights.pool, 2 * at)
            bright = dr.gather(mi.Vector4f, lights.pool, 2 * at + 1)
            sky = (mi.Vector3f(aim.x, aim.y, aim.z), mi.Float(1e6), mi.Color3f(bright.x, bright.y, bright.z), bright.w)
            if not lights.has_lamps:
                return sky
        if lights.has_lamps:
            count = mi.Float(lights.lamps)
            w, choice = self.chance.pair(_LAMP, depth)
            lamp = dr.minimum(mi.UInt32(w * count), lights.lamps - 1)
            rows = [dr.gather(mi.Vector4f, lights.lamp, 4 * lamp + k) for k in range(4)]
            at = [mi.Vector3f(r.x, r.y, r.z) for r in rows]
            aim = at[0] + at[1] * (2 * u - 1) + at[2] * (2 * v - 1) - point
            distance2 = dr.maximum(dr.squared_norm(aim), 1e-8)
            distance = dr.sqrt(distance2)
            aim /= distance
            facing = -dr.dot(aim, dr.normalize(dr.cross(at[1], at[2])))
            density = distance2 / (dr.maximum(facing, 1e-6) * rows[0].w * count)
            shine = dr.select(facing > 1e-6, mi.Color3f(at[3]) / density, 0)
            lamp_side = (mi.Vector3f(aim), distance * 0.999, shine, density)
            if not lights.has_sky:
                return lamp_side
            # one or the other, evenly
            choose = choice < 0.5
            direction = dr.select(choose, sky[0], lamp_side[0])
            return (direction, dr.select(choose, sky[1], lamp_side[1]), 2 * dr.select(choose, sky[2], lamp_side[2]),
                    0.5 * dr.select(choose, sky[3], lamp_side[3]))
        return mi.Vector3f(0, 0, 1), mi.Float(1e6), mi.Color3f(0), mi.Float(0)

    def _lamp_seen(self, origin, direction, alive):
        """Radiance, distance and density of the nearest lamp along a ray (a lamp shines to one side, and blocks both)."""
        dr, mi, lights = self.dr, self.stage.mi, self.stage.lights
        share = 0.5 if lights.has_sky else 1.0

        def nearer(i, shine, nearest, density):
            rows = [dr.gather(mi.Vector4f, lights.lamp, 4 * i + k) for k in range(4)]
            centre, across, along, radiance = (mi.Vector3f(r.x, r.y, r.z) for r in rows)
            normal = dr.normalize(dr.cross(across, along))
            facing = -dr.dot(direction, normal)
            t = dr.dot(centre - origin, normal) / dr.select(dr.abs(facing) > 1e-9, -facing, 1e-9)
            local = origin + direction * t - centre
            inside = ((dr.abs(dr.dot(local, across)) <= dr.squared_norm(across))
                      & (dr.abs(dr.dot(local, along)) <= dr.squared_norm(along)) & (t > 1e-4) & (t < nearest))
            seen = dr.select(facing > 0, mi.Color3f(radiance), 0)
            chance = share * t * t / (dr.maximum(facing, 1e-6) * rows[0].w * mi.Float(lights.lamps))
            return (i + 1, dr.select(inside, seen, shine), dr.select(inside, t, nearest), dr.select(inside, chance, density))

        state = dr.while_loop((mi.UInt32(0), mi.Color3f(0), mi.Float(dr.inf), mi.Float(0)),
                              lambda i, *_: alive & (i < lights.lamps), nearer, label="lamps")
        return state[1:]
