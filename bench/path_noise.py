"""What noise is left in pictures, and what it costs, by the number of paths a pixel.

    python bench/path_noise.py [--samples 2,3] [--reference 192] [-n 4] [--photos DIR] [--set sensors.camera.size=[160,120]]
        [--recipes people-in-photographs,people-in-rooms,people-in-open-air] [--keep DIR]

Each scene is rendered with the renderer's own denoising and held against a picture of --reference paths without any. PSNR of
sRGB, where figures are (photographs) or everywhere; the same after a Gaussian blur of two pixels, which leaves the noise of
light and takes away that of edges and textures; and CPU seconds of the light alone, labels and scene left out. The
photograph's grain is left out. --keep DIR holds references between runs (delete it when worlds or materials change).
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

from understudy.key import Key
from understudy.scene import Scene

RECIPES = "people-in-photographs,people-in-rooms,people-in-open-air"
BLUR_PX = 2.0
PARTS = 16  # of a reference, each with paths of its own


def scene_of(name: str, index: int, more: list[str]) -> Scene:
    """The scene of a record's first good draw, without grain."""
    from understudy.draws import Draws
    from understudy.errors import AssetError, Unsatisfiable
    from understudy.recipe import parse

    recipe = parse(name, overrides=more)
    first = Key(recipe.seed).child("record", index, 0)
    for attempt in range(20):
        draws = Draws(Key(recipe.seed).child("record", index, attempt), lasting=first)
        camera = recipe.sensors.camera.sample(draws.at("sensors", "camera"))
        try:
            scene = recipe.world.sample(draws.at("world", recipe.world_name), camera)
        except (AssetError, Unsatisfiable):
            continue
        if scene.backdrop is None:
            return scene
        return dataclasses.replace(scene, backdrop=dataclasses.replace(scene.backdrop, noise=0.0))
    raise SystemExit(f"{name}: no draw of record {index} is good")


def light(scene: Scene, key: Key, **settings) -> tuple[np.ndarray, float]:
    """(h, w, 3) linear light that arrives at the sensor, not metered, and its CPU seconds."""
    from understudy.renderers import mitsuba as renderer
    from understudy.renderers.channels import in_front_of_lamps
    from understudy.renderers.mitsuba import Path as Renderer
    from understudy.renderers.mitsuba import meshes, rays
    from understudy.renderers.mitsuba.variant import mitsuba
    from understudy.renderers.triangles import triangles_of

    mi, triangles = mitsuba(), triangles_of(scene)
    bare = meshes.hit_scene(mi, triangles)
    w, h = scene.camera.lens.size_wh
    hits = in_front_of_lamps(scene, triangles, rays.centre_hits(mi, bare, scene.camera, np.arange(w * h)))
    meter, renderer.metered = renderer.metered, lambda linear: linear
    try:
        start = time.process_time()
        return Renderer(**settings)._light(mi, bare, scene, triangles, hits, key), time.process_time() - start
    finally:
        renderer.metered = meter


def shown(linear: np.ndarray, gain: float) -> np.ndarray:
    """sRGB in [0, 1], highlights rolled off as :func:`understudy.sensors.metered` has them."""
    from understudy.assets.palettes import srgb_encode
    from understudy.sensors.develop import SHOULDER

    light, room = linear * gain, 1 - SHOULDER
    return srgb_encode(np.where(light > SHOULDER, SHOULDER + room * (1 - np.exp((SHOULDER - light) / room)), light))


def psnr(one: np.ndarray, other: np.ndarray, where: np.ndarray) -> float:
    return float(-10 * np.log10(((one - other) ** 2).mean(axis=2)[where].mean()))


def main() -> None:
    import cv2

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", default="2,3")
    parser.add_argument("--reference", type=int, default=192)
    parser.add_argument("-n", type=int, default=4, help="scenes of each recipe")
    parser.add_argument("--photos", help="a folder of photographs; painted ones if left out")
    parser.add_argument("--recipes", default=RECIPES)
    parser.add_argument("--keep", type=Path, default=Path(tempfile.gettempdir()) / "path-noise")
    parser.add_argument("--set", action="append", default=[], dest="more", metavar="PATH=VALUE")
    args = parser.parse_args()
    os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "UNDERSTUDY_THREADS", "OIDN_NUM_THREADS"), "1")
    args.keep.mkdir(parents=True, exist_ok=True)
    print("| recipe | paths | PSNR, dB | blurred, dB | light, CPU s |\n|---|---|---|---|---|")
    for name in args.recipes.split(","):
        folder = f"world.people.surroundings.photographs.folder={Path(args.photos).resolve()}" if args.photos else ""
        more = [*args.more, *([folder] if folder and name == "people-in-photographs" else [])]
        rows: dict[int, list[tuple[float, float, float]]] = {int(s): [] for s in args.samples.split(",")}
        for index in range(args.n):
            scene = scene_of(name, index, more)
            kept = args.keep / f"{name}-{index}-{args.reference}-{'x'.join(map(str, scene.camera.lens.size_wh))}.npy"
            if not kept.is_file():
                each = args.reference // PARTS
                parts = [light(scene, Key(9).child(k), samples=each, denoise="off")[0] for k in range(PARTS)]
                np.save(kept, np.mean(parts, axis=0, dtype=np.float32))
            truth, gain = np.load(kept), 1.0
            where = np.ones(truth.shape[:2], bool)
            if scene.backdrop is None:
                gain = 0.18 / float(np.exp(np.log(truth @ np.array([0.2126, 0.7152, 0.0722]) + 1e-6).mean()))
            else:
                where = np.abs(truth - scene.backdrop.radiance).max(axis=2) > 1e-4
            for samples, found in rows.items():
                got, seconds = light(scene, Key(5), samples=samples)
                one, other = shown(got, gain), shown(truth, gain)
                soft = [cv2.GaussianBlur(p, (0, 0), BLUR_PX) for p in (one, other)]
                found.append((psnr(one, other, where), psnr(*soft, where), seconds))
        for samples, found in rows.items():
            sharp, soft, seconds = (statistics.mean(column) for column in zip(*found))
            print(f"| {name} | {samples} | {sharp:.2f} | {soft:.2f} | {seconds:.3f} |", flush=True)


if __name__ == "__main__":
    main()
