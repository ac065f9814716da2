"""The platform's cache folder, and files in it that are built once while other workers wait.

What is kept there can always be made again (a body model, a photograph's checked header); deleting the folder costs time
only. A name carries everything its content depends on (version, digest), so nothing is ever out of date.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from understudy.errors import AssetError


def cache_dir() -> Path:
    """The cache folder (not made by asking): ``$UNDERSTUDY_CACHE``, else ``understudy`` in the platform's own.

    That is ``$XDG_CACHE_HOME`` or ``~/.cache`` (XDG Base Directory Specification 0.8), ``~/Library/Caches`` on macOS,
    ``%LOCALAPPDATA%`` on Windows.
    """
    chosen = os.environ.get("UNDERSTUDY_CACHE")
    if chosen:
        return Path(chosen).expanduser().absolute()
    home = Path.home()
    if sys.platform == "darwin":
        base = home / "Library" / "Caches"
    elif sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    else:
        named = os.environ.get("XDG_CACHE_HOME", "")
        base = Path(named) if named.startswith("/") else home / ".cache"  # the specification: ignore relative paths
    return base / "understudy"


def cached(name: str, build: Callable[[Path], object]) -> Path:
    """The file or folder ``name`` in the cache, built if it is not there: one process builds, the others wait.

    ``build`` receives a path that does not exist yet and leaves a file or a folder there; it is then renamed into place,
    so ``name`` is either absent or whole, whatever was killed when. ``name`` may have folders (``"bodies/3f2a.npz"``).
    Raises AssetError if the cache cannot be written; what ``build`` raises passes through, and nothing is left behind.
    """
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*", name):
        raise ValueError(f"a cache name is made of letters, digits, '.', '_', '-' and '/', got {name!r}")
    target = cache_dir() / name
    if target.exists():
        return target
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        lock = target.with_name(f".{target.name}.lock").open("a+b")
    except OSError as error:
        raise _unwritable(target, error) from error
    with lock, _held(lock):
        if target.exists():  # another process built it while this one waited
            return target
        for left in target.parent.glob(f".{target.name}.*.part"):  # of a builder that was killed
            _remove(left)
        part = target.with_name(f".{target.name}.{os.getpid()}.part")
        try:
            build(part)
            if not part.exists():
                raise ValueError(f"building {name} left nothing at the path it was given")
            part.replace(target)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS):
                raise _unwritable(target, error) from error
            raise
        finally:
            _remove(part)
    return target


def _unwritable(target: Path, error: OSError) -> AssetError:
    return AssetError(f"the cache cannot be written: {error.strerror or error}", where=target,
                      remedy="Set UNDERSTUDY_CACHE to a folder that can be written and has room")


@contextmanager
def _held(lock: IO[bytes]) -> Iterator[None]:
    """Hold an exclusive lock on an open file; the system lets go of it when its holder dies."""
    if sys.platform == "win32":
        import msvcrt
        import time

        while True:
            try:
                lock.seek(0)
                msvcrt.locking(lock.fileno(), msvcrt.LK_NBLCK, 1)
                break
            except OSError:
                time.sleep(0.1)
        try:
            yield
        finally:
            lock.seek(0)
            msvcrt.locking(lock.fileno(), msvcrt.LK_UNLCK, 1)
    else:
        import fcntl

        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
        except OSError as error:  # a file system without locks: two may build, the renames still agree
            if error.errno not in (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS):
                raise
        yield


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
