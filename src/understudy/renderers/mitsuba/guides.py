"""What guides the denoiser: each pixel's own surface colour and direction, at its centre and free of noise."""

from __future__ import annotations

import numpy as np

from understudy import signals
from understudy.renderers.channels import Hits, label_channels
from understudy.renderers.texels import base_colour
from understudy.renderers.triangles import Triangles
from understudy.scene import Scene


def guides(scene: Scene, triangles: Triangles, hits: Hits) -> tuple[np.ndarray, np.ndarray]:
    """Albedo (h, w, 3) in [0, 1] and normal (h, w, 3) float32, both 0 where nothing is seen."""
    maps = label_channels(scene, triangles, hits, (signals.NORMAL, signals.UV))
    normal, uv = maps[signals.NORMAL], maps[signals.UV].reshape(-1, 2)[hits.pixel]
    albedo = np.zeros(normal.shape, np.float32)
    albedo.reshape(-1, 3)[hits.pixel] = base_colour(triangles, triangles.piece[hits.face], uv)
    return albedo, normal
