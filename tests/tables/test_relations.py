"""Linked tables: keys and links that hold, counts, order in time, what depends on whom."""

from __future__ import annotations

import itertools

import numpy as np
import pyarrow as pa
import pytest

from understudy.errors import RecipeError, TableError, UsageError
from understudy.key import Key
from understudy.tables import fit, load
from understudy.tables.detect import detect
from understudy.tables.schema import Column, Schema
from understudy.tables.source import Tables, read

OWNERS = 1500


@pytest.fixture(scope="module")
def bank() -> dict[str, pa.Table]:
    """Owners of two kinds; the rich hold more accounts; bookings in time with short gaps for the rich, and a sum that the
    one before it foretells; cards link an owner (main, at most one) and a branch of a town."""
    key = Key(11)
    rich = key.child("rich").uniforms(OWNERS) < 0.3
    owners = pa.table(
        {
            "owner_id": [f"o{i}" for i in range(OWNERS)],
            "kind": np.where(rich, "rich", "poor"),
            "since": pa.array((5000 + 1000 * key.child("since").uniforms(OWNERS)).astype("int32")).cast(pa.date32()),
        }
    )
    many = np.where(
        rich, 3 + (3 * key.child("many").uniforms(OWNERS)).astype(int), (2 * key.child("few").uniforms(OWNERS)).astype(int)
    )
    who = np.repeat(np.arange(OWNERS), many)
    n = len(who)
    gap = np.where(rich[who], 1 + 5 * key.child("gap").uniforms(n), 100 + 50 * key.child("gap").uniforms(n)).astype(int)
    start = np.array([d.toordinal() - 719163 for d in owners["since"].to_pylist()])
    first = np.concatenate([[True], who[1:] != who[:-1]])
    day = np.zeros(n, int)
    amount = np.zeros(n)
    noise = key.child("amount").normals(n)
    for i in range(n):
        day[i] = (start[who[i]] if first[i] else day[i - 1]) + gap[i]
        amount[i] = round(100 + 10 * noise[i] if first[i] else amount[i - 1] + float(noise[i]), 2)
    mixed = key.child("mixed").permutation(n)
    bookings = pa.table(
        {
            "booking_id": np.arange(n) + 7,
            "owner_id": np.array([f"o{i}" for i in who])[mixed],
            "day": pa.array(day[mixed].astype("int32"), pa.int32()).cast(pa.date32()),
            "amount": amount[mixed],
        }
    )
    towns = pa.table({"town_id": np.arange(60), "size": np.where(np.arange(60) < 20, "big", "small")})
    holders = np.flatnonzero(rich)
    town = np.where(
        key.child("town").uniforms(len(holders)) < 0.9,
        (20 * key.child("a").uniforms(len(holders))).astype(int),
        20 + (40 * key.child("b").uniforms(len(holders))).astype(int),
    )
    limit = np.where(town < 20, "high", "low")
    cards = pa.table(
        {"card_id": np.arange(len(holders)), "owner_id": [f"o{i}" for i in holders], "town_id": town, "limit": limit}
    )
    return {"owners": owners, "bookings": bookings, "towns": towns, "cards": cards}


@pytest.fixture(scope="module")
def model(bank):
    return fit(bank)


@pytest.fixture(scope="module")
def made(model):
    return model.sample(seed=3)


def test_links_are_found(bank):
    schemas, _ = detect(Tables(bank))
    assert schemas["bookings"].columns["owner_id"].parent == "owners.owner_id" and schemas["owners"].key == "owner_id"
    assert {c for c, s in schemas["cards"].columns.items() if s.kind == "link"} == {"owner_id", "town_id"}


def test_no_orphan_and_no_key_twice(made):
    for name, key in (("owners", "owner_id"), ("bookings", "booking_id"), ("towns", "town_id"), ("cards", "card_id")):
        values = made[name][key].to_pylist()
        assert None not in values and len(set(values)) == len(values)
    assert set(made["bookings"]["owner_id"].to_pylist()) <= set(made["owners"]["owner_id"].to_pylist())
    for column, parent in (("owner_id", "owners"), ("town_id", "towns")):
        assert set(made["cards"][column].to_pylist()) <= set(made[parent][column].to_pylist())
    assert len(set(made["cards"]["owner_id"].to_pylist())) == made["cards"].num_rows  # at most one each, as in the data


def test_types_and_sizes(made, bank):
    for name, table in made.items():
        assert table.schema.types == bank[name].schema.types
        assert table.num_rows == pytest.approx(bank[name].num_rows, rel=0.08)


def kinds(tables):
    return dict(zip(tables["owners"]["owner_id"].to_pylist(), tables["owners"]["kind"].to_pylist()))


def test_counts_and_children_follow_the_parent(made, bank):
    for kind in ("rich", "poor"):
        shares = []
        for tables in (bank, made):
            kind_of = kinds(tables)
            count = sum(kind_of[o] == kind for o in tables["bookings"]["owner_id"].to_pylist())
            shares.append(count / sum(k == kind for k in kind_of.values()))
        assert shares[1] == pytest.approx(shares[0], rel=0.08)
    assert np.mean([kinds(made)[o] == "rich" for o in made["cards"]["owner_id"].to_pylist()]) > 0.97


def runs(tables):
    rows = sorted(
        zip(
            tables["bookings"]["owner_id"].to_pylist(),
            tables["bookings"]["day"].to_pylist(),
            tables["bookings"]["amount"].to_pylist(),
        )
    )
    found = {"rich": [], "poor": [], "step": [], "first": []}
    kind_of = kinds(tables)
    since = dict(zip(tables["owners"]["owner_id"].to_pylist(), tables["owners"]["since"].to_pylist()))
    for (a, day, amount), (b, later, more) in itertools.pairwise(rows):
        if a == b:
            found[kind_of[a]].append((later - day).days)
            found["step"].append((amount, more))
        else:
            found["first"].append((later - since[b]).days)
    return found


def test_events_keep_their_gaps_and_their_memory(made, bank):
    real, own = runs(bank), runs(made)
    assert np.mean(own["rich"]) == pytest.approx(np.mean(real["rich"]), rel=0.2) and np.mean(own["rich"]) < 10
    assert min(own["first"]) >= 0 and np.mean(own["first"]) == pytest.approx(np.mean(real["first"]), rel=0.2)
    memory = [np.corrcoef(np.array(r["step"]).T)[0, 1] for r in (real, own)]
    assert memory[0] > 0.95 and memory[1] > 0.85


def test_the_second_parent_fits(made, bank):
    for tables in (bank, made):
        size = dict(zip(tables["towns"]["town_id"].to_pylist(), tables["towns"]["size"].to_pylist()))
        fits = [
            (size[t] == "big") == (limit == "high")
            for t, limit in zip(tables["cards"]["town_id"].to_pylist(), tables["cards"]["limit"].to_pylist())
        ]
        assert np.mean(fits) > 0.9


def test_saved_scaled_and_repeated(model, made, tmp_path):
    path = tmp_path / "bank.model"
    model.save(path)
    again = load(path).sample(seed=3)
    assert all(again[name].equals(table) for name, table in made.items())
    double = model.sample(scale=2.0, seed=3)
    assert double["owners"].num_rows == 2 * made["owners"].num_rows
    assert double["bookings"].num_rows == pytest.approx(2 * made["bookings"].num_rows, rel=0.08)
    with pytest.raises(UsageError, match="as a whole"):
        model.sample(100)
    with pytest.raises(UsageError, match="how many times"):
        model.sample(scale=-1.0)


def test_owners_are_counted_and_not_rows():
    """One owner with a hundred rows of its own word: a hundred rows, one owner."""
    owners = pa.table({"owner_id": np.arange(200), "x": np.arange(200) % 3})
    who = np.concatenate([np.arange(200), np.full(100, 5)])
    words = np.where(np.arange(300) >= 200, "only mine", np.where(np.arange(300) % 2, "a", "b"))
    rows = pa.table({"row_id": np.arange(300), "owner_id": who, "word": words})
    made = fit({"owners": owners, "rows": rows}).sample()["rows"]
    assert "only mine" not in made["word"].to_pylist() and {"a", "b"} <= set(made["word"].to_pylist())


def test_what_is_wrong_with_links(bank, tmp_path):
    schemas, _ = detect(Tables(bank))
    bad = bank["bookings"].set_column(1, "owner_id", pa.array(["nobody"] * bank["bookings"].num_rows))
    with pytest.raises(TableError, match="dangle") as error:
        fit(bank | {"bookings": bad}, schema=schemas)
    assert "bookings.owner_id, row 1" in str(error.value) and "nobody" not in str(error.value)
    twice = bank["owners"].set_column(0, "owner_id", pa.array(["o0", "o0", *[f"o{i}" for i in range(2, OWNERS)]]))
    with pytest.raises(TableError, match=r"owners.owner_id, row 2.*comes twice"):
        fit(bank | {"owners": twice}, schema=schemas)
    path = tmp_path / "s.yaml"
    path.write_text(
        "tables:\n  a: {columns: {a_id: {kind: key}, b_id: {kind: link, parent: b.b_id}}}\n"
        "  b: {columns: {b_id: {kind: key}, a_id: {kind: link, parent: a.a_id}}}\n"
    )
    circle = {"a": pa.table({"a_id": range(30), "b_id": range(30)}), "b": pa.table({"b_id": range(30), "a_id": range(30)})}
    with pytest.raises(TableError, match="circle"):
        fit(circle, schema=path)
    path.write_text("tables:\n  a: {columns: {a_id: {kind: link, parent: c.x}}}\n")
    with pytest.raises(RecipeError, match="leads nowhere"):
        fit({"a": circle["a"].select(["a_id"])}, schema=path)


def test_a_link_that_nearly_is_one_is_told(bank):
    owner = bank["bookings"]["owner_id"].to_pylist()
    owner[6] = "nobody"
    bad = bank["bookings"].set_column(1, "owner_id", pa.array(owner))
    schemas, notes = detect(Tables(bank | {"bookings": bad}))
    (note,) = (n for n in notes if "dangle" in n)
    assert "bookings.owner_id: 1 values" in note and "row 7" in note and "nobody" not in note
    assert schemas["bookings"].columns["owner_id"].kind != "link"


def test_a_key_that_is_named_id_is_referred_to_by_its_tables_name():
    owners, cities = pa.table({"id": range(30)}), pa.table({"ID": range(100, 130)})
    pets = pa.table({"x": range(60), "owner_id": [i % 30 for i in range(60)], "cityID": [100 + i % 30 for i in range(60)]})
    columns = detect(Tables({"owners": owners, "cities": cities, "pets": pets}))[0]["pets"].columns
    assert [columns[c].parent for c in ("owner_id", "cityID", "x")] == ["owners.id", "cities.ID", ""]


def test_a_folder_of_files(bank, tmp_path, capsys):
    import pyarrow.csv as pc

    from understudy.cli import main

    for name, table in bank.items():
        pc.write_csv(table, tmp_path / f"{name}.csv")
    model, out = tmp_path / "bank.model", tmp_path / "made"
    assert main(["table", "fit", str(tmp_path), "-o", str(model)]) == 0
    assert main(["table", "sample", str(model), "-o", str(tmp_path / "made.csv")]) == 2
    assert "into a folder" in capsys.readouterr().err and not (tmp_path / "made.csv").exists()
    assert main(["table", "sample", str(model), "-o", str(out)]) == 0
    again = read(out)
    assert set(again.tables) == set(bank)
    detected, _ = detect(again)
    assert detected["bookings"].columns["owner_id"].kind == "link"  # every value of it is a key of the owners


def test_unique_holds_across_linked_tables():
    """Owners with a number of their own; their things, each owner's of different kinds: nothing that holds by chance."""
    key, n = Key(21), 400
    number = key.child("number").permutation(900)[:n]
    many = 1 + (4 * key.child("many").uniforms(n)).astype(int)
    kinds = [np.array(list("abcde"))[key.child("kinds", i).permutation(5)[:m]] for i, m in enumerate(many)]
    tables = {
        "owners": pa.table({"id": np.arange(n), "number": number}),
        "things": pa.table(
            {"thing": np.arange(many.sum()), "owner": np.repeat(np.arange(n), many), "kind": np.concatenate(kinds)}
        ),
    }

    def schema(owners: tuple[str, ...], things: tuple[str, ...]) -> dict[str, Schema]:
        return {
            "owners": Schema({"id": Column("key", stored="int64"), "number": Column("integer", stored="int64")}, owners),
            "things": Schema(
                {
                    "thing": Column("key", stored="int64"),
                    "owner": Column("link", parent="owners.id", stored="int64"),
                    "kind": Column("category"),
                },
                things,
            ),
        }

    def repeated(made: dict[str, pa.Table]) -> tuple[int, int]:
        pairs = list(zip(made["things"]["owner"].to_pylist(), made["things"]["kind"].to_pylist()))
        numbers = made["owners"]["number"].to_pylist()
        return len(numbers) - len(set(numbers)), len(pairs) - len(set(pairs))

    free = fit(Tables(tables), schema=schema((), ())).sample(seed=1)
    assert min(repeated(free)) > 5
    made = fit(Tables(tables), schema=schema(("unique(number)",), ("unique(owner, kind)",))).sample(seed=1)
    assert repeated(made) == (0, 0) and made["owners"].num_rows == n
    assert set(made["things"]["owner"].to_pylist()) <= set(made["owners"]["id"].to_pylist())
    with pytest.raises(TableError, match=r"contradicts the data: unique\(kind\)"):
        fit(Tables(tables), schema=schema((), ("unique(kind)",)))
