"""Full scenes, path-traced and denoised: Understudy against Blender Cycles + OIDN, one thread each, in the same run.

    python bench/against_blender.py --blender-python PATH [--recipe people-in-rooms] [-n 3] [--samples 1,2,4,8,16]
        [--set sensors.camera.size=[160,120]] [--reference 128] [--keep DIR] [--pictures DIR]

PATH is a Python whose environment holds ``bpy`` (``pip install bpy``). Each scene of the recipe is rendered by both with
the same meshes, textures, light, camera and resolution (lens distortion, defocus and the sensor are off). Quality is the
PSNR of the tone-mapped picture against what the same renderer tends to, so that neither is blamed for the other's material
model; both filter a pixel with a box one pixel wide. What it tends to need not be known: two pictures of half of --reference
samples each, without denoising and of independent noise, give the error without their own (see ``psnr``). They take minutes
a scene: --keep DIR holds scenes and references of a recipe between runs (delete it when worlds or materials change). The
peer's time is taken at the smallest sample count whose PSNR reaches ours (or at its largest, and then the row says so);
with --match our samples are raised instead until ours is as good as the peer's picture of the fewest samples. Ours is the
time from a scene's arrays to the picture, ray tree and all; the peer's is that of rendering a scene that it holds already,
and the time with its set-up, which every picture of a data set needs since each is another scene, stands beside it. Times
are CPU seconds of one thread on either side (wall clock beside them): a busy machine does not change who is faster.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import pickle
import subprocess
import tempfile
import time
from functools import partial
from pathlib import Path

import numpy as np

from understudy.key import Key

PLAIN_CAMERA = [f"sensors.camera.{name}=0" for name in
                ("distortion.k1", "distortion.k2", "distortion.p1", "distortion.p2", "aperture_mm", "motion_px", "vignette")]


_BLUR_PX = 4.0
_DARKEST = 0.01  # linear, of white: darker, the tone curve is taken to be as steep as here
OURS = (2, 3, 4, 6, 8, 12, 16, 24, 32)  # samples to try for --match
KINDS = {"denoised": "OIDN as Blender sets it (high, accurate prefilter)", "fast": "OIDN at its quickest"}


def export(scene, path: Path, max_bounces: int) -> None:
    """The scene as plain arrays for blender_peer.py."""
    from understudy.scene import Texture

    lens = scene.camera.lens
    data = {"size_wh": lens.size_wh, "focal_px": lens.focal_px, "centre_px": lens.centre_px,
            "to_world": scene.camera.to_world, "max_bounces": max_bounces, "lamps": len(scene.lamps)}
    data["environment"] = (np.zeros((4, 8, 3), np.float32) if scene.environment is None else scene.environment.radiance)
    for i, lamp in enumerate(scene.lamps):
        data[f"lamp{i}_to_world"], data[f"lamp{i}_radiance"] = lamp.to_world, np.array(lamp.radiance)
    if scene.sun is not None:
        data |= {"sun_direction": scene.sun.direction, "sun_irradiance": np.array(scene.sun.irradiance),
                 "sun_angle_deg": scene.sun.angle_deg}
    pieces = [(s.vertices, s.faces, s.uv, s.material, s.smooth) for e in scene.entities for s in e.surfaces]
    if scene.ground is not None:
        r = scene.ground.half_size_m
        corners = np.array([(-r, -r, 0), (r, -r, 0), (r, r, 0), (-r, r, 0)], np.float32)
        pieces.append((corners, np.array([(0, 1, 2), (0, 2, 3)]), corners[:, :2], scene.ground.material, False))
    data["surfaces"] = len(pieces)
    for i, (vertices, faces, uv, material, smooth) in enumerate(pieces):
        colour = material.base_color
        textured = isinstance(colour, Texture) and uv is not None
        data |= {f"s{i}_vertices": vertices, f"s{i}_faces": faces, f"s{i}_smooth": smooth,
                 f"s{i}_roughness": material.roughness, f"s{i}_metallic": material.metallic,
                 f"s{i}_specular": material.specular,
                 f"s{i}_color": colour.pixels if textured else np.array(colour if not isinstance(colour, Texture)
                                                                        else (0.5, 0.5, 0.5), np.float32)}
        if textured:
            data[f"s{i}_uv"] = uv
    np.savez(path, **data)


def psnr(picture: np.ndarray, halves: tuple[np.ndarray, np.ndarray]) -> float:
    """Of the tone-mapped ``picture`` (the truth's mean becomes 0.4, clipped, gamma 2.2) against what both halves tend to.

    The halves' noise is independent of each other's and of the picture's, so the mean of (picture - one)(picture - other)
    is the picture's own squared error: theirs drops out. That holds for light as it is, so the tone curve enters by its
    slope, at the truth as far as it is known without noise: the halves' mean, blurred. All are clipped at white first, so
    that a lamp's edge counts for no more than it is seen to.
    """
    import cv2

    scale = 0.4 / np.mean(halves)
    shown, *clipped = (np.clip(p.astype(np.float64) * scale, 0, 1) for p in (picture, *halves))
    known = np.maximum(cv2.GaussianBlur(np.mean(clipped, 0), (0, 0), _BLUR_PX), _DARKEST)
    slope = known ** (1 / 2.2 - 1) / 2.2
    errors = [slope * (shown - half) for half in clipped]
    return float(-10 * np.log10(max(np.mean(errors[0] * errors[1]), 1e-9)))


def drawn(recipe, index: int):
    """The scene of record ``index``."""
    from understudy.draws import Draws

    draws = Draws(Key(recipe.seed).child("record", index, 0))
    return recipe.world.sample(draws.at("world", recipe.world_name),
                               recipe.sensors.camera.sample(draws.at("sensors", "camera")))


def ours(scene, renderer, index: int) -> tuple[float, float, np.ndarray]:
    """CPU and wall seconds (best of three after a warm-up) and the picture of our default renderer."""
    _light(scene, renderer, Key(index))
    runs = [_light(scene, renderer, Key(index)) for _ in range(3)]
    return min(r[0] for r in runs), min(r[1] for r in runs), runs[0][2]


def our_halves(scene, renderer, index: int, samples: int) -> tuple[np.ndarray, np.ndarray]:
    """Two pictures of half of ``samples`` paths a pixel, all of full length, without denoising."""
    plain = dataclasses.replace(renderer, samples=1, denoise="off")  # a lone path has full length
    totals = [0.0, 0.0]
    for turn in range(samples):
        one = _light(scene, plain, Key(index).child("reference", turn))[2].astype(np.float64)
        totals[turn % 2] = totals[turn % 2] + one
    return tuple((total / (samples // 2)).astype(np.float32) for total in totals)


def _light(scene, settings, key: Key) -> tuple[float, float, np.ndarray]:
    """CPU and wall seconds from the scene's arrays to exposed light, and the light before exposure, which is not linear."""
    from understudy.renderers.mitsuba import meshes, rays
    from understudy.renderers.mitsuba.variant import mitsuba
    from understudy.renderers.triangles import triangles_of
    from understudy.sensors import metered

    mi = mitsuba()
    start, wall = time.process_time(), time.perf_counter()
    triangles = triangles_of(scene)
    bare = meshes.hit_scene(mi, triangles)
    w, h = scene.camera.lens.size_wh
    hits = rays.centre_hits(mi, bare, scene.camera, np.arange(w * h))
    paths = settings.paths(mi, bare, scene, triangles, hits, np.arange(w * h), key, sky=True)
    light, shown, albedo, normal = (v.reshape(h, w, 3) for v in (paths.light, paths.shown, paths.albedo, paths.normal))
    picture = shown + settings.denoised(light, paths.cover.reshape(h, w), albedo, normal)
    metered(picture)
    return time.process_time() - start, time.perf_counter() - wall, picture


def kept(path: Path, make):
    """What ``make`` returns, or what it returned when ``path`` was written."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        part.write_bytes(pickle.dumps(make()))
        part.rename(path)
    return pickle.loads(path.read_bytes())


def cycles(python: str, scene, max_bounces: int, counts: str, plain: str = "") -> dict[str, np.ndarray]:
    """What blender_peer.py makes of the scene."""
    with tempfile.TemporaryDirectory() as folder:
        export(scene, Path(folder) / "scene.npz", max_bounces)
        subprocess.run([python, str(Path(__file__).with_name("blender_peer.py")), f"{folder}/scene.npz", f"{folder}/out.npz",
                        counts, "--threads", "1", "--plain", plain], check=True, stdout=subprocess.DEVNULL)
        return dict(np.load(f"{folder}/out.npz"))


def cycles_halves(peer, samples: int) -> tuple[np.ndarray, np.ndarray]:
    """Two pictures of half of ``samples`` each by the peer, without denoising, of different seeds."""
    half = samples // 2
    made = peer("", f"{half}:1,{half}:2")
    return made[f"picture_plain_{half}:1"], made[f"picture_plain_{half}:2"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--blender-python", required=True)
    parser.add_argument("--recipe", default="people-in-rooms")
    parser.add_argument("-n", type=int, default=3)
    parser.add_argument("--samples", default="1,2,4,8,16")
    parser.add_argument("--reference", type=int, default=128, help="samples of both reference pictures together")
    parser.add_argument("--keep", type=Path, help="hold scenes and references here between runs")
    parser.add_argument("--references-only", action="store_true", help="make what --keep holds and stop")
    parser.add_argument("--match", action="store_true", help="raise our samples until ours is as good as the peer's first")
    parser.add_argument("--pictures", type=Path, help="write both renderers' pictures and references here, to look at")
    parser.add_argument("--set", action="append", default=[], dest="overrides", metavar="PATH=VALUE")
    args = parser.parse_args()
    os.environ |= dict.fromkeys(("UNDERSTUDY_THREADS", "OMP_NUM_THREADS", "OIDN_NUM_THREADS"), "1")
    from understudy.recipe import parse

    recipe = parse(args.recipe, overrides=[*PLAIN_CAMERA, *args.overrides])
    renderer = recipe.sensors.renderer
    rows = []
    temporary = tempfile.TemporaryDirectory()  # goes when the program ends
    keep = args.keep or Path(temporary.name)
    for index in range(args.n):
        folder = keep / recipe.digest / f"{recipe.seed}-{index}"
        scene = kept(folder / "scene.pickle", partial(drawn, recipe, index))
        reference = kept(folder / f"ours-{args.reference}.pickle",
                         partial(our_halves, scene, renderer, index, args.reference))
        peer = partial(cycles, args.blender_python, scene, renderer.max_depth - 1)
        peer_reference = kept(folder / f"cycles-{args.reference}.pickle", partial(cycles_halves, peer, args.reference))
        if args.references_only:
            continue
        tries = peer(args.samples)
        counts = args.samples.split(",")
        tried = {kind: [(int(c), *(float(tries[f"{clock}_{kind}_{c}"]) for clock in ("seconds", "wall")),
                         psnr(tries[f"picture_{kind}_{c}"], peer_reference)) for c in counts] for kind in KINDS}
        finer = [dataclasses.replace(renderer, samples=count, denoise="fast") for count in OURS]
        runs = []
        for used in (renderer, *(finer if args.match else ())):
            seconds, wall, picture = ours(scene, used, index)
            runs.append((seconds, wall, psnr(picture, reference), picture))
            print(f"scene {index}: ours {seconds:.2f} s (wall {wall:.2f}) at {runs[-1][2]:.1f} dB ({used.samples} samples, "
                  f"denoise {used.denoise})", flush=True)
            if args.match and runs[-1][2] >= max(row[0][3] for row in tried.values()):
                break
        for kind, row in tried.items():
            if args.match:
                chosen = row[0]
                mine = next((run for run in runs if run[2] >= chosen[3]), runs[-1])
            else:
                mine = runs[0]
                chosen = next((t for t in row if t[3] >= mine[2]), row[-1])
            setup = [float(tries[f"setup_{clock}"]) for clock in ("seconds", "wall")]
            rows.append((kind, index, *mine[:3], *chosen, *setup))
            print(f"  Cycles, {KINDS[kind]}: "
                  + ", ".join(f"{c}: {s:.2f} s (wall {w:.2f}) {q:.1f} dB" for c, s, w, q in row), flush=True)
            if args.pictures and kind == "denoised":
                save(args.pictures, index, mine[3], np.mean(reference, 0), tries[f"picture_denoised_{chosen[0]}"],
                     np.mean(peer_reference, 0))
    for kind, name in KINDS.items():
        print(f"\nCycles, {name}:\n")
        print("| scene | ours, CPU s (wall) | PSNR, dB | samples | Cycles, CPU s (wall) | its set-up | PSNR, dB "
              "| times faster (wall) | with its set-up (wall) |")
        print("|---|---|---|---|---|---|---|---|---|")
        mine = [row[1:] for row in rows if row[0] == kind]
        for index, seconds, wall, quality, count, theirs, their_wall, their_quality, setup, setup_wall in mine:
            verdict = "" if their_quality >= quality else " (below ours)"
            both, both_wall = theirs + setup, their_wall + setup_wall
            print(f"| {index} | {seconds:.2f} ({wall:.2f}) | {quality:.1f} | {count} | {theirs:.2f} ({their_wall:.2f}) "
                  f"| {setup:.2f} ({setup_wall:.2f}) | {their_quality:.1f}{verdict} "
                  f"| {theirs / seconds:.1f} ({their_wall / wall:.1f}) | {both / seconds:.1f} ({both_wall / wall:.1f}) |")
        for text, more in (("", 0), (", with its set-up", 1)):
            print(f"\nmedian{text}: {np.median([(r[5] + more * r[8]) / r[1] for r in mine]):.1f} times faster in CPU time, "
                  f"{np.median([(r[6] + more * r[9]) / r[2] for r in mine]):.1f} by the wall clock")


def save(folder: Path, index: int, *pictures: np.ndarray) -> None:
    from PIL import Image

    folder.mkdir(parents=True, exist_ok=True)
    tiles = [np.clip(p * (0.4 / p.mean()), 0, 1) ** (1 / 2.2) * 255 for p in pictures]
    Image.fromarray(np.concatenate(tiles, 1).astype(np.uint8)).save(folder / f"{index}.png")


if __name__ == "__main__":
    main()
