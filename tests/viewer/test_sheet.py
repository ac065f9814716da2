"""The contact sheet: right size, every record in its cell, never half a file."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from understudy.errors import UsageError, WriteError
from understudy.viewer.sheet import CELL, Sheet, contact_sheet, summary


def opened(path):
    with Image.open(path) as image:
        return image.copy()


def test_grid_has_a_cell_for_each_record(ball_people):
    page = contact_sheet((ball_people(i) for i in range(5)), rows=2, columns=3, width_px=80)
    assert page.size == (3 * 90 + 10, 10 + 2 * (60 + 20 + 5))


def test_it_takes_no_more_records_than_it_shows(ball_people):
    taken = []

    def records():
        for i in range(100):
            taken.append(i)
            yield ball_people(i, 1, (32, 24))

    contact_sheet(records(), rows=2, columns=2, width_px=40)
    assert taken == [0, 1, 2, 3]


def test_a_sheet_can_be_saved_while_it_fills(ball_people, tmp_path):
    sheet = Sheet(4, columns=2, width_px=80)
    sheet.add(ball_people(0))
    sheet.save(tmp_path / "sheet.png")
    first = np.asarray(opened(tmp_path / "sheet.png"))
    assert (first[15:60, 105:170] == CELL).all()
    sheet.add(ball_people(1))
    sheet.save(tmp_path / "sheet.png")
    second = np.asarray(opened(tmp_path / "sheet.png"))
    assert not (second[15:60, 105:170] == CELL).all()
    assert (first[:, :90] == second[:, :90]).all()
    assert [p.name for p in tmp_path.iterdir()] == ["sheet.png"]


def test_cells_may_arrive_in_any_order(ball_people):
    pages = []
    for order in ([0, 1, 2], [2, 0, 1]):
        sheet = Sheet(3, columns=3, width_px=60)
        for i in order:
            sheet.add(ball_people(i), i)
        pages.append(np.asarray(sheet.image()))
    assert (pages[0] == pages[1]).all()


def test_pairs_stand_side_by_side(ball_people):
    page = contact_sheet([ball_people(0)], rows=1, columns=1, width_px=80, views=("picture", "labels"))
    assert page.width == 10 + 162 + 10


def test_pictures_of_other_shapes_are_fitted(ball_people):
    sheet = Sheet(2, columns=2, width_px=80)
    sheet.add(ball_people(0))
    sheet.add(ball_people(1, 1, (60, 120)))
    assert sheet.image().size == (190, 95)


def test_wrong_options_are_told():
    with pytest.raises(UsageError, match="unknown view"):
        Sheet(1, views=("xray",))
    with pytest.raises(UsageError, match="at least one cell"):
        Sheet(0)


def test_a_folder_that_is_not_there_is_told(ball_people, tmp_path):
    sheet = Sheet(1, width_px=40)
    with pytest.raises(WriteError, match="contact sheet could not be written"):
        sheet.save(tmp_path / "none" / "sheet.png")


def test_summary_says_what_is_there(ball_people):
    assert summary(ball_people(0, 2)).startswith("person 2")
