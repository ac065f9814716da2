"""Which Mitsuba: a GPU where there is one, else compiled CPU code (LLVM), else the plain interpreter.

Mitsuba's variant is global to the process; this is the one place that chooses it.
"""

from __future__ import annotations

import logging
import os
import re
from pathlib import Path

from understudy.errors import MissingDependency

VARIANTS = ("cuda_ad_rgb", "llvm_ad_rgb", "scalar_rgb")
WANTED = "UNDERSTUDY_VARIANT"  # one of VARIANTS, to choose by hand
THREADS = "UNDERSTUDY_THREADS"  # threads of one renderer; one a worker is fastest over all

_LLVM_FOLDERS = ("/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib", "/usr/local/lib")
_LLVM_HOMES = ("/usr/lib", "/opt/homebrew/opt", "/usr/local/opt")
_LLVM_BEST = (19, 20, 18, 17)  # 14 is refused and 15 and 16 crash; newer ones than these are tried last
_log = logging.getLogger("understudy")


def mitsuba(wanted: str | None = None):
    """The ``mitsuba`` module with a variant set: ``wanted``, else UNDERSTUDY_VARIANT, else the fastest that works here.

    Once a variant is set, it stays (a program that set its own keeps it). Raises MissingDependency without Mitsuba.
    """
    wanted = wanted or os.environ.get(WANTED) or None
    try:
        llvm = find_llvm()
        if llvm is not None:
            os.environ.setdefault("DRJIT_LIBLLVM_PATH", str(llvm))
        import drjit as dr
        import mitsuba as mi
    except ImportError as error:
        raise MissingDependency("the path renderer needs Mitsuba 3", got=str(error), remedy="pip install mitsuba") from error
    if mi.variant() is None or (wanted is not None and mi.variant() != wanted):
        try:
            mi.set_variant(wanted or _fastest(dr))
        except (ImportError, AttributeError, RuntimeError) as error:
            raise MissingDependency("Mitsuba has no such variant here", where=WANTED, wanted=", ".join(VARIANTS),
                                    got=wanted) from error
        if mi.variant().startswith("scalar"):
            _log.warning("rendering without LLVM or a GPU, about four times slower: install LLVM 17 or newer "
                         "(Debian: apt-get install libllvm19) or name its library in DRJIT_LIBLLVM_PATH")
        else:
            dr.set_thread_count(threads())
    return mi


def threads() -> int:
    """Threads of one renderer: UNDERSTUDY_THREADS, else 1."""
    text = os.environ.get(THREADS, "1")
    return int(text) if text.isdigit() and int(text) > 0 else 1


def find_llvm() -> Path | None:
    """The best LLVM library of the usual folders, or None; a user's own DRJIT_LIBLLVM_PATH comes first."""
    named = os.environ.get("DRJIT_LIBLLVM_PATH")
    if named:
        return Path(named)
    found: dict[int, Path] = {}
    folders = [Path(f) for f in _LLVM_FOLDERS] + [f for home in _LLVM_HOMES for f in sorted(Path(home).glob("llvm*/lib"))]
    for folder in folders:
        for file in sorted(folder.glob("libLLVM*.so*")) if folder.is_dir() else ():
            match = re.fullmatch(r"libLLVM(?:-(\d+)\.so.*|\.so\.(\d+).*)", file.name)
            if match:
                found.setdefault(int(match[1] or match[2]), file)
    for version in (*_LLVM_BEST, *sorted(v for v in found if v > max(_LLVM_BEST))):
        if version in found:
            return found[version]
    return None


def _fastest(dr) -> str:
    if dr.has_backend(dr.JitBackend.CUDA):
        return VARIANTS[0]
    # Dr.Jit would take an LLVM that it finds by itself, perhaps one that crashes: only a library chosen here is used.
    if os.environ.get("DRJIT_LIBLLVM_PATH") and dr.has_backend(dr.JitBackend.LLVM):
        return VARIANTS[1]
    return VARIANTS[2]
