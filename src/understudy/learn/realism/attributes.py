"""Properties of pictures and labels, one number each, whose distributions are compared: they map onto a recipe's axes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from understudy.key import Key
from understudy.learn.cache import Store

LEAST = 10
"""Values that a side must have for a comparison."""
_LEAST_PX = 100  # of a side's inner part, for its values
_CHANCE = 0.01  # of naming any path for a property that none moves (Bonferroni)


@dataclass(frozen=True)
class Compared:
    """One property. distance : Wasserstein's, in deviations of the real values, with its 95 % interval; overlap : shared
    area of the two histograms, 0 to 1; chance : the distance that one time in a hundred two such samples of one mixture have
    (a permutation test)."""

    name: str
    made: np.ndarray
    real: np.ndarray
    distance: float
    low: float
    high: float
    overlap: float
    chance: float

    @property
    def sure(self) -> bool:
        """Whether it is farther than chance explains."""
        return self.distance > self.chance

    @property
    def direction(self) -> str:
        """Where the made values lie: "lower", "higher", or "narrower" or "wider" at the same middle."""
        shift = (np.median(self.made) - np.median(self.real)) / max(self.real.std(), 1e-9)
        if abs(shift) > 0.15:
            return "higher" if shift > 0 else "lower"
        return "wider" if self.made.std() > self.real.std() else "narrower"


def picture_values(store: Store) -> dict[str, np.ndarray]:
    """{property: (n,)} of the cached squares: light, contrast, hue and so on, one value a picture."""
    rows = [_picture(np.asarray(store.images[row])) for row in store.rows]
    return {name: np.array([r[name] for r in rows]) for name in rows[0]} if rows else {}


def _picture(image: np.ndarray) -> dict[str, float]:
    import cv2

    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    lab = cv2.cvtColor(image, cv2.COLOR_RGB2LAB).astype(np.float32) - (0, 128, 128)
    # Immerkaer (1996): a mask that is blind to planes and edges leaves the noise.
    rough = cv2.filter2D(grey, cv2.CV_32F, np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32))
    return {"light": float(grey.mean()), "contrast": float(grey.std()), "darkest twentieth": float(np.quantile(grey, 0.05)),
            "brightest twentieth": float(np.quantile(grey, 0.95)),
            "sharpness": float(np.log1p(cv2.Laplacian(grey, cv2.CV_32F).var())),
            "noise": float(np.median(np.abs(rough)) / 0.6745 / 6), "green to red": float(lab[..., 1].mean()),
            "blue to yellow": float(lab[..., 2].mean()), "colourfulness": float(np.hypot(lab[..., 1], lab[..., 2]).mean())}


def label_values(store: Store, things: bool) -> dict[str, np.ndarray]:
    """{property: values}, one a picture or one an instance: sizes, places, counts. ``things``: whether the instances are
    separate things and no regions."""
    regions = [np.asarray(store.regions[row]) for row in store.rows if store.masked[row]]
    values = {"covered share": np.array([((r > 0) & (r < 255)).mean() for r in regions])}
    masks = [(r > 0) & (r < 255) for r in regions]
    inside = [m for m in masks if m.any()]
    values["distance from the top"] = np.array([np.nonzero(m)[0].mean() / len(m) for m in inside])
    values["distance from the middle"] = np.array([abs(np.nonzero(m)[1].mean() / len(m) - 0.5) for m in inside])
    values["touches the border"] = np.array([np.concatenate([m[0], m[-1], m[:, 0], m[:, -1]]).mean() for m in inside])
    if things:
        own = np.concatenate([np.arange(*store.labels_of(row).indices(len(store.boxes))) for row in store.rows]).astype(int)
        boxes = store.boxes[own][~store.ignored[own]].astype(float)
        size = (boxes[:, 2:] - boxes[:, :2]).clip(1e-6)
        values |= {"count": np.array([float(np.diff(store.first[[row, row + 1]])[0]) for row in store.rows]),
                   "box size": np.log2(np.sqrt(size.prod(1))), "box aspect": np.log2(size[:, 0] / size[:, 1]),
                   "box centre x": boxes[:, [0, 2]].mean(1), "box centre y": boxes[:, [1, 3]].mean(1)}
    return values


def side_values(store: Store) -> dict[str, np.ndarray]:
    """{property: (n,)} of what is labelled and of what is not, apart: nan where a picture has too little of it.

    A made thing may be too smooth in surroundings that are as rich as real ones: whole pictures do not tell.
    """
    rows = [_sides(np.asarray(store.images[row]), np.asarray(store.regions[row])) for row in store.rows if store.masked[row]]
    return {name: np.array([r[name] for r in rows]) for name in rows[0]} if rows else {}


def _sides(image: np.ndarray, region: np.ndarray) -> dict[str, float]:
    import cv2

    region = cv2.resize(region, image.shape[1::-1], interpolation=cv2.INTER_NEAREST)
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    near, far = (cv2.GaussianBlur(grey, (0, 0), sigma) for sigma in (1.0, 4.0))
    loud = (image.max(2).astype(np.float32) - image.min(2))
    out = {}
    for side, mask in (("labelled", (region > 0) & (region < 255)), ("unlabelled", region == 0)):
        inner = cv2.erode(mask.astype(np.uint8), np.ones((5, 5), np.uint8)).astype(bool)  # the outline belongs to both
        enough = inner.sum() >= _LEAST_PX
        for name, values, of in (("light", grey, np.mean), ("contrast", grey, np.std), ("fine detail", grey - near, np.std),
                                 ("coarse detail", near - far, np.std), ("saturation", loud, np.mean)):
            out[f"{side}: {name}"] = float(of(values[inner])) if enough else math.nan
    return out


def compared(name: str, made: np.ndarray, real: np.ndarray) -> Compared | None:
    """The comparison of one property; None where a side has too few values."""
    made, real = made[np.isfinite(made)], real[np.isfinite(real)]
    if min(len(made), len(real)) < LEAST:
        return None
    scale = max(float(real.std()), 1e-9)
    draws, shuffled, both = [], [], np.concatenate([made, real])
    for k in range(200):
        key = Key(0).child("attribute", k)
        i, j = ((key.child(n).uniforms(len(x)) * len(x)).astype(int) for n, x in (("made", made), ("real", real)))
        draws.append(_wasserstein(made[i], real[j]) / scale)
        order = key.child("shuffle").permutation(len(both))
        shuffled.append(_wasserstein(both[order[:len(made)]], both[order[len(made):]]) / scale)
    edges = np.histogram_bin_edges(both, 20)
    overlap = np.minimum(np.histogram(made, edges)[0] / len(made), np.histogram(real, edges)[0] / len(real)).sum()
    distance = _wasserstein(made, real) / scale
    # Drawing again adds noise to both sides, so the draws lie above the distance: the interval is turned around (basic).
    low, high = (max(2 * distance - q, 0.0) for q in np.quantile(draws, (0.975, 0.025)))
    return Compared(name, made, real, distance, float(low), float(high), float(overlap), float(np.quantile(shuffled, 0.99)))


def _wasserstein(a: np.ndarray, b: np.ndarray) -> float:
    from scipy.stats import wasserstein_distance

    return float(wasserstein_distance(a, b))


def axes(values: np.ndarray, drawn: Mapping[str, list], most: int = 3) -> list[tuple[str, float]]:
    """The recipe's paths that move a property, strongest first: (path, rank correlation), or for texts (path, the root of
    the share of variance between their groups). Named is only what chance alone would show in one property of a hundred.

    values : (n,) of each made picture; drawn : {path: n values}
    """
    from scipy.stats import f_oneway, spearmanr

    found = []
    for path, column in drawn.items():
        known = np.array([v is not None for v in column]) & np.isfinite(values)
        if known.sum() < 30:
            continue
        own = values[known]
        column = [v for v, use in zip(column, known) if use]
        if own.std() < 1e-12:
            continue
        if all(isinstance(v, int | float) and not isinstance(v, bool) for v in column):
            array = np.array(column, float)
            if array.std() > 1e-12:
                r, p = spearmanr(array, own)
                found.append((path, float(r), float(p)))
            continue
        texts = np.array([str(v) for v in column])
        groups = [own[texts == t] for t in sorted(set(texts)) if (texts == t).sum() >= 5]
        if len(groups) >= 2:
            total = np.concatenate(groups)
            whole = max(((total - total.mean()) ** 2).sum(), 1e-12)
            share = sum(len(g) * (g.mean() - total.mean()) ** 2 for g in groups) / whole
            found.append((path, float(np.sqrt(share)), float(f_oneway(*groups).pvalue)))
    sure = [(path, r) for path, r, p in found if p < _CHANCE / len(found)]
    return sorted(sure, key=lambda item: -abs(item[1]))[:most]
