"""Linked tables under differential privacy: what one person may move, that it is hidden, and what is kept of the rest."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from understudy.errors import RecipeError, TableError, UsageError
from understudy.key import Key
from understudy.tables import fit, load
from understudy.tables.measure.distinguish import game
from understudy.tables.private.accounting import counts_cost, counts_sigma, selection_cost
from understudy.tables.private.bounded import bounded
from understudy.tables.private.family import family
from understudy.tables.private.ledger import Budget, Entry, Ledger, Part
from understudy.tables.private.linked import fit as private_fit
from understudy.tables.schema import Column, Schema, from_plain
from understudy.tables.source import Tables

pytest.importorskip("opendp")

SCHEMAS = {
    "owners": Schema({"id": Column("key"), "kind": Column("category"), "age": Column("integer")}, unit=True),
    "loans": Schema(
        {
            "loan": Column("key"),
            "owner": Column("link", parent="owners.id", most=3),
            "bank": Column("link", parent="banks.bank"),
            "sum": Column("integer", low=0, high=99),
            "what": Column("category", names=("car", "house", "boat")),
        }
    ),
    "rates": Schema({"loan": Column("link", parent="loans.loan", most=2), "late": Column("category", names=("yes", "no"))}),
    "banks": Schema({"bank": Column("key"), "size": Column("category", names=("big", "small"))}),
}


def bank(owners: int, seed: int = 0, most: float = 2.0) -> dict[str, pa.Table]:
    """Rich owners have more loans, for houses, at big banks, and are late: everything follows from ``kind``."""
    key = Key(seed) / "bank"
    rich = key.child("rich").uniforms(owners) < 0.4
    age = (20 + 50 * key.child("age").uniforms(owners)).astype(int)
    many = np.where(rich, 2, 1) * (most * key.child("many").uniforms(owners) * 0.999).astype(int)
    who = np.repeat(np.arange(owners), many)[key.child("mixed").permutation(many.sum())]
    n, own = len(who), rich[who]
    rates = (2.2 * key.child("rates").uniforms(n)).astype(int)
    of = np.repeat(np.arange(n), rates)
    return {
        "owners": pa.table({"id": np.arange(owners) + 5, "kind": np.where(rich, "rich", "poor"), "age": age}),
        "loans": pa.table(
            {
                "loan": [f"l{i}" for i in range(n)],
                "owner": who + 5,
                "bank": np.where(own, 0, 1) + 2 * (np.arange(n) % 40),
                "sum": np.where(own, 70, 20) + (20 * key.child("sum").uniforms(n)).astype(int),
                "what": np.where(own, "house", "car"),
            }
        ),
        "rates": pa.table({"loan": [f"l{i}" for i in of], "late": np.where(own[of], "yes", "no")}),
        "banks": pa.table({"bank": np.arange(80), "size": np.where(np.arange(80) % 2 == 0, "big", "small")}),
    }


def without(tables: dict[str, pa.Table], owner: int) -> dict[str, pa.Table]:
    """The same without one owner and all that hangs on them."""
    loans = tables["loans"]["owner"].to_numpy() == owner
    gone = set(tables["loans"].filter(pa.array(loans))["loan"].to_pylist())
    rates = np.array([loan in gone for loan in tables["rates"]["loan"].to_pylist()], bool)
    return tables | {
        "owners": tables["owners"].filter(pa.array(tables["owners"]["id"].to_numpy() != owner)),
        "loans": tables["loans"].filter(pa.array(~loans)),
        "rates": tables["rates"].filter(pa.array(~rates)),
    }


class Seen(Ledger):
    """A ledger that answers blindly and remembers exactly what it was shown."""

    def __post_init__(self):
        super().__post_init__()
        self.shown = []

    def _told(self, what, truth, rows):
        self._spend(Entry(what, "blind", 1.0, 0.0))
        self.shown.append((what, truth, rows))

    def counts(self, what, counts, rho, rows=1):
        self._told(what, np.array(counts, float), rows)
        told = Key(3).child(what, len(self.shown)).uniforms(*counts.shape) * 100
        self.entries[-1] = Entry(what, "blind", 1.0, rho)
        return np.floor(told), rows * float(np.sqrt(1 / (2 * rho)))

    def names(self, what, counts, rho, delta, rows=1):
        self._told(what, dict(counts), rows)
        self.entries[-1] = Entry(what, "blind", 1.0, rho)
        return {"": 20, "=rich": 400, "=poor": 300}, rows * float(np.sqrt(1 / (2 * rho)))

    def best(self, what, scores, rho, rows=1):
        self._told(what, np.array(scores, float), rows)
        self.entries[-1] = Entry(what, "blind", 1.0, rho)
        return len(self.shown) % len(scores)


def shown(tables: dict[str, pa.Table], schemas=SCHEMAS) -> list:
    ledger = Seen(Budget(1.0))
    private_fit(Tables(tables), schemas, ledger.budget, ledger)
    return ledger.shown


@pytest.mark.parametrize("seed", range(6))
def test_with_a_person_come_and_go_exactly_their_kept_rows(seed):
    tables = bank(12, seed, most=6.0)
    whose = family(SCHEMAS)
    kept = bounded(tables, SCHEMAS, whose)
    assert {name: whose.rows(name) for name in kept} == {"owners": 1, "loans": 3, "rates": 6}
    for owner in range(5, 17):
        less = without(tables, owner)
        after = bounded(less, SCHEMAS, whose)
        for name in ("loans", "rates"):
            rows, left = (sorted(map(str, t[name].take(pa.array(k[name].rows)).to_pylist())) for t, k in
                          ((tables, kept), (less, after)))  # fmt: skip
            assert len(rows) - len(left) <= whose.rows(name)
            for row in left:
                rows.remove(row)  # ValueError: another person's rows have changed
        assert np.bincount(after["loans"].owner, minlength=1).max(initial=0) <= 3


@pytest.mark.parametrize("owner", [5, 9, 23])
def test_a_person_moves_no_count_by_more_than_its_noise_is_for(owner):
    """The same questions are asked with and without the person; every true answer moves by at most what is stated."""
    tables = bank(40, 7, most=6.0)
    one, other = shown(tables), shown(without(tables, owner))
    assert [what for what, *_ in one] == [what for what, *_ in other] and len(one) > 15
    reached = 0.0
    for (what, a, rows), (_, b, _) in zip(one, other):
        if isinstance(a, dict):
            off = [a.get(name, 0) - b.get(name, 0) for name in {*a, *b}]
            assert np.linalg.norm(off) <= rows and np.count_nonzero(off) <= rows and np.abs(off).max(initial=0) <= rows
        elif what.startswith("which"):
            assert np.abs(a - b).max() <= rows + 1e-6
        else:
            assert a.shape == b.shape and np.linalg.norm(a - b) <= rows
            reached = max(reached, float(np.linalg.norm(a - b)) / rows)
    assert reached == 1.0


def test_nothing_reaches_the_model_past_the_ledger(tmp_path):
    told = []
    other = bank(61, 5)
    other["owners"] = other["owners"].set_column(1, "kind", pa.array([f"secret-{i}" for i in range(61)]))
    for number, tables in enumerate((bank(300), other, {t: v.slice(0, 1) for t, v in other.items()})):
        from understudy.tables.model import Model

        ledger = Seen(Budget(1.0))
        models, links = private_fit(Tables(tables), SCHEMAS, ledger.budget, ledger)
        Model(models, links=links).save(tmp_path / f"{number}")
        told.append((tmp_path / f"{number}").read_bytes())
    assert told[0] == told[1] == told[2]


@pytest.mark.parametrize("rows", [1, 2, 5])
def test_noise_grows_with_what_one_may_have(rows):
    ledger = Ledger(Budget(4.0))
    part = Part(ledger, ledger.rho / 2, rows)
    noisy, sigma = part.counts("cells", np.zeros(4000, int), ledger.rho / 100)
    assert sigma == pytest.approx(counts_sigma(ledger.rho / 100, rows), rel=1e-9)
    assert noisy.std() == pytest.approx(sigma, rel=5 / 8000**0.5)  # five standard deviations of its own
    assert ledger.entries[-1].rho == pytest.approx(counts_cost(sigma, rows), rel=1e-6)
    part.best("which", np.array([0.0, 1.0]), ledger.rho / 100)
    assert ledger.entries[-1].rho >= selection_cost(ledger.entries[-1].noise, rows) / 4  # monotone scores cost a quarter
    with pytest.raises(RuntimeError, match="the share is spent"):
        part.counts("more", np.zeros(2, int), ledger.rho / 2)


@pytest.fixture(scope="module")
def model():
    return fit(bank(3000), schema=SCHEMAS, budget=Budget(8.0))


def test_keys_are_whole_and_no_link_dangles(model, tmp_path):
    model.save(tmp_path / "m")
    made = load(tmp_path / "m").sample(seed=2)
    assert all(made[name].equals(table) for name, table in model.sample(seed=2).items())
    for name, schema in SCHEMAS.items():
        for column, spec in schema.columns.items():
            values = made[name][column].to_pylist()
            if spec.kind == "key":
                assert len(set(values)) == len(values)
            elif spec.kind == "link":
                parent, _, key = spec.parent.rpartition(".")
                assert set(values) <= set(made[parent][key].to_pylist())
                if spec.most:
                    assert np.unique(values, return_counts=True)[1].max() <= spec.most
    assert made["banks"].num_rows == made["loans"].num_rows  # each row brings its own


def test_what_hangs_on_a_person_follows_them(model):
    truth, made = bank(3000), model.sample(seed=4)
    for name in ("owners", "loans", "rates"):
        assert made[name].num_rows == pytest.approx(truth[name].num_rows, rel=0.08)
    kind = dict(zip(made["owners"]["id"].to_pylist(), made["owners"]["kind"].to_pylist()))
    size = dict(zip(made["banks"]["bank"].to_pylist(), made["banks"]["size"].to_pylist()))
    rich = np.array([kind[o] == "rich" for o in made["loans"]["owner"].to_pylist()])
    assert np.mean(np.array(made["loans"]["what"].to_pylist())[rich] == "house") > 0.9
    assert np.mean(np.array([size[b] for b in made["loans"]["bank"].to_pylist()])[rich] == "big") > 0.85
    assert np.mean(np.array(made["loans"]["what"].to_pylist())[~rich] == "car") > 0.9
    late = dict(zip(made["loans"]["loan"].to_pylist(), made["loans"]["what"].to_pylist()))
    houses = np.array([late[k] == "house" for k in made["rates"]["loan"].to_pylist()])
    assert np.mean(np.array(made["rates"]["late"].to_pylist())[houses] == "yes") > 0.85
    told = model.tables["owners"].private
    assert told["epsilon spent"] <= 8 and "all rows that hang on it" in told["neighbours"]


def test_links_that_lead_nowhere_are_no_error():
    tables = bank(400)
    odd = tables["loans"].to_pydict()
    odd["owner"][0], odd["owner"][1], odd["bank"][2] = 10**6, None, -7
    tables["loans"] = pa.table(odd)
    made = fit(tables, schema=SCHEMAS, budget=Budget(4.0)).sample()
    assert set(made["loans"]["owner"].to_pylist()) <= set(made["owners"]["id"].to_pylist())


def edited(table: str, column: str = "", **change) -> dict[str, Schema]:
    schema = SCHEMAS[table]
    if column:
        schema = replace(schema, columns={**schema.columns, column: replace(schema.columns[column], **change)})
    else:
        schema = replace(schema, **change)
    return SCHEMAS | {table: schema}


@pytest.mark.parametrize(
    ("schemas", "message"),
    [
        (edited("owners", unit=False), "whom differential privacy protects.*unit: true"),
        (edited("banks", unit=True), "owners, banks: whom differential privacy protects"),
        (edited("loans", "owner", most=0), "loans.owner.*must be public.*most: N"),
        (edited("rates", "loan", kind="category", parent=""), "rates: a table does not hang"),
        (edited("banks", constraints=("size == 'big'",)), "loans.bank: a second parent.*kind: identifier"),
        (edited("loans", "bank", parent="owners.id"), "loans.bank: a second parent|banks: a table does not hang"),
    ],
)
def test_what_is_not_bounded_is_refused_with_a_remedy(schemas, message):
    with pytest.raises(UsageError, match=message):
        family(schemas)


def test_other_tables_than_the_schema():
    with pytest.raises(TableError, match="other tables"):
        fit(bank(20), schema={t: s for t, s in SCHEMAS.items() if t != "rates"}, budget=Budget(1.0))


def test_other_columns_than_the_schema():
    tables = bank(20)
    with pytest.raises(TableError, match=r"loans: the schema and the data have other columns.*without owner"):
        fit(tables | {"loans": tables["loans"].drop_columns(["owner"])}, schema=SCHEMAS, budget=Budget(1.0))


@pytest.mark.parametrize("most", [0, -1, 101, True, "many"])
def test_how_many_is_a_number(most):
    plain = {"tables": {name: schema.plain() for name, schema in SCHEMAS.items()}}
    plain["tables"]["loans"]["columns"]["owner"]["most"] = most
    with pytest.raises(RecipeError, match="most"):
        from_plain(plain)


@pytest.mark.slow
def test_the_game_with_a_person_never_exceeds_the_claim():
    played = game(Budget(8.0), 200, linked=True)
    assert played.plain <= 8 and 0.3 * 8 < played.gaussian <= 8 and 0.6 * 8 < played.possible <= 8
