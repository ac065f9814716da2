"""Render an exported scene with Blender's Cycles and OIDN: the peer of bench/against_blender.py.

    BLENDER_PYTHON bench/blender_peer.py SCENE.npz OUT.npz SAMPLES[,SAMPLES...] [--threads N]

Runs in an environment that holds ``bpy`` (GPL; a process of its own, nothing of Understudy is imported). The scene comes
as plain arrays in Understudy's frames; OUT holds one linear picture and the seconds of rendering for every sample count:
``denoised`` with Blender's own settings of OIDN, ``fast`` with its quickest ones, ``plain`` without. Scene set-up is left
out of these and stands beside them (``setup``: from arrays to a scene, and what its first render takes over a second one).
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

import bpy
import numpy as np
from mathutils import Matrix, Vector


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("scene", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("samples")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--plain", default="", help="SAMPLES[:SEED],... that are not denoised (references)")
    args = parser.parse_args(sys.argv[1:])
    data = np.load(args.scene, allow_pickle=False)
    scene = built(data, args.threads)
    results = {}
    plain = [s for s in args.plain.split(",") if s]
    wanted = [(s, kind) for s in args.samples.split(",") if s for kind in ("denoised", "fast")]
    wanted += [(s, "plain") for s in plain]
    for count, kind in wanted:
        cook(scene, count, kind)
        if (count, kind) in wanted[:2]:
            render(scene)  # what is built at first use (kernels of the denoiser, the ray tree) is nobody's cost
        seconds, wall, picture = render(scene)
        name = f"{kind}_{count}"
        results |= {f"picture_{name}": picture, f"seconds_{name}": seconds, f"wall_{name}": wall}
    if results and wanted[0][1] != "plain":  # a second time, when nothing is new to the process any more
        count, kind = wanted[0]
        start, wall = time.process_time(), time.perf_counter()
        scene = built(data, args.threads)
        cook(scene, count, kind)
        render(scene)
        for clock, took in (("seconds", time.process_time() - start), ("wall", time.perf_counter() - wall)):
            results[f"setup_{clock}"] = max(0.0, took - results[f"{clock}_{kind}_{count}"])
    np.savez(args.out, **results)


def built(data, threads: int):
    """The scene of the arrays."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    settings(scene, data, threads)
    world(scene, data)
    camera(scene, data)
    for i in range(int(data["surfaces"])):
        surface(scene, data, i)
    return scene


def cook(scene, count: str, kind: str) -> None:
    """How many samples, and how they are denoised."""
    samples, _, seed = count.partition(":")
    scene.cycles.samples, scene.cycles.seed = int(samples), int(seed or 0)
    scene.cycles.use_denoising = kind != "plain"
    scene.cycles.denoising_quality = "FAST" if kind == "fast" else "HIGH"
    scene.cycles.denoising_prefilter = "FAST" if kind == "fast" else "ACCURATE"


def settings(scene, data, threads: int) -> None:
    width, height = (int(v) for v in data["size_wh"])
    scene.render.engine = "CYCLES"
    scene.cycles.device = "CPU"
    scene.cycles.denoiser = "OPENIMAGEDENOISE"
    scene.cycles.denoising_input_passes = "RGB_ALBEDO_NORMAL"
    scene.cycles.use_adaptive_sampling = False
    scene.cycles.max_bounces = int(data["max_bounces"])
    scene.cycles.diffuse_bounces = scene.cycles.glossy_bounces = int(data["max_bounces"])
    scene.cycles.caustics_reflective = scene.cycles.caustics_refractive = True
    scene.cycles.sample_clamp_indirect = 0.0
    scene.cycles.pixel_filter_type = "BOX"  # as ours
    scene.render.use_persistent_data = True  # kinder to the peer: what it can keep between renders it keeps
    scene.render.threads_mode, scene.render.threads = "FIXED", threads
    scene.render.resolution_x, scene.render.resolution_y, scene.render.resolution_percentage = width, height, 100
    scene.render.image_settings.file_format = "OPEN_EXR"
    scene.render.image_settings.color_depth = "32"
    scene.view_settings.view_transform = "Raw"


def render(scene) -> tuple[float, float, np.ndarray]:
    """CPU seconds, wall seconds and the linear picture."""
    with tempfile.TemporaryDirectory() as folder:
        scene.render.filepath = str(Path(folder) / "picture.exr")
        start, wall = time.process_time(), time.perf_counter()
        bpy.ops.render.render(write_still=True)
        seconds, wall = time.process_time() - start, time.perf_counter() - wall
        image = bpy.data.images.load(scene.render.filepath)
        image.colorspace_settings.name = "Non-Color"
        width, height = image.size
        pixels = np.zeros(width * height * image.channels, np.float32)
        image.pixels.foreach_get(pixels)
        bpy.data.images.remove(image)
    return seconds, wall, pixels.reshape(height, width, -1)[::-1, :, :3]


def world(scene, data) -> None:
    scene.world = bpy.data.worlds.new("world")
    scene.world.use_nodes = True
    tree = scene.world.node_tree
    background = tree.nodes["Background"]
    radiance = data["environment"]
    height, width = radiance.shape[:2]
    image = bpy.data.images.new("environment", width, height, float_buffer=True)
    image.colorspace_settings.name = "Non-Color"
    rgba = np.ones((height, width, 4), np.float32)
    # Column 0 of ours looks along +x and goes counter-clockwise; Blender's middle column looks along +x, clockwise.
    rgba[..., :3] = np.roll(radiance[:, ::-1], width // 2, axis=1)
    image.pixels.foreach_set(rgba[::-1].ravel())
    node = tree.nodes.new("ShaderNodeTexEnvironment")
    node.image = image
    tree.links.new(node.outputs["Color"], background.inputs["Color"])
    for i in range(int(data["lamps"])):
        light = bpy.data.lights.new(f"lamp{i}", "AREA")
        to_world = data[f"lamp{i}_to_world"]
        light.shape = "RECTANGLE"
        light.size, light.size_y = (float(2 * np.linalg.norm(to_world[:3, k])) for k in (0, 1))
        radiance = data[f"lamp{i}_radiance"]
        # Blender's area light gives power / (pi * area) radiance.
        light.energy = float(np.pi * light.size * light.size_y)
        light.color = tuple(float(c) for c in radiance)
        lamp = bpy.data.objects.new(f"lamp{i}", light)
        turned = np.array(to_world, float)
        turned[:3, :3] /= np.linalg.norm(turned[:3, :3], axis=0)
        turned[:3, 1:3] *= -1  # Blender's lamps shine along their -z
        lamp.matrix_world = Matrix(turned.tolist())
        lamp.visible_camera = True  # as ours are; Blender hides lights from the camera unless told otherwise
        scene.collection.objects.link(lamp)
    if "sun_direction" in data:
        light = bpy.data.lights.new("sun", "SUN")
        irradiance = data["sun_irradiance"]
        light.energy, light.angle = float(irradiance.max()), float(np.radians(data["sun_angle_deg"]))
        light.color = tuple(float(c) for c in irradiance / irradiance.max())
        sun = bpy.data.objects.new("sun", light)
        sun.rotation_mode = "QUATERNION"
        sun.rotation_quaternion = Vector([float(v) for v in data["sun_direction"]]).to_track_quat("Z", "Y")
        scene.collection.objects.link(sun)


def camera(scene, data) -> None:
    width, height = (int(v) for v in data["size_wh"])
    lens = bpy.data.cameras.new("camera")
    lens.sensor_fit, lens.sensor_width = "HORIZONTAL", 36.0
    lens.lens = float(data["focal_px"][0]) / width * 36.0
    lens.shift_x = -(float(data["centre_px"][0]) / width - 0.5)
    lens.shift_y = (float(data["centre_px"][1]) - height / 2) / width
    lens.clip_start = 0.01
    eye = bpy.data.objects.new("camera", lens)
    to_world = np.array(data["to_world"], float) @ np.diag([1.0, -1.0, -1.0, 1.0])  # OpenCV's axes to Blender's
    eye.matrix_world = Matrix(to_world.tolist())
    scene.collection.objects.link(eye)
    scene.camera = eye


def surface(scene, data, i: int) -> None:
    vertices, faces = data[f"s{i}_vertices"], data[f"s{i}_faces"]
    mesh = bpy.data.meshes.new(f"s{i}")
    mesh.vertices.add(len(vertices))
    mesh.vertices.foreach_set("co", np.ascontiguousarray(vertices, np.float32).ravel())
    mesh.loops.add(3 * len(faces))
    mesh.loops.foreach_set("vertex_index", np.ascontiguousarray(faces, np.int32).ravel())
    mesh.polygons.add(len(faces))
    mesh.polygons.foreach_set("loop_start", np.arange(0, 3 * len(faces), 3, dtype=np.int32))
    mesh.update(calc_edges=True)
    mesh.polygons.foreach_set("use_smooth", np.full(len(faces), bool(data[f"s{i}_smooth"])))
    material = bpy.data.materials.new(f"s{i}")
    material.use_nodes = True
    principled = material.node_tree.nodes["Principled BSDF"]
    principled.inputs["Roughness"].default_value = float(data[f"s{i}_roughness"])
    principled.inputs["Metallic"].default_value = float(data[f"s{i}_metallic"])
    principled.inputs["Specular IOR Level"].default_value = float(data[f"s{i}_specular"])
    colour = data[f"s{i}_color"]
    if colour.ndim == 1:
        principled.inputs["Base Color"].default_value = (*(float(c) for c in colour), 1.0)
    else:
        height, width = colour.shape[:2]
        image = bpy.data.images.new(f"s{i}", width, height)
        rgba = np.ones((height, width, 4), np.float32)
        rgba[..., :3] = colour / 255.0
        image.pixels.foreach_set(rgba[::-1].ravel())
        node = material.node_tree.nodes.new("ShaderNodeTexImage")
        node.image = image
        material.node_tree.links.new(node.outputs["Color"], principled.inputs["Base Color"])
        layer = mesh.uv_layers.new()
        corner = np.zeros(len(mesh.loops), np.int32)
        mesh.loops.foreach_get("vertex_index", corner)
        layer.data.foreach_set("uv", data[f"s{i}_uv"][corner].astype(np.float32).ravel())
    mesh.materials.append(material)
    scene.collection.objects.link(bpy.data.objects.new(f"s{i}", mesh))


if __name__ == "__main__":
    main()
