"""Removing the sampling noise: Intel Open Image Denoise, guided by the surfaces' own colour and direction."""

from __future__ import annotations

import importlib
import os
import sys

import numpy as np

from understudy.errors import MissingDependency

QUALITIES = ("off", "fast", "balanced", "high")


def denoised(light: np.ndarray, albedo: np.ndarray, normal: np.ndarray, quality: str, threads: int = 1) -> np.ndarray:
    """(h, w, 3) float32 linear radiance with its noise removed; ``quality`` is one of QUALITIES.

    albedo : (h, w, 3) float32 in [0, 1]; normal : (h, w, 3) float32, unit or 0. Both must be free of noise.
    """
    if quality == "off" or not light.size:
        return light
    oidn = _oidn(threads)
    images = (np.ascontiguousarray(a, np.float32) for a in (light, albedo, normal))
    return np.maximum(oidn.denoise(*images, hdr=True, clean_aux=True, quality=quality), 0)


def _oidn(threads: int):
    """The pyoidn module, on as many threads as the renderer.

    Its threads must not be pinned, or all workers would share the first cores. It imports torch where that is installed,
    a second and 200 MB that nothing here uses: it is told that there is none.
    """
    os.environ.setdefault("OIDN_NUM_THREADS", str(threads))
    os.environ.setdefault("OIDN_SET_AFFINITY", "0")
    if _loaded() is not None:
        return _loaded()
    hide = "torch" not in sys.modules
    if hide:
        sys.modules["torch"] = None
    try:
        return importlib.import_module("pyoidn")
    except (ImportError, OSError) as error:
        raise MissingDependency("denoising needs Open Image Denoise", got=str(error),
                                remedy="pip install pyoidn, or set renderer.path.denoise to off") from error
    finally:
        if hide:
            del sys.modules["torch"]


def _loaded():
    return sys.modules.get("pyoidn")
