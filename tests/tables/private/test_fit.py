"""Models under differential privacy: what they keep, and that nothing reaches them past the ledger."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from understudy.errors import TableError, UsageError
from understudy.key import Key
from understudy.tables import fit, load
from understudy.tables.detect import detect
from understudy.tables.measure.accuracy import accuracy
from understudy.tables.measure.distinguish import Overheard, game, moved, moved_products
from understudy.tables.measure.lens import Lens
from understudy.tables.private import fit as private
from understudy.tables.private.ledger import Budget, Entry, Ledger
from understudy.tables.schema import Column, Schema
from understudy.tables.source import Tables

pytest.importorskip("opendp")


class Blind(Ledger):
    """A ledger that answers without a look at the data; the sizes of its questions alone are seen."""

    def counts(self, what, counts, rho, rows=1):
        self._spend(Entry(what, "blind", 1.0, rho))
        told = Key(3).child(what, len(self.entries)).uniforms(*counts.shape) * 100
        return np.floor(told), float(np.sqrt(1 / (2 * rho)))

    def products(self, what, scores, states, rho):
        self._spend(Entry(what, "blind", 1.0, rho))
        told = Key(3).child(what).uniforms(len(scores.pairs()[0])) * 1000
        return np.floor(told), scores.reach * float(np.sqrt(1 / (2 * rho)))

    def names(self, what, counts, rho, delta, rows=1):
        self._spend(Entry(what, "blind", 1.0, rho))
        return {"": 20, "=Ulm": 400, "=Nice": 300}, float(np.sqrt(1 / (2 * rho)))

    def best(self, what, scores, rho, rows=1):
        self._spend(Entry(what, "blind", 1.0, rho))
        return len(self.entries) % len(scores)


@pytest.fixture(scope="module")
def schema(people):
    return detect(Tables({"people": people}))[0]["people"]


@pytest.fixture(scope="module")
def model(people, schema):
    return fit({"people": people}, schema={"people": schema}, budget=Budget(8.0))


def test_shares_are_kept(model, people, schema):
    made = model.sample(4000, seed=1)["people"]
    assert made.schema.types == people.schema.types
    lens = Lens.on(people, schema)
    (a, sizes), (b, _) = lens.bins(made), lens.bins(people)
    assert accuracy(a, b, sizes, 1)[0] > 0.95 and accuracy(a, b, sizes, 2)[0] > 0.9
    doctors = np.array([j == "doctor" for j in made["job"].to_pylist()])
    pay = np.array(made["pay"].to_numpy(), float)
    assert np.nanmean(pay[doctors]) > np.nanmean(pay[~doctors]) + 10_000  # 30,000 in truth


def test_wishes_work_as_with_any_model(model):
    made = model.sample(300, given={"job": "doctor"})["people"]
    assert set(made["job"].to_pylist()) == {"doctor"}
    made = model.sample(300, where=["age > 40"])["people"]
    assert min(made["age"].to_pylist()) > 40


def test_saved_and_loaded(model, tmp_path):
    model.save(tmp_path / "m")
    again = load(tmp_path / "m")
    assert again.sample(500, seed=4)["people"].equals(model.sample(500, seed=4)["people"])
    ledger = again.only.private
    assert ledger["epsilon spent"] <= 8.0 and len(ledger["looks"]) > 10
    assert ledger["rho"] == pytest.approx(sum(look["rho"] for look in ledger["looks"]))


def test_nothing_reaches_the_model_past_the_ledger(people, schema, tmp_path):
    """Two tables that share nothing but their schema: with a ledger that does not look, the files are the same bytes."""
    n = 333
    words = Key(9).child("other").words(n)
    other = pa.table(
        {
            "age": (words % 9_000_000).astype(int) - 5_000_000,
            "job": [f"secret-{w}" for w in words],
            "city": [None if w % 3 else "Nowhere" for w in words.tolist()],
            "country": ["ZZ"] * n,
            "pay": pa.array([1e12 if w % 2 else None for w in words.tolist()], pa.float64()),
            "start": pa.array((words % 90_000).astype("int32"), pa.int32()).cast(pa.date32()),
            "end": pa.array(np.zeros(n, "int32"), pa.int32()).cast(pa.date32()),
            "rich": pa.array([True] * n),
        }
    )
    told = []
    for table in (people, other, people.slice(0, 1)):
        budget = Budget(1.0)
        made = private.fit(table, schema, "people", budget, Blind(budget))
        from understudy.tables.model import Model

        Model({"people": made}).save(tmp_path / "m")
        told.append((tmp_path / "m").read_bytes())
    assert told[0] == told[1] == told[2]


def test_rare_names_extremes_and_the_row_count_stay_away(people, schema, tmp_path):
    rows = people.to_pydict()
    rows["job"][5], rows["age"][7], rows["pay"][9] = "astronaut", 987_654_321, 123_456_789.25
    table = pa.table(rows, people.schema)
    made = fit({"people": table}, schema={"people": schema}, budget=Budget(1.0))
    assert made.notes == ()
    sample = made.sample(20_000)["people"]
    assert "astronaut" not in sample["job"].to_pylist() and "lighthouse keeper" not in sample["job"].to_pylist()
    assert max(a for a in sample["age"].to_pylist() if a is not None) < 1000
    counted = next(look for look in made.only.private["looks"] if look["what"] == "rows")
    assert 4 < counted["noise"] and abs(made.only.rows - table.num_rows) < 6 * counted["noise"]


def test_contradictions_are_missing_not_told(schema):
    table = pa.table({"size": ["S", "M", "never declared"] * 200, "x": ["1", "2", "no number"] * 200})
    own = Schema({"size": Column("ordered", order=("S", "M")), "x": Column("integer", low=0, high=5)}, rows=600)
    made = fit({"t": table}, schema={"t": own}, budget=Budget(20.0, 1e-3)).sample(600)["t"]
    assert set(made["size"].to_pylist()) <= {"S", "M", None}
    assert made["size"].null_count == pytest.approx(200, abs=60) and made["x"].null_count == pytest.approx(200, abs=60)


def test_public_bounds_and_names_are_free(people, schema):
    age = replace(schema.columns["age"], low=18.0, high=78.0)
    job = replace(schema.columns["job"], names=("clerk", "smith", "doctor", "sailor"))
    own = Schema({"age": age, "job": job}, rows=4000)
    made = fit({"people": people.select(["age", "job"])}, schema={"people": own}, budget=Budget(1.0))
    assert made.only.rows == 4000
    assert not any(word in look["what"] for look in made.only.private["looks"] for word in ("octave", "names, and"))
    assert not any(look["what"] == "rows" for look in made.only.private["looks"])
    assert made.only.private["delta spent on names"] == 0


def test_constraints_hold(people, schema):
    own = replace(schema, constraints=("start <= end", "age >= 30", "age <= 60"))
    made = fit({"people": people}, schema={"people": own}, budget=Budget(4.0)).sample(500)["people"]
    both = [(a, b) for a, b in zip(made["start"].to_pylist(), made["end"].to_pylist()) if a and b]
    assert both and all(a <= b for a, b in both)
    ages = made["age"].drop_null().to_pylist()  # noise may make a missing one
    assert len(ages) > 450 and 30 <= min(ages) and max(ages) <= 60
    with pytest.raises(UsageError, match="differential privacy forbids"):
        fit({"people": people}, schema={"people": replace(schema, constraints=("city -> country",))}, budget=Budget(1.0))


def test_refused(people, schema):
    with pytest.raises(UsageError, match="must be public knowledge"):
        fit({"people": people}, budget=Budget(1.0))
    with pytest.raises(UsageError, match="whom differential privacy protects"):
        fit({"a": people, "b": people}, schema={"a": schema, "b": schema}, budget=Budget(1.0))
    with pytest.raises(TableError, match="no column can be learnt"):
        own = Schema({"job": Column("text")})
        fit({"people": people.select(["job"])}, schema={"people": own}, budget=Budget(1.0))


class Weak(Overheard):
    """Half of the noise that is claimed."""

    def counts(self, what, counts, rho, rows=1):
        noisy, sigma = Ledger.counts(self, what, counts, rho, rows)
        noisy = np.round(counts + (noisy - counts) / 2)
        self.heard.append((noisy, sigma, moved(what, counts.shape, rows)))
        return noisy, sigma

    def products(self, what, scores, states, rho):
        own = scores.rows(states)
        exact = (own.T @ own)[scores.pairs()]
        noisy, sigma = Ledger.products(self, what, scores, states, rho)
        noisy = np.round(exact + (noisy - exact) / 2)
        self.heard.append((noisy, sigma, moved_products(scores)))
        return noisy, sigma


@pytest.mark.slow
@pytest.mark.parametrize("epsilon", [1.0, 4.0, 8.0])
def test_the_game_never_exceeds_the_claim_and_comes_near_it(epsilon):
    played = game(Budget(epsilon), 1000)
    assert played.plain <= epsilon and played.gaussian <= epsilon  # false alarm: 5 % at most, far less with this slack
    assert played.possible > 0.8 * epsilon  # its scores, whole numbers under a limit, do not use all that one row may move
    if epsilon == 8.0:  # the noise is the system's, never seeded: 5.3 was seen, about 6.6 in endless runs
        assert played.gaussian > 0.45 * epsilon


@pytest.mark.slow
def test_the_game_finds_too_little_noise():
    assert game(Budget(8.0), 1000, ledger=Weak).gaussian > 8.0


def test_the_ledger_is_shown(model):
    from understudy.tables.report.page import _ledger

    shown = _ledger({"ledger": model.only.private})
    looks = model.only.private["looks"]
    assert f"{len(looks)} looks at the data" in shown and shown.count("<tr>") == len(looks) + 1
    assert "not private" in shown and _ledger({}) == ""


@pytest.mark.slow
def test_a_report_under_differential_privacy(people, schema):
    from understudy.tables.report.figures import report
    from understudy.tables.report.page import page

    found = report(people, schema, "people", "standard", "rich", Key(1), groups=("job",), refits=0, budget=Budget(2.0))
    assert found["privacy"] == "epsilon 2" and list(found["frontier"])[:2] == ["epsilon 0.5", "epsilon 1"]
    assert found["ledger"]["epsilon spent"] <= 2 and "looks at the data" in page(found, "people")
