"""How a surface sends light on: diffuse, a dielectric or metal gloss, and a sheen.

A small principled model (Burley, *Physically based shading at Disney*, SIGGRAPH 2012 course): Lambert for the body, GGX
with Smith's height-correlated shadowing and Schlick's Fresnel for the gloss, its half vectors drawn from the visible ones
(Heitz, *Sampling the GGX distribution of visible normals*, JCGT 2018). What the gloss reflects is taken from the body, so
nothing sends out more than it gets. Directions are in the shading frame, z along the normal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Gloss:
    """One hit's material as device values: body and f0 are colours; alpha the GGX width; sheen a colour."""

    body: Any
    f0: Any
    f90: Any
    alpha: Any
    sheen: Any
    choose: Any  # chance that the gloss is drawn


def gloss_of(mi, dr, base, roughness, metallic, specular, sheen, cos_out) -> Gloss:
    """From the material's terms; ``cos_out`` is the cosine towards the viewer."""
    f0 = dr.lerp(mi.Color3f(0.08 * specular), base, metallic)
    f90 = dr.minimum(50 * _mean(f0), 1)
    body = base * (1 - metallic)
    fresnel = _mean(f0) + (f90 - _mean(f0)) * (1 - cos_out) ** 5
    choose = fresnel / (fresnel + (1 - fresnel) * _mean(body) + 1e-6)
    choose = dr.select(f90 > 0, dr.clip(choose, 0.08, 1.0), 0)
    return Gloss(body, f0, f90, dr.maximum(roughness * roughness, 1e-3), (1 - metallic) * sheen * (0.5 + 0.5 * base), choose)


def valued(mi, dr, gloss: Gloss, out, into):
    """Reflected share times the cosine of ``into``, and the density of :func:`drawn` giving it; 0 below the surface."""
    cos_out, cos_in = out.z, into.z
    above = (cos_in > 1e-4) & (cos_out > 1e-4)
    half = dr.normalize(out + into)
    cos_half = dr.dot(into, half)
    weight = dr.clip(1 - cos_half, 0, 1)
    weight2 = weight * weight
    weight5 = weight2 * weight2 * weight
    fresnel = gloss.f0 + (gloss.f90 - gloss.f0) * weight5
    a2 = gloss.alpha * gloss.alpha
    spread = half.z * half.z * (a2 - 1) + 1
    normal_density = a2 * dr.inv_pi / (spread * spread)
    lambda_out = dr.sqrt(a2 + (1 - a2) * cos_out * cos_out)
    lambda_in = dr.sqrt(a2 + (1 - a2) * cos_in * cos_in)
    shadowing = 0.5 / (cos_in * lambda_out + cos_out * lambda_in + 1e-7)
    share = (fresnel * (normal_density * shadowing)
             + (gloss.body * dr.inv_pi) * (1 - _mean(fresnel)) + gloss.sheen * weight5)
    density = dr.lerp(cos_in * dr.inv_pi, normal_density / (2 * (cos_out + lambda_out) + 1e-7), gloss.choose)
    return dr.select(above, share * cos_in, 0), dr.select(above, density, 0)


def drawn(mi, dr, gloss: Gloss, out, pick, place):
    """A direction: by the cosine for the body, by the visible half vectors for the gloss; ``pick``, ``place`` uniform."""
    around = dr.two_pi * place.y
    sine, cosine = dr.sincos(around)
    radius = dr.sqrt(place.x)
    body = mi.Vector3f(radius * cosine, radius * sine, dr.sqrt(dr.maximum(1 - place.x, 0)))
    # the gloss: stretch the view, draw a point of the visible half disc, stretch back
    view = dr.normalize(mi.Vector3f(gloss.alpha * out.x, gloss.alpha * out.y, dr.maximum(out.z, 1e-4)))
    flat2 = view.x * view.x + view.y * view.y
    level = mi.Vector3f(-view.y, view.x, 0) * dr.rsqrt(dr.maximum(flat2, 1e-9))
    level = dr.select(flat2 > 1e-9, level, mi.Vector3f(1, 0, 0))
    upright = dr.cross(view, level)
    t1 = radius * cosine
    s = 0.5 * (1 + view.z)
    t2 = (1 - s) * dr.sqrt(dr.maximum(1 - t1 * t1, 0)) + s * radius * sine
    normal = t1 * level + t2 * upright + dr.sqrt(dr.maximum(1 - t1 * t1 - t2 * t2, 0)) * view
    normal = dr.normalize(mi.Vector3f(gloss.alpha * normal.x, gloss.alpha * normal.y, dr.maximum(normal.z, 1e-6)))
    mirrored = 2 * dr.dot(out, normal) * normal - out
    return dr.select(pick < gloss.choose, mirrored, body)


def _mean(colour):
    return 0.2126 * colour.x + 0.7152 * colour.y + 0.0722 * colour.z
