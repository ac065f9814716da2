"""Models: learnt, saved, sampled; conditions, constraints, and what must never come out."""

from __future__ import annotations

import io
import json
import pickle
import subprocess
import sys
import zipfile
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from understudy.errors import MissingDependency, TableError, Unsatisfiable, UsageError
from understudy.tables import fit, load
from understudy.tables.chain import CHUNK
from understudy.tables.detect import detect
from understudy.tables.measure.accuracy import accuracy
from understudy.tables.measure.lens import Lens
from understudy.tables.source import Tables


@pytest.fixture(scope="module")
def model(people):
    return fit({"people": people})


def sampled(model, n=None, seed=0, **wishes):
    return model.sample(n, seed, **wishes)["people"]


def guessed(people):
    return detect(Tables({"people": people}))[0]


def test_shares_and_types_are_the_tables(model, people):
    made = sampled(model, seed=3)
    assert made.schema.types == people.schema.types and made.num_rows == people.num_rows
    lens = Lens.on(people, guessed(people)["people"])
    (a, sizes), (b, _) = lens.bins(made), lens.bins(people)
    assert accuracy(a, b, sizes, 1)[0] > 0.98 and accuracy(a, b, sizes, 2)[0] > 0.95
    doctors = [
        np.nanmean([p for p, j in zip(t["pay"].to_pylist(), t["job"].to_pylist()) if j == "doctor" and p])
        for t in (made, people)
    ]
    assert doctors[0] == pytest.approx(doctors[1], rel=0.03)
    assert made["pay"].null_count / made.num_rows == pytest.approx(0.1, abs=0.02)


def test_a_law_of_the_data_is_kept(model):
    made = sampled(model, 20_000)
    assert set(zip(made["city"].to_pylist(), made["country"].to_pylist())) == {
        ("Ulm", "DE"),
        ("Bonn", "DE"),
        ("Lyon", "FR"),
        ("Metz", "FR"),
        ("Nice", "FR"),
    }


def test_rows_are_functions_of_seed_and_number(model):
    long = sampled(model, CHUNK + 500, seed=7)
    assert sampled(model, 300, seed=7).equals(long.slice(0, 300))
    assert sampled(model, CHUNK + 500, seed=7).equals(long)
    assert not sampled(model, 300, seed=8).equals(long.slice(0, 300))
    assert len(set(long["start"].slice(CHUNK, 100).to_pylist()) - set(long["start"].slice(0, 100).to_pylist())) > 10


def test_saved_and_loaded_is_the_same(model, tmp_path):
    path = tmp_path / "people.model"
    model.save(path)
    first = path.read_bytes()
    load(path).save(path)
    assert path.read_bytes() == first
    assert sampled(load(path), 100, 1).equals(sampled(model, 100, 1))
    program = (
        f"from understudy.tables import load; import sys; t = load({str(path)!r}).sample(100, 1)['people']; "
        "print(sum(t['age'].to_pylist()), t['pay'].to_pylist()[:5])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONHASHSEED": "7"} | {"PYTHONPATH": ":".join(p for p in sys.path if p)},
    )
    made = sampled(model, 100, 1)
    assert done.stdout.strip() == f"{sum(made['age'].to_pylist())} {made['pay'].to_pylist()[:5]}"


def test_nothing_rare_is_in_the_file_or_comes_out(model, people, tmp_path):
    path = tmp_path / "people.model"
    model.save(path)
    with zipfile.ZipFile(path) as pack:
        text = pack.read("model.json").decode()
    assert "lighthouse" not in text
    pay = {p for p in people["pay"].to_pylist() if p}
    numbers = {
        float(x)
        for x in json.loads(text, parse_float=str, parse_int=str)["model"]["tables"]["people"]["states"]["pay"]["cells"][
            "low"
        ]
        if x is not None
    }
    assert not numbers & pay
    made = sampled(model, 40_000, 5)
    assert "lighthouse keeper" not in set(made["job"].to_pylist())
    rows = set(zip(*(people[c].to_pylist() for c in ("age", "pay", "start", "end"))))
    again = sum(row in rows for row in zip(*(made[c].to_pylist() for c in ("age", "pay", "start", "end"))) if row[1])
    assert again == 0


class Trap:
    def __reduce__(self):
        return (sys.exit, (99,))


@pytest.mark.parametrize("damage", ["cut", "other zip", "other json", "pickle", "version", "missing array", "no zip"])
def test_broken_models_are_one_message(model, tmp_path, damage):
    path = tmp_path / "m.model"
    model.save(path)
    with zipfile.ZipFile(path) as pack:
        files = {name: pack.read(name) for name in pack.namelist()}
    head = json.loads(files["model.json"])
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-2000])
    elif damage == "no zip":
        path.write_bytes(b"not at all")
    else:
        if damage == "other zip":
            files = {"a": b"1"}
        elif damage == "other json":
            files["model.json"] = b"[1]"
        elif damage == "version":
            files["model.json"] = json.dumps(head | {"version": 99}).encode()
        elif damage == "missing array":
            del files[next(n for n in files if n.endswith("ends.npy"))]
        else:
            file = io.BytesIO()
            np.save(file, np.array([Trap()], dtype=object), allow_pickle=True)
            assert pickle.loads  # the array would run code if it were unpickled
            files[next(n for n in files if n.endswith("ends.npy"))] = file.getvalue()
        with zipfile.ZipFile(path, "w") as pack:
            for name, data in files.items():
                pack.writestr(name, data)
    with pytest.raises(TableError) as error:
        load(path)
    assert str(path) in str(error.value)


def test_given_columns_condition_the_others(model, people):
    made = sampled(model, 3000, 1, given={"rich": "true", "job": "clerk"})
    assert set(made["rich"].to_pylist()) == {True} and set(made["job"].to_pylist()) == {"clerk"}
    real = people.to_pylist()
    wanted = np.mean([r["age"] for r in real if r["rich"] and r["job"] == "clerk"])
    assert (
        np.mean(made["age"].to_pylist()) == pytest.approx(wanted, abs=1.5)
        and wanted > np.mean(people["age"].to_pylist()) + 3
    )


def test_given_rows_are_kept_and_filled_in(model):
    rows = pa.table({"age": [20, 70, None, 30], "job": ["doctor", None, "smith", None]})
    made = sampled(model, rows=rows)
    assert made["age"].to_pylist()[:2] == [20, 70] and made["age"][3].as_py() == 30 and made["age"][2].as_py() is not None
    assert made["job"].to_pylist()[0] == "doctor" and made["job"][2].as_py() == "smith" and made["job"][1].as_py()


def test_conditions_and_shares(model):
    made = sampled(model, 2000, where=["age > 60", 'city == "Ulm"'])
    assert min(made["age"].to_pylist()) > 60 and set(made["city"].to_pylist()) == {"Ulm"}
    made = sampled(model, 20_000, shares={"job": {"doctor": 1, "clerk": 1}, "age": {"..40": 3, "40..": 1}})
    jobs = made["job"].to_pylist()
    assert set(jobs) == {"doctor", "clerk"} and jobs.count("doctor") / 20_000 == pytest.approx(0.5, abs=0.02)
    assert np.mean(np.array(made["age"].to_pylist()) < 40) == pytest.approx(0.75, abs=0.02)


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ({"given": {"jobb": "x"}}, "Did you mean job"),
        ({"given": {"job": "astronaut"}}, "none that the model has learnt"),
        ({"given": {"age": 500}}, r"age: the data \(almost\) never has such a value.*wanted from"),
        ({"where": ["age > 300"]}, "almost"),
        ({"where": ["agee > 3"]}, "Did you mean age"),
        ({"where": ["job > 3"]}, "only quantities"),
        ({"where": ["age"]}, "compares nothing"),
        ({"where": ["age >"]}, "cut short"),
        ({"shares": {"age": {"300..": 1}}}, "never makes"),
        ({"shares": {"job": {"doctor": -1}}}, "positive"),
        ({"n": 0}, "number of rows"),
        ({"n": 10**12}, "number of rows"),
    ],
)
def test_wishes_that_cannot_be_met(model, wish, said):
    with pytest.raises((UsageError, TableError, Unsatisfiable), match=said):
        sampled(model, **{"n": 100} | wish)


def constrained(people, *statements, **columns):
    schema = guessed(people)["people"]
    own = {name: replace(column, **columns.get(name, {})) for name, column in schema.columns.items()}
    return fit({"people": people}, schema={"people": replace(schema, columns=own, constraints=statements)})


def test_constraints_are_never_broken(people):
    net = np.round(np.nan_to_num(people["pay"].to_numpy()) * 0.7, 2)
    tax = np.round(np.nan_to_num(people["pay"].to_numpy()) * 0.3, 2)
    table = (
        people.append_column("net", pa.array(net))
        .append_column("tax", pa.array(tax))
        .append_column("gross", pa.array(net + tax))
    )
    model = constrained(
        table, "start <= end", "gross == net + tax", "city -> country", "age >= 18", "tax <= net", "job ~ [a-z ()]+"
    )
    assert "end" in model.only.plan.gaps and "gross" in model.only.plan.sums and "country" in model.only.plan.laws
    made = sampled(model, 30_000, 2).to_pydict()
    assert all(a <= b for a, b in zip(made["start"], made["end"]))
    assert all(abs(g - n - t) < 1e-6 for g, n, t in zip(made["gross"], made["net"], made["tax"]))
    assert len(set(zip(made["city"], made["country"]))) == 5 and min(made["age"]) >= 18
    assert all(t <= n for n, t in zip(made["net"], made["tax"]))
    gap = np.mean([(b - a).days for a, b in zip(made["start"], made["end"])])
    assert gap == pytest.approx(
        np.mean([(b - a).days for a, b in zip(people["start"].to_pylist(), people["end"].to_pylist())]), rel=0.03
    )


def test_uniqueness_is_held_and_its_end_is_told(people):
    number = (np.arange(people.num_rows) * 7 + 13) % 100_003
    model = constrained(people.append_column("number", pa.array(number)), "unique(number)")
    made = sampled(model, 5000)["number"].to_pylist()
    assert len(set(made)) == 5000
    gaps = pa.array([None if i % 5 == 0 else n for i, n in enumerate(number.tolist())])  # what is missing repeats nothing
    model = constrained(people.append_column("number", gaps), "unique(number)")
    made = sampled(model, 1000)["number"].to_pylist()
    assert 100 < made.count(None) < 300 and len(set(made)) == 1001 - made.count(None)
    two = pa.table({"x": np.arange(40) % 40, "y": ["a"] * 40})
    schema = detect(Tables({"people": two}))[0]
    schema = {
        "people": replace(
            schema["people"],
            columns=schema["people"].columns | {"x": replace(schema["people"].columns["x"], kind="integer")},
            constraints=("unique(x)",),
        )
    }
    with pytest.raises(Unsatisfiable, match="not enough different rows"):
        fit({"people": two}, schema=schema).sample(500)


def test_a_name_too_rare_for_a_state_breaks_no_law():
    grade = np.arange(1, 7).repeat(100)
    school = np.array(["", "first", "middle", "upper", "high", "college", "master"], object)[grade]
    school[:3] = "none"  # fewer than k rows: they stand in another name's state, and seemed to contradict the law
    table = pa.table({"grade": grade, "school": school, "other": grade % 2 + np.arange(600) % 3})
    made = fit({"t": table}).sample(2000)["t"]
    assert len(set(zip(made["grade"].to_pylist(), made["school"].to_pylist()))) == 6
    assert "none" not in made["school"].to_pylist()


def test_a_schema_that_contradicts_the_data(people):
    with pytest.raises(TableError) as error:
        constrained(people, "end <= start")
    assert "row 1" in str(error.value) and "of 4000 rows" in str(error.value)
    with pytest.raises(TableError, match="outside the stated bounds"):
        constrained(people, age={"low": 30.0})
    with pytest.raises(TableError, match="other columns"):
        fit({"people": people.drop_columns(["age"])}, schema=guessed(people))


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (pa.table({"x": [1]}), "too few rows"),
        (pa.table({f"c{i}": [1] * 20 for i in range(1200)}), "too many columns"),
    ],
)
def test_tables_that_cannot_be_learnt(table, said):
    with pytest.raises(TableError, match=said):
        fit(table)


def test_odd_tables_are_learnt():
    n = 60
    table = pa.table(
        {
            "nothing": pa.nulls(n, pa.string()),
            "same": ["x"] * n,
            "huge": [10**17 + i for i in range(n)],
            "inf": [float("inf")] * 20 + [1.5] * 40,
            "text": [f"word number {i} of a text" for i in range(n)],
            "gap": [None] * 30 + [3] * 30,
        }
    )
    made = fit(table).sample(500)["table"]
    assert made["nothing"].null_count == 500 and set(made["same"].to_pylist()) == {"x"}
    assert 0.2 < np.mean(np.isinf(made["inf"].to_numpy())) < 0.5 and 0.3 < made["gap"].null_count / 500 < 0.7
    assert fit(pa.table({"x": pa.nulls(50, pa.string())})).sample(10)["table"].num_rows == 10


def test_without_scikit_learn_the_remedy_is_the_command(people, monkeypatch):
    monkeypatch.setattr("understudy.tables.model.find_spec", lambda name: None)
    with pytest.raises(MissingDependency, match=r"pip install 'understudy\[tables\]'"):
        fit(people)


def test_levels_and_owners(people):
    with pytest.raises(UsageError, match="no such level"):
        fit(people, privacy="lax")
    with pytest.raises(UsageError, match="points at that owner"):
        fit(people, owners=1)
