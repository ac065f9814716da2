"""The crossed table of an ordered mix: cells, wanted shares, and a test that sees a mix that is not as ordered."""

import pyarrow as pa
import pyarrow.parquet as pq

from understudy.viewer.mix import ordered_mix

BODY = {"age": {"weighted": {"0-12": 1, "13-60": 3}}, "gender": {"weighted": {"woman": 1, "man": 1}}}
RECIPE = {"world": {"people": {"body": BODY, "skin": {"tone": 3}}}}


def manifest(tmp_path, rows):
    """A manifest of pictures with one or two figures: (age, gender) each."""
    columns = {}
    for k in range(2):
        for j, name in enumerate(("age", "gender")):
            columns[f"world.people.body.{name}[{k}]"] = [row[k][j] if len(row) > k else None for row in rows]
    pq.write_table(pa.table(columns), tmp_path / "manifest.parquet")
    return tmp_path / "manifest.parquet"


def test_every_figure_is_in_its_cell(tmp_path):
    rows = [((5.0, "woman"),), ((5.0, "man"), (40.0, "woman")), ((30.0, "man"), (59.9, "man"))] * 20
    mix = ordered_mix(RECIPE, manifest(tmp_path, rows))
    assert mix.n == 100 and mix.path == "the mix: age x gender"
    cells = {s.option: (s.wanted, s.got) for s in mix.options}
    assert cells == {"0-12 · woman": (0.125, 20), "0-12 · man": (0.125, 20), "13-60 · woman": (0.375, 20),
                     "13-60 · man": (0.375, 40)}
    assert mix.p < 0.001


def test_a_mix_as_ordered_is_as_ordered(tmp_path):
    cells = [(5.0, "woman"), (5.0, "man"), *[(40.0, "woman")] * 3, *[(40.0, "man")] * 3]
    assert ordered_mix(RECIPE, manifest(tmp_path, [(cell,) for cell in cells] * 25)).p > 0.99


def test_one_axis_alone_is_no_mix(tmp_path):
    one = {"world": {"people": {"body": {"age": {"weighted": {"0-12": 1, "13-60": 3}}}}}}
    assert ordered_mix(one, manifest(tmp_path, [((5.0, "woman"),)])) is None
