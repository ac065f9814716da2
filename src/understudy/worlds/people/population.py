"""The population: who a figure is, and a body that is what was ordered.

Age, gender, build and ancestry are drawn by name; stature and body-mass index follow age and gender as real populations do
unless they are ordered. MakeHuman's sliders are then solved so that the mesh itself has that stature and index.

Stature: WHO child growth standards (2006) and growth reference (2007), adults of NCD-RisC (Lancet 2016), rounded. Index:
the same sources' medians with a log-normal spread (Cole's LMS method without its skewness).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from understudy.draws import Draws
from understudy.errors import Unsatisfiable
from understudy.fields import param
from understudy.key import Key
from understudy.supports import Interval, OneOf
from understudy.values import Normal, Uniform, Value, Weighted
from understudy.worlds.people.body import (
    BODY_VERTICES,
    BodyShape,
    RestBody,
    build,
    detailed_template,
    mass_kg,
    model,
    stature_m,
    surface,
)
from understudy.worlds.people.feasible import refuse_impossible
from understudy.worlds.people.thinning import representatives

STATURE_ERROR_M, BMI_ERROR = 0.004, 0.25  # how near the mesh comes to what was ordered
_TRIES = 3  # of weighing by a sketch: one body in ten needs a second
_SKETCH_M, _SKETCHED = 0.07, 0.866  # cells that a body is sketched on, and the sketch's mass over the body's

#             years: stature of men and women (cm), its spread (cm), median index of men and women, spread of its logarithm
_GROWTH = np.array([
    (0, 49.9, 49.1, 1.9, 13.4, 13.3, 0.09), (1, 75.7, 74, 2.6, 16.8, 16.4, 0.08),
    (2, 87.1, 85.7, 3.1, 16, 15.7, 0.08), (4, 103.3, 102.7, 4.2, 15.4, 15.3, 0.08),
    (6, 116, 115.1, 4.9, 15.3, 15.3, 0.09), (8, 127.3, 126.6, 5.6, 15.8, 15.8, 0.11),
    (10, 137.8, 138.6, 6.2, 16.6, 16.8, 0.13), (12, 149.1, 151.2, 7, 17.6, 18.1, 0.14),
    (14, 163.2, 159.8, 7, 19, 19.7, 0.14), (16, 172.9, 162.5, 6.9, 20.5, 20.8, 0.14),
    (18, 176.1, 163.1, 6.7, 21.9, 21.5, 0.14), (30, 176.5, 163.5, 6.8, 25, 24, 0.16),
    (50, 175.5, 162.5, 6.8, 26.8, 26, 0.17), (70, 172.5, 159.5, 6.6, 26.7, 26.4, 0.16),
    (95, 167.5, 154, 6.4, 24.5, 24, 0.15),
])

GENDERS = {"woman": (0.82, 1.0), "man": (0.0, 0.18), "androgynous": (0.35, 0.65)}
ANCESTRIES = ("african", "asian", "caucasian", "mixed")

# MakeHuman's local changes of head and face, varied for likeness: prefix -> spread at full variety. Heads come out 4 % wide
# in length, breadth and height, as adults' do (ANSUR II, 2012).
_FACE_SPREAD = {"head-scale-depth": 0.35, "head-scale": 0.18, "head-fat": 0.4, "head-oval": 0.3, "forehead-scale": 0.2,
                "forehead": 0.4, "eyebrows": 0.4, "eye-": 0.4,
                "nose-": 0.45, "mouth-": 0.4, "ear-": 0.45, "chin-": 0.45, "cheek": 0.45, "neck-double": 0.2}
_BODY_SPREAD = {"torso-scale": 0.25, "torso-vshape": 0.3, "hip-scale": 0.25, "stomach-tone": 0.4, "buttocks-volume": 0.35,
                "measure-shoulder-dist": 0.3, "breast-volume": 0.2, "upperlegs-height": 0.2, "lowerlegs-height": 0.2}
_LEFT_OUT = ("-trans-", "prognathism", "cleft", "compression", "nubian", "epicanthus", "push", "angle-out")


@dataclass(frozen=True)
class Body:
    """Who the figure is."""

    age: Value = param(
        Weighted((("2-12", Uniform(2, 12), 1.0), ("13-19", Uniform(13, 19), 0.8), ("20-64", Uniform(20, 64), 5.0),
                  ("65-90", Uniform(65, 90), 1.2))), Interval(0, 95), "years", "age, which also shapes the body")
    gender: Value = param(Weighted((("woman", "woman", 1.0), ("man", "man", 1.0), ("androgynous", "androgynous", 0.06))),
                          OneOf(tuple(GENDERS)), "", "gender presentation")
    height_cm: Value = param(0, Interval(0, 215), "cm", "stature; 0 draws it for age and gender with `height_z`")
    height_z: Value = param(Normal(0, 1, -2.6, 2.6), Interval(-4, 4), "standard deviations",
                            "stature against others of that age and gender")
    bmi: Value = param(0, Interval(0, 50), "kg/m2", "body-mass index; 0 draws it for age and gender with `bmi_z`")
    bmi_z: Value = param(Normal(0, 1, -2.2, 2.6), Interval(-4, 4), "standard deviations",
                         "body-mass index against others of that age and gender")
    muscle: Value = param(Normal(0.5, 0.16, 0.05, 0.95), Interval(0, 1), "", "muscularity")
    proportions: Value = param(Uniform(0.25, 0.8), Interval(0, 1), "", "proportions, 0 idealised to 1 uncommon")
    ancestry: Value = param(Weighted(tuple((name, name, 1.0) for name in ANCESTRIES)), OneOf(ANCESTRIES), "",
                            "which of MakeHuman's three morphs leads; mixed is a blend of all")
    variety: Value = param(Uniform(0.5, 1.0), Interval(0, 1), "", "how far features differ from MakeHuman's average")

    def __post_init__(self) -> None:
        refuse_impossible(self.age, self.height_cm, self.bmi)


@dataclass(frozen=True)
class Person:
    """A body and what is true of it. gender : 0 masculine to 1 feminine; ancestry : shares, adding up to 1."""

    rest: RestBody
    age: float
    gender: float
    presentation: str
    muscle: float
    ancestry: dict[str, float]


def sample(draws: Draws, who: Body) -> Person:
    """Draw a person. Raises Unsatisfiable when no body has the ordered stature and index."""
    drawn = {name: draws.ordered(name, getattr(who, name)) for name in Body.__dataclass_fields__}
    age = float(drawn["age"])
    gender = draws.key("presentation").uniform(*GENDERS[drawn["gender"]])
    ancestry = _ancestry(drawn["ancestry"], draws.key("ancestry"))
    stature = drawn["height_cm"] / 100 or usual_stature(age, gender, drawn["height_z"])
    bmi = drawn["bmi"] or usual_bmi(age, gender, drawn["bmi_z"])
    muscle = _aged(drawn["muscle"], age)
    grown = float(np.clip((age - 9) / 7, 0, 1))  # children's bodies hardly differ by gender
    shape = BodyShape(
        gender=0.5 + (gender - 0.5) * (0.25 + 0.75 * grown), age=phenotype_age(age), muscle=muscle,
        proportions=drawn["proportions"],
        cupsize=grown * float(np.clip(0.5 + 0.2 * draws.key("cup").normal(), 0.05, 0.95)),
        firmness=float(np.clip(0.75 - age / 140, 0.1, 0.7)), **ancestry,
        details=_details(draws.key("features"), drawn["variety"]))
    rest = solve(shape, stature, bmi, exact_bmi=bool(drawn["bmi"]))
    for name, fact in (("presentation", round(gender, 3)), ("height_m", round(rest.stature_m, 4)),
                       ("mass_kg", round(rest.mass_kg, 2)), ("bmi_reached", round(rest.bmi, 2))):
        draws.note(name, fact)
    return Person(rest, age, gender, drawn["gender"], rest.shape.muscle, ancestry)


def usual_stature(age: float, gender: float, z: float) -> float:
    """Stature in metres of someone of that age and gender (0 man, 1 woman), ``z`` standard deviations from the mean."""
    man, woman, spread = (np.interp(age, _GROWTH[:, 0], _GROWTH[:, k]) for k in (1, 2, 3))
    return float(man + (woman - man) * gender + z * spread) / 100


def usual_bmi(age: float, gender: float, z: float) -> float:
    """Body-mass index in the same terms."""
    man, woman, spread = (np.interp(age, _GROWTH[:, 0], _GROWTH[:, k]) for k in (4, 5, 6))
    return float(man + (woman - man) * gender) * math.exp(z * float(spread))


def phenotype_age(years: float) -> float:
    """anny's age phenotype of an age in years, by anny's own calibration; its newborn is our first day."""
    growth = model().arrays["growth_boys"]
    if years < 1:
        return float(np.interp(years, (0, 1), (-1 / 3, growth[1, 0])))
    return float(np.interp(years, growth[:, 1], growth[:, 0]))


def _aged(muscle: float, age: float) -> float:
    """Muscle wanes from fifty on."""
    return muscle * (1 - 0.006 * max(0.0, age - 50))


def _ancestry(leading: str, key: Key) -> dict[str, float]:
    names = ANCESTRIES[:3]
    shares = -np.log1p(-key.uniforms(3))  # a flat Dirichlet draw
    shares = shares / shares.sum()
    if leading != "mixed":
        shares = 0.25 * shares
        shares[names.index(leading)] += 0.75
    return {name: float(share) for name, share in zip(names, shares)}


def _details(key: Key, variety: float) -> dict[str, float]:
    """Random features of face and body; both sides share a value but for a little."""
    names, plain, spreads, of_plain = _varied()
    common = key.child("common").normals(len(plain))[of_plain]
    sizes = np.clip(variety * spreads * (common + 0.12 * key.child("own").normals(len(names))), -0.9, 0.9)
    return dict(zip(names, sizes.tolist()))


@cache
def _varied() -> tuple[list[str], list[str], np.ndarray, np.ndarray]:
    """The changes that vary, their names without a side, the spread of each, and which of the unsided names it has."""
    names = [name for name in model().local_changes if _spread(_unsided(name))]
    plain = list(dict.fromkeys(map(_unsided, names)))
    return (names, plain, np.array([_spread(_unsided(name)) for name in names]),
            np.array([plain.index(_unsided(name)) for name in names]))


def _unsided(name: str) -> str:
    return name[2:] if name[:2] in ("l-", "r-") else name


def _spread(name: str) -> float:
    if any(part in name for part in _LEFT_OUT):
        return 0.0
    return next((s for prefix, s in (_FACE_SPREAD | _BODY_SPREAD).items() if name.startswith(prefix)), 0.0)


def solve(shape: BodyShape, height_m: float, bmi: float, *, exact_bmi: bool = True) -> RestBody:
    """The body of ``shape`` with its height, weight and, where weight alone does not reach, muscle set so that the mesh has
    the stature (to 4 mm) and the index (to 0.25).

    Raises Unsatisfiable if there is none; with ``exact_bmi`` False the nearest index is taken instead.
    """
    steps = _Steps(shape, height_m)
    for _ in range(_TRIES):
        rest = build(_nearest(steps, bmi), steps.whole)
        if abs(rest.bmi - bmi) <= BMI_ERROR:
            break
        steps.heed(rest)
    if abs(rest.stature_m - height_m) > STATURE_ERROR_M:
        raise Unsatisfiable("no body of that age and gender has that stature", where="world.people.body.height_cm",
                            wanted=f"{height_m * 100:.0f} cm", got=f"{rest.stature_m * 100:.0f} cm")
    if exact_bmi and abs(rest.bmi - bmi) > BMI_ERROR:
        raise Unsatisfiable("no body of that age, gender and stature has that body-mass index",
                            where="world.people.body.bmi", wanted=f"{bmi:.1f}", got=f"{rest.bmi:.1f}")
    return rest


@dataclass(frozen=True)
class _Sketch:
    """A skin of few vertices, to weigh a body while its shape is being sought.

    rows : (n,) base vertices; corners : (3, m) of a closed mesh over them; shapes : (phenotypes, 3n) how they move
    """

    rows: np.ndarray
    corners: np.ndarray
    shapes: np.ndarray


@cache
def _sketch() -> _Sketch:
    m = model()
    corners = representatives(_SKETCH_M)[m.mesh("body").base_faces].T
    i, j, k = corners
    corners = corners[:, (i != j) & (j != k) & (k != i)]  # what collapsed leaves no hole
    rows = np.unique(corners)
    moved = m.arrays["phenotype_shapes"]
    return _Sketch(rows, np.searchsorted(rows, corners), np.ascontiguousarray(moved[:, rows]).reshape(len(moved), -1))


@dataclass(frozen=True)
class _Measured:
    shape: BodyShape
    stature: float
    bmi: float


class _Steps:
    """Bodies of one shape at given weight and share of its muscle, each brought to the stature by secant steps.

    They are weighed by a sketch, which is lighter than the body by much the same share whoever it is (0.85 to 0.88).
    """

    def __init__(self, shape: BodyShape, height_m: float) -> None:
        self.shape, self.wanted = shape, height_m
        self.height, self.slope = 0.5, 0.0
        self.whole = detailed_template(shape.details)
        self.template = self.whole[:BODY_VERTICES]
        self.drawn = self.whole[_sketch().rows]
        self.over = 1 / _SKETCHED  # the body's mass over the sketch's

    def heed(self, body: RestBody) -> None:
        """From now on weigh so that this body's mass comes out."""
        self.over = body.mass_kg / self._sketched_kg(body.shape)

    def at(self, weight: float, muscle: float) -> _Measured:
        last: tuple[float, float] | None = None
        while True:
            shape = replace(self.shape, weight=weight, muscle=self.shape.muscle * muscle, height=self.height)
            stature = stature_m(shape, self.template)
            if last is not None and self.height != last[0]:
                self.slope = max((stature - last[1]) / (self.height - last[0]), 0.1)
            elif not self.slope:
                self.slope = 0.58 * stature  # MakeHuman's tallest is about 58 % of the mean above its shortest
            last = self.height, stature
            here = min(max(self.height + (self.wanted - stature) / self.slope, 0.0), 1.0)
            if abs(self.wanted - stature) < 0.4 * STATURE_ERROR_M or here == self.height:
                return _Measured(shape, stature, self.over * self._sketched_kg(shape) / stature**2)
            self.height = here

    def _sketched_kg(self, shape: BodyShape) -> float:
        return mass_kg(surface(shape, self.drawn, _sketch().shapes), _sketch().corners)


def _nearest(steps: _Steps, bmi: float) -> BodyShape:
    """The shape whose index comes nearest."""
    # from lean to heavy: less muscle at least weight, then more weight, then less muscle at most weight, then beyond
    ladder = ((0.0, 0.0), (0.0, 1.0), (1.0, 1.0), (1.0, 0.0), (1.5, 0.0))
    low = 1
    below = steps.at(*ladder[1])
    if bmi < below.bmi:
        low, below = 0, steps.at(*ladder[0])
    for first, second in zip(ladder[low:], ladder[low + 1:]):
        if bmi <= below.bmi:
            break
        above = steps.at(*second)
        if above.bmi >= bmi:
            return _between(steps, first, second, below, above, bmi).shape
        below = above
    return below.shape


def _between(steps: _Steps, first, second, below: _Measured, above: _Measured, bmi: float) -> _Measured:
    """The body between two steps that has the index: regula falsi (Illinois)."""
    a, b, fa, fb = 0.0, 1.0, below.bmi - bmi, above.bmi - bmi
    best = min((below, above), key=lambda body: abs(body.bmi - bmi))
    for _ in range(8):
        if abs(best.bmi - bmi) < 0.2 * BMI_ERROR:
            break
        t = (a * fb - b * fa) / (fb - fa)
        best = steps.at(*(p + t * (q - p) for p, q in zip(first, second)))
        f = best.bmi - bmi
        if f * fb < 0:
            a, fa = b, fb
        else:
            fa /= 2
        b, fb = t, f
    return best
