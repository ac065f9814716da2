"""``understudy table``: from a file to made rows, and one message for whatever is wrong."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq
import pytest

from understudy.cli import main
from understudy.key import Key

SECRET = "Zanzibar-7391"


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    n = 600
    age = (20 + 50 * Key(1).uniforms(n)).astype(int)
    sex = np.array(["f", "m"])[(Key(2).uniforms(n) < 0.7).astype(int)]
    names = np.where(np.arange(n) == 9, SECRET, np.where(age > 45, "old", "young"))
    path = tmp_path_factory.mktemp("table") / "people.csv"
    pc.write_csv(pa.table({"age": age, "sex": sex, "group": names}), path)
    return path


@pytest.fixture(scope="module")
def model(people):
    path = people.with_name("people.model")
    assert main(["table", "fit", str(people), "-o", str(path)]) == 0
    return path


def test_inspect_correct_fit_sample(people, tmp_path, capsys):
    schema, model, made = tmp_path / "schema.yaml", tmp_path / "m", tmp_path / "made.parquet"
    assert main(["table", "inspect", str(people), "-o", str(schema)]) == 0
    assert "age" in capsys.readouterr().out and SECRET not in schema.read_text()
    schema.write_text(schema.read_text().replace("people:\n", "people:\n    constraints: ['age >= 20']\n", 1))
    assert main(["table", "fit", str(people), "--schema", str(schema), "-o", str(model)]) == 0
    assert main(["table", "sample", str(model), "-n", "2000", "-o", str(made), "--seed", "3"]) == 0
    table = pq.read_table(made)
    assert table.num_rows == 2000 and min(table["age"].to_pylist()) >= 20 and SECRET not in table["group"].to_pylist()


def test_differential_privacy(people, tmp_path, capsys):
    pytest.importorskip("opendp")
    schema, model, made = tmp_path / "schema.yaml", tmp_path / "m", tmp_path / "made.parquet"
    assert main(["table", "inspect", str(people), "-o", str(schema)]) == 0
    fit = ["table", "fit", str(people), "--schema", str(schema), "-o", str(model)]
    assert main([*fit, "--epsilon", "2", "--delta", "1e-5"]) == 0
    told = capsys.readouterr().out
    assert "of 2, delta 1e-05" in told and "600 rows" not in told.splitlines()[-2]
    assert main(["table", "sample", str(model), "-n", "500", "-o", str(made)]) == 0
    assert pq.read_table(made).num_rows == 500 and SECRET not in pq.read_table(made)["group"].to_pylist()
    model.unlink()
    for wrong, message in (
        (["--epsilon", "0"], "epsilon is out of bounds"),
        (["--epsilon", "1e9"], "no protection"),
        (["--epsilon", "1", "--delta", "1"], "--delta"),
        (["--delta", "1e-6"], "delta goes with epsilon"),
        (["--epsilon", "1", "--owners", "5"], "no owners"),
    ):
        assert main([*fit, *wrong]) == 2
        assert message in capsys.readouterr().err and not model.exists()
    assert main(["table", "fit", str(people), "-o", str(model), "--epsilon", "1"]) == 2
    assert "must be public knowledge" in capsys.readouterr().err
    page = tmp_path / "page.html"
    for more, message in (([], "must be public knowledge"), (["--schema", str(schema), "--privacy", "strict"], "no levels")):
        assert main(["table", "report", str(people), "--epsilon", "1", "-o", str(page), *more]) == 2
        assert message in capsys.readouterr().err and not page.exists()


def test_csv_is_the_parquet(model, tmp_path):
    for name in ("a.csv", "a.parquet"):
        assert main(["table", "sample", str(model), "-n", "300", "-o", str(tmp_path / name)]) == 0
    assert pc.read_csv(tmp_path / "a.csv").equals(pq.read_table(tmp_path / "a.parquet"))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.csv", "a.parquet"]


def test_conditions(model, tmp_path):
    made, seeds = tmp_path / "a.parquet", tmp_path / "seeds.csv"
    assert main(["table", "sample", str(model), "-n", "400", "-o", str(made), "--given", "sex=f",
                 "--where", "age > 50"]) == 0
    table = pq.read_table(made)
    assert set(table["sex"].to_pylist()) == {"f"} and min(table["age"].to_pylist()) > 50
    assert main(["table", "sample", str(model), "-n", "4000", "-o", str(made), "--shares", "sex=f:1,m:1"]) == 0
    assert abs(pq.read_table(made)["sex"].to_pylist().count("f") - 2000) < 160
    seeds.write_text("age,sex\n33,m\n44,\n")
    assert main(["table", "sample", str(model), "-o", str(made), "--given-file", str(seeds)]) == 0
    assert pq.read_table(made)["age"].to_pylist() == [33, 44]


@pytest.mark.parametrize("words", [
    ["fit", "absent.csv", "-o", "m"],
    ["fit", "one.csv", "-o", "m"],
    ["fit", "ragged.csv", "-o", "m"],
    ["fit", "people.csv", "-o", "m", "--privacy", "lax"],
    ["fit", "people.csv", "-o", "m", "--columns", "nobody"],
    ["fit", "people.csv", "-o", "m", "--schema", "absent.yaml"],
    ["fit", "people.csv", "-o", "m", "--schema", "wrong.yaml"],
    ["sample", "people.csv", "-o", "made.csv"],
    ["sample", "people.model", "-o", "made.xlsx"],
    ["sample", "people.model", "-n", "0", "-o", "made.csv"],
    ["sample", "people.model", "-o", "made.csv", "--given", "sex"],
    ["sample", "people.model", "-o", "made.csv", "--given", "sex=x"],
    ["sample", "people.model", "-o", "made.csv", "--shares", "sex=f"],
    ["sample", "people.model", "-o", "made.csv", "--where", "age > 900"],
    ["inspect", "absent"],
])
def test_what_is_wrong_is_one_message_and_leaves_nothing(people, model, tmp_path, monkeypatch, capsys, words):
    for source in (people, model):
        (tmp_path / source.name).write_bytes(source.read_bytes())
    (tmp_path / "one.csv").write_text(f"x,y\n{SECRET},2\n")
    (tmp_path / "ragged.csv").write_text(f"x,y\n1,2\n{SECRET},2,3\n")
    (tmp_path / "wrong.yaml").write_text("tables: {people: {columns: {age: {kind: agee}}}}\n")
    before = {p.name for p in tmp_path.iterdir()}
    monkeypatch.chdir(tmp_path)
    assert main(["table", *words]) in (1, 2)
    said = capsys.readouterr().err
    assert said.startswith("understudy: ") and "defect" not in said and SECRET not in said and "Traceback" not in said
    assert {p.name for p in tmp_path.iterdir()} == before
