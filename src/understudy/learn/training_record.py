"""What a training leaves behind: the lines that it says, its card, run.json, curve.csv and report.html."""

from __future__ import annotations

import json
import platform
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from understudy.errors import WriteError
from understudy.learn.measure import MAIN

if TYPE_CHECKING:
    from understudy.learn.session import Request

Tell = Callable[[str], None]


def opening(prepared, spec, count: int, request: Request) -> str:
    """One line: what is learned from what, how long, chosen by what."""
    shown = "; ".join(f"{len(p.store):,} {'made' if p.store.made else 'real'} pictures of {p.store.name} ({p.share:.0%})"
                      for p in prepared.parts)
    val = "none: the last weights are kept" if prepared.validation is None else (
        f"{len(prepared.validation.store)} real pictures of {prepared.validation.store.name}")
    return (f"{spec.task} of {', '.join(spec.classes[:6])}{' ...' if len(spec.classes) > 6 else ''}: {shown}; "
            f"{spec.size}, {count:,} weights, {spec.side} pixels, budget {request.budget}, seed {request.seed}; "
            f"validation: {val}")


def told_point(spec, tell: Tell):
    """What is said at each point of the curve."""
    def told(point) -> None:
        real = "" if point.score is None else f", {MAIN[spec.task]} {point.score:.3f} on the real validation"
        tell(f"  {point.images:,} pictures, {point.cpu_s:.0f} CPU-seconds, loss {point.loss:.3f}{real}")

    return told


def card_of(request: Request, spec, prepared, settings, fitted, count: int, strength) -> dict[str, Any]:
    """Everything that a training depended on, plain JSON."""
    from dataclasses import asdict

    from understudy.learn.native.loop import bf16_is_faster

    card = {"task": spec.task, "classes": list(spec.classes), "size": spec.size, "side": spec.side, "weights": count,
            "trained_on": [{"data": p.store.name, "made": p.store.made, "pictures": len(p.store), "share": p.share,
                            "digest": p.store.digest} for p in prepared.parts],
            "validated_on": None if prepared.validation is None else {
                "data": prepared.validation.store.name, "pictures": len(prepared.validation.store),
                "digest": prepared.validation.store.digest},
            "started_from": None if request.init is None else str(request.init), "seed": request.seed,
            "budget": str(request.budget), "images": fitted.images, "cpu_s": round(fitted.cpu_s, 1),
            "chosen_at": fitted.chosen_at, "batch": settings.batch, "rate": settings.rate, "threads": settings.threads,
            "precision": settings.precision if settings.precision != "auto" else
            "bf16" if bf16_is_faster() else "fp32",
            "augmentation": asdict(strength), "broken": fitted.broken, "versions": versions()}
    best = [p.score for p in fitted.curve if p.score is not None]
    card["validation_score"] = max(best) if best else None
    return card


def write_training(out: Path, card: dict[str, Any], curve) -> None:
    """run.json, curve.csv and report.html of a training."""
    from understudy.learn.report import training_report

    written_text(out / "run.json", json.dumps(card, indent=1) + "\n")
    rows = [f"{p.images},{p.cpu_s:.2f},{p.loss:.6g},{'' if p.score is None else f'{p.score:.6f}'}" for p in curve]
    written_text(out / "curve.csv", "\n".join(["images,cpu_s,loss,real_validation", *rows]) + "\n")
    written_text(out / "report.html", training_report(card, curve))


def made_folder(folder: Path) -> None:
    """Make a folder; WriteError where that cannot be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(f"the folder cannot be made: {error.strerror or error}", where=folder) from error


def written_text(path: Path, text: str) -> None:
    from understudy.writers.files import replace_file

    replace_file(path, [text])


def versions() -> dict[str, str]:
    """Of everything that a number depends on."""
    from importlib import metadata

    from understudy import __version__

    found = {"understudy": __version__, "python": platform.python_version(), "machine": platform.machine()}
    for name in ("torch", "numpy", "opencv-python-headless", "safetensors", "faster-coco-eval", "pycocotools"):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "absent"
    return found
