"""``adapt refine``: a made data set written again with refined pictures and the same labels.

A refiner may paint whatever fools its discriminator, and then the labels lie. So a labeller, a network that has learned
from the made pictures and does not change any more, looks at made pictures that it has not learned from (one that is named
with ``--labeller`` may have), before and after
refinement: where it no longer agrees with the labels as it did, nothing is written. With real labelled pictures the same
small network also learns from both sets, and the refined one is written only if it is surely the better teacher: the
interval of the paired difference above 0.

::

    OUT/...                        the data set, in the made one's format, its manifest with two more columns
    OUT/lineage.json               what it was refined from, with what, and hashes of the real pictures behind it
    OUT/refinement/                refiner.safetensors, refinement.json, report.html (the only folder after a refusal)
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from understudy.errors import DatasetError, RunError, UsageError, WriteError
from understudy.learn.budget import Budget
from understudy.learn.evals.bootstrap import Figure
from understudy.learn.evals.pairing import Difference
from understudy.learn.refined_set import Lineage, encoded, write_refined
from understudy.learn.session import Request, need_torch, single_threaded_images, train
from understudy.learn.sources import Source, open_source
from understudy.learn.training_record import Tell
from understudy.record import Record

if TYPE_CHECKING:
    from understudy.learn.native.refiner import Refiner, Settings

_MEMORY = 160 * 2**20  # bytes of decoded pictures that crops are cut from
_BLIND = 0.5  # a labeller below this score on the pictures as they were can say nothing


@dataclass(frozen=True)
class Wish:
    """A refinement. real : pictures without labels; labeller : a model of the made set, or None to train one with
    ``labeller_budget``; agree : least share of its score that it must keep; checked : pictures that it looks at;
    test : real labelled pictures that both sets are compared by, or None; test_budget : of those trainings"""

    made: Path
    real: Path
    out: Path
    settings: Settings
    labeller: Path | None = None
    labeller_budget: Budget = Budget(images=8000)
    agree: float = 0.95
    checked: int = 100
    classes: tuple[str, ...] | None = None
    validation: Path | None = None
    test_budget: Budget = Budget(images=10_000)


@dataclass(frozen=True)
class Judged:
    """before, after : the labeller's score against the labels; gain : after less before, paired; task : of the labeller;
    made, refined : scores of a network that learned from each, on the real validation, and their paired difference"""

    task: str
    before: Figure
    after: Figure
    gain: Difference
    made: Figure | None = None
    refined: Figure | None = None
    better: Difference | None = None


@dataclass(frozen=True)
class Refined:
    """What was done. pictures : written; change : mean absolute change of a channel, of 255"""

    pictures: int
    change: float
    judged: Judged


@dataclass
class _Some:
    """Records in memory, measured as if they were a data set."""

    path: Path
    kind: str
    categories: tuple[str, ...]
    kept: list[Record] = field(default_factory=list)

    def records(self, report=None) -> Iterator[Record]:
        del report
        return iter(self.kept)

    def names(self) -> dict[int, str]:
        return {}


def refine(wish: Wish, tell: Tell) -> Refined:
    """Learn a refiner, judge it, write the refined data set to ``wish.out``, which must not exist.

    RunError where the labeller no longer agrees, or the refined set is not surely the better teacher; the report of it is in
    ``OUT/refinement`` then, and no data set beside it.
    """
    need_torch()
    from understudy.learn.native import refiner as native

    single_threaded_images()
    if wish.out.exists() and (not wish.out.is_dir() or any(wish.out.iterdir())):
        raise WriteError("exists already", where=wish.out, remedy="Name a new folder; nothing is overwritten")
    source = open_source(wish.made)
    if source.kind == "masks":
        raise UsageError("refine writes data sets in the format that they have, and a folder of masks has none",
                         where=wish.made, wanted="COCO, YOLO or WebDataset")
    lineage, real = _opened(wish, source, tell)
    rows, indices, total = _checked_rows(source, wish)
    with tempfile.TemporaryDirectory() as scratch:
        task, labeller = _labeller(wish, source, rows, total, Path(scratch), tell)
        crops = [_Crops(pictures, wish.settings, kind) for pictures, kind in ((_some(source), "made"), (real, "real"))]
        tell(f"refiner: crops of {len(crops[0].pictures)} made and {len(real)} real pictures, {wish.settings.crop} pixels")
        refiner, points = native.learned(crops[0], crops[1], wish.settings, lambda p: tell(
            f"  {p.crops:,} crops, {p.cpu_s:.0f} CPU-seconds, channels changed by {p.change:.1f} of 255, patches told apart "
            f"{p.told_apart:.0%}"))
        judged, pairs = _judged(labeller, task, source, indices, refiner)
        tell(f"the labeller against the labels: {judged.before.value:.3f} as made, {judged.after.value:.3f} refined")
        lineage = replace(lineage, refiner=native.saved(refiner, wish.settings), settings=_plain(wish.settings),
                          labeller={"task": task, "before": judged.before.plain(), "after": judged.after.plain()})
        from understudy.learn.refinement_report import write_report

        if not judged.after.value >= wish.agree * judged.before.value:
            write_report(wish.out / "refinement", wish, points, pairs, judged, lineage, "refused: the labels would lie")
            raise RunError("refused: refined pictures no longer show what the labels say", where=wish.out,
                           wanted=f"a labeller's score of {wish.agree * judged.before.value:.3f}",
                           got=f"{judged.after.value:.3f}, {judged.before.value:.3f} before",
                           remedy="Lower --change or --budget; the report is in the folder")
        found: list[Judged] = [judged]

        def complete(folder: Path) -> None:
            found[0] = _compared(wish, folder, judged, Path(scratch), tell)
            useless = found[0].better is not None and not found[0].better.gained
            verdict = "refused: it does not surely teach better than the pictures as made" if useless else "written"
            where = wish.out / "refinement" if useless else folder / "refinement"
            write_report(where, wish, points, pairs, found[0], lineage, verdict)
            if useless:
                raise RunError("refused: the refined pictures teach no better than those as made", where=wish.out,
                               wanted="a paired difference that is surely above 0",
                               got=f"{found[0].refined.value:.3f} refined, {found[0].made.value:.3f} as made, "
                               f"difference {found[0].better}",
                               remedy="Keep the made data set; the report is in the folder")

        count, change = write_refined(source, wish.out, lambda image: native.refined(refiner, image), lineage, complete)
    return Refined(count, change, found[0])


def _opened(wish: Wish, source: Source, tell: Tell) -> tuple[Lineage, list[np.ndarray]]:
    """What is known of the lineage before anything is learned, and the real pictures, scaled to the made ones' size."""
    from understudy.learn.duplicates import perceptual_hash
    from understudy.learn.unlabelled import pictures_of, readable

    pictures_of(wish.real)  # what is wrong with the folder is said first
    first = next(iter(source.records()), None)
    if first is None:
        raise DatasetError("holds no picture", where=wish.made)
    short = min(first.picture.size_wh)
    if short < wish.settings.crop:
        raise UsageError("the made pictures are smaller than a crop", wanted=f"{wish.settings.crop} pixels", got=short,
                         remedy="Pass a smaller --crop")
    images, hashes = [], []
    for image in readable(wish.real, tell):
        hashes.append(perceptual_hash(image).tobytes().hex())
        images.append(_short_side(image, short))
    return Lineage(source.fingerprint, tuple(hashes)), images


def _short_side(image: np.ndarray, side: int) -> np.ndarray:
    """Scaled so that the shorter side is ``side``; one that is smaller grows."""
    import cv2

    h, w = image.shape[:2]
    part = side / min(h, w)
    size = (max(round(w * part), side), max(round(h * part), side))
    return cv2.resize(np.ascontiguousarray(image), size, interpolation=cv2.INTER_AREA if part < 1 else cv2.INTER_LINEAR)


class _Crops:
    """Random square crops of pictures, half of them mirrored: batch number -> (b, crop, crop, 3) uint8."""

    def __init__(self, pictures: list[np.ndarray], settings: Settings, kind: str) -> None:
        from understudy.key import Key

        self.pictures, self._settings = pictures, settings
        self._key = Key(settings.seed).child("crops", kind)

    def __call__(self, number: int) -> np.ndarray:
        side = self._settings.crop
        out = np.zeros((self._settings.batch, side, side, 3), np.uint8)
        for i, u in enumerate(self._key.child(number).uniforms(len(out), 4)):
            image = self.pictures[int(u[0] * len(self.pictures))]
            y, x = (int(v * (n - side + 1)) for v, n in zip(u[1:3], image.shape[:2]))
            crop = image[y:y + side, x:x + side]
            out[i] = crop[:, ::-1] if u[3] < 0.5 else crop
        return out


def _some(source: Source) -> list[np.ndarray]:
    """Made pictures to cut crops from, the first ones that fit into memory."""
    images, held = [], 0
    for record in source.records(lambda error: None):
        images.append(record.picture.decode())
        held += images[-1].nbytes
        if held > _MEMORY:
            break
    return images


def _checked_rows(source: Source, wish: Wish) -> tuple[list[int], list[int], int]:
    """The pictures that the labeller looks at and does not learn from, spread evenly: their positions among those that can
    be learned from, their records' indices; and how many there are to learn from."""
    from understudy.learn.cache import open_store
    from understudy.learn.prepare import stored_side

    store = open_store(source, stored_side(Request.side))
    total = len(store)
    count = min(wish.checked, total // 4)
    if count < 8:
        raise DatasetError("holds too few pictures to check a refinement on", where=wish.made, wanted="32 or more",
                           got=total)
    rows = [i * total // count for i in range(count)]
    return rows, store.index[rows].tolist(), total


def _labeller(wish: Wish, source: Source, rows: list[int], total: int, scratch: Path, tell: Tell):
    """(its task, the network)."""
    from understudy.learn.native import model_file

    if wish.labeller is not None:
        network, _, _ = model_file.load(wish.labeller)
        return network.spec.task, network.eval()
    first = next(r for r in source.records(lambda error: None) if r.instances)
    task = "semantic" if all(i.mask is not None for i in first.instances) else "box"
    others = tuple(sorted(set(range(total)) - set(rows)))
    tell(f"a labeller ({task}) learns from {len(others):,} of the made pictures:")
    request = Request(wish.made, scratch / "labeller", task=task, classes=wish.classes, budget=wish.labeller_budget,
                      seed=wish.settings.seed, threads=wish.settings.threads, rows=others)
    done = train(request, tell)
    network, _, _ = model_file.load(done.model)
    return task, network.eval()


def _judged(network, task: str, source: Source, indices: list[int], refiner: Refiner):
    """The labeller's scores before and after, and the checked pictures as (before, after)."""
    from understudy.learn.classes import agree
    from understudy.learn.evals.pairing import difference, draws
    from understudy.learn.measure import measure
    from understudy.learn.native import refiner as native

    wanted = set(indices)
    before, after = (_Some(source.path, source.kind, source.categories) for _ in range(2))
    pairs: list[tuple[np.ndarray, np.ndarray]] = []
    for record in source.records(lambda error: None):
        if record.index in wanted:
            image = record.picture.decode()
            changed = native.refined(refiner, image)
            before.kept.append(record)
            after.kept.append(replace(record, picture=encoded(changed, record.picture)))
            pairs.append((image, changed))
    agreement = agree(network.spec.classes, source.categories, source.path)
    one, two = (measure(network, some, agreement, worst=0) for some in (before, after))
    gain = difference(draws(task, [two.table]), draws(task, [one.table]), one.main.n)
    if not one.main.value >= _BLIND:
        raise RunError("the labeller does not know the made pictures itself, so it cannot judge", got=f"{one.main}",
                       wanted=f"a score of {_BLIND} or more", remedy="Give it more time with --labeller-budget, or name a "
                       "model of the made set with --labeller")
    return Judged(task, one.main, two.main, gain), pairs


def _compared(wish: Wish, folder: Path, judged: Judged, scratch: Path, tell: Tell) -> Judged:
    """The same small network from the made and from the refined pictures, on the real validation, if there is one."""
    from understudy.learn.classes import agree
    from understudy.learn.evals.pairing import difference, draws
    from understudy.learn.measure import measure
    from understudy.learn.native import model_file

    if wish.validation is None:
        return judged
    real = open_source(wish.validation)
    got = []
    for name, data in (("made", wish.made), ("refined", folder)):
        tell(f"learning from the pictures {'as made' if name == 'made' else 'refined'}:")
        done = train(Request(data, scratch / name, task=judged.task, classes=wish.classes, budget=wish.test_budget,
                             validation=wish.validation, seed=wish.settings.seed, threads=wish.settings.threads), tell)
        network, _, _ = model_file.load(done.model)
        got.append(measure(network, real, agree(network.spec.classes, real.categories, real.path), worst=0))
    made, refined = got
    better = difference(draws(judged.task, [refined.table]), draws(judged.task, [made.table]), made.main.n)
    return replace(judged, made=made.main, refined=refined.main, better=better)


def _plain(settings: Settings) -> dict:
    return asdict(settings) | {"budget": str(settings.budget)}
