"""Sensors: from a recipe's camera to a picture's file.

``CameraSensor`` is what a recipe says of its camera; :func:`develop` takes the light that arrived to 8-bit colour;
:func:`encode` takes colour to a file's bytes. One file and one line here adds a sensor.
"""

from __future__ import annotations

from understudy.sensors.develop import develop, metered
from understudy.sensors.encode import encode

__all__ = ["SENSORS", "develop", "encode", "metered"]

SENSORS: dict[str, str | type] = {
    "camera": "understudy.sensors.camera:CameraSensor",
}
