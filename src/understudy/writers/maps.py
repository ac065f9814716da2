"""Whole-picture maps as files: the encodings, each with its inverse. COCO and WebDataset share them.

========== ===== ======================================================================================================
encoding   file  meaning
========== ===== ======================================================================================================
mm16       .png  16-bit grey: metres * 1000, rounded; 0 is "nothing there" (infinite, not a number, or over 65.535 m)
normal8    .png  8-bit RGB: round((n + 1) * 127.5) of x, y, z; 0, 0, 0 is "nothing there" (the zero vector)
mask1      .png  8-bit grey: 0 or 255
id8, id16  .png  8 or 16-bit grey: the number itself
id24, id32 .png  8-bit RGB or RGBA: R + 256 G + 65536 B (+ 16777216 A); three bytes wherever no id needs the fourth
rgb8       .png  8-bit RGB: three numbers a pixel
npz        .npz  the array itself, under the name ``map`` (everything else; every float map when ``exact`` is set)
========== ===== ======================================================================================================
"""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np

from understudy.errors import DatasetError

_COLOUR_TYPES = {1: 0, 3: 2, 4: 6}  # PNG's number for so many planes: grey, RGB, RGBA

LOSSES = {
    "maps.depth": "rounded to the millimetre; over 65.535 m counts as nothing there (exact: true keeps every bit)",
    "maps.normals": "8 bits a component, about half a degree (exact: true keeps every bit)",
}


def encode_map(name: str, array: np.ndarray, exact: bool = False) -> tuple[str, str, bytes]:
    """(encoding, suffix, the file's bytes) of the map called ``name``."""
    encoding = _encoding(name, array, exact)
    if encoding == "npz":
        out = io.BytesIO()
        np.savez_compressed(out, map=array)
        return encoding, ".npz", out.getvalue()
    return encoding, ".png", _png(_to_pixels(array, encoding))


def decode_map(encoding: str, data: bytes, where: object) -> np.ndarray:
    """The map back, in the type that a record carries; DatasetError if the file is not what the encoding says."""
    try:
        if encoding == "npz":
            with np.load(io.BytesIO(data), allow_pickle=False) as archive:
                return archive["map"]
        from PIL import Image

        with Image.open(io.BytesIO(data)) as image:
            pixels = np.asarray(image)
    except (OSError, ValueError, KeyError, SyntaxError) as error:
        raise DatasetError(f"is no usable map: {error}", where=where) from error
    return _from_pixels(pixels, encoding, where)


def survives(name: str, array: np.ndarray) -> bool:
    """Would the map come back bit for bit (without ``exact``)? A map that was rounded before loses nothing more."""
    encoding = _encoding(name, array, exact=False)
    return encoding == "npz" or np.array_equal(_from_pixels(_to_pixels(array, encoding), encoding, name), array)


def encode_rgb8(array: np.ndarray) -> bytes:
    """(h, w, 3) uint8 as PNG."""
    return _png(array)


def _encoding(name: str, array: np.ndarray, exact: bool) -> str:
    kind, planes = array.dtype, array.shape[2:]
    if kind == np.bool_ and not planes:
        return "mask1"
    if kind == np.uint8 and planes in ((), (3,)):
        return "rgb8" if planes else "id8"
    if kind == np.uint16 and not planes:
        return "id16"
    if kind == np.uint32 and not planes:
        return "id24" if array.max(initial=0) < 1 << 24 else "id32"
    if kind == np.float32 and not exact:
        if name == "depth" and not planes:
            return "mm16"
        if name == "normals" and planes == (3,):
            return "normal8"
    return "npz"


def _to_pixels(array: np.ndarray, encoding: str) -> np.ndarray:
    if encoding == "mm16":
        with np.errstate(invalid="ignore", over="ignore"):
            millimetres = np.rint(array.astype(np.float64) * 1000)
            return np.where((millimetres >= 1) & (millimetres <= 65535), millimetres, 0).astype(np.uint16)
    if encoding == "normal8":
        scaled = (array + np.float32(1)) * np.float32(127.5)
        scaled = np.clip(np.rint(scaled, out=scaled), 0, 255, out=scaled)
        return scaled.astype(np.uint8) * _anything(array)
    if encoding == "mask1":
        return array.astype(np.uint8) * 255
    if encoding in ("id24", "id32"):
        octets = np.ascontiguousarray(array.astype("<u4")).view(np.uint8).reshape(*array.shape, 4)
        return octets if encoding == "id32" else octets[..., :3]
    return array


def _from_pixels(pixels: np.ndarray, encoding: str, where: object) -> np.ndarray:
    planes = {"normal8": (3,), "rgb8": (3,), "id24": (3,), "id32": (4,)}.get(encoding, ())
    if pixels.shape[2:] != planes:
        raise DatasetError(f"is not a map of encoding {encoding}", where=where, wanted=f"{planes or (1,)} planes",
                           got=pixels.shape[2:] or (1,))
    if encoding == "mm16":
        return np.where(pixels > 0, pixels.astype(np.float32) / np.float32(1000), np.float32(np.inf))
    if encoding == "normal8":
        # Not scaled to length 1 again (it is within 0.7 %): so writing what was read gives the same bytes.
        vector = pixels.astype(np.float32) / np.float32(127.5) - 1
        return np.where(_anything(pixels), vector, np.float32(0))
    if encoding == "mask1":
        return pixels > 127
    if encoding in ("id24", "id32"):
        octets = np.zeros((*pixels.shape[:2], 4), np.uint8)
        octets[..., :pixels.shape[2]] = pixels
        return octets.view("<u4")[..., 0].astype(np.uint32)
    types = {"id8": np.uint8, "rgb8": np.uint8, "id16": np.uint16}
    if encoding not in types:
        raise DatasetError("a map has an unknown encoding", where=where, wanted=", ".join(sorted(types)), got=encoding)
    return pixels.astype(types[encoding])


def _anything(array: np.ndarray) -> np.ndarray:
    """(h, w, 1) bool: where one of three planes is not 0."""
    return ((array[..., 0] != 0) | (array[..., 1] != 0) | (array[..., 2] != 0))[..., None]


def _png(pixels: np.ndarray) -> bytes:
    """A PNG file (ISO/IEC 15948) of (h, w) or (h, w, 3 or 4) uint8, or (h, w) uint16.

    Every row is kept as its difference from the row above (filter type 2) and packed by runs. Encoders that try all five
    filters on each row take three times as long for a tenth fewer bytes (maps of people, 640 x 480).
    """
    h, w = pixels.shape[:2]
    octets = np.ascontiguousarray(pixels, pixels.dtype.newbyteorder(">")).view(np.uint8).reshape(h, -1)
    rows = np.full((h, octets.shape[1] + 1), 2, np.uint8)
    rows[:1, 1:] = octets[:1]
    np.subtract(octets[1:], octets[:-1], out=rows[1:, 1:])
    packer = zlib.compressobj(1, zlib.DEFLATED, zlib.MAX_WBITS, 9, zlib.Z_RLE)
    header = struct.pack(">IIBBBBB", w, h, 8 * pixels.itemsize, _COLOUR_TYPES[1 if pixels.ndim == 2 else pixels.shape[2]],
                         0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", packer.compress(rows) + packer.flush()), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(struct.pack(">I", len(data)) + name + data
                                            + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks)
