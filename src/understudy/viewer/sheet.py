"""The contact sheet: many records on one page, as a photographer lays out a film.

A sheet fills as records arrive and can be saved at any moment, so that the first picture is there in seconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from understudy.errors import UsageError
from understudy.record import Record
from understudy.viewer import draw
from understudy.whole import written_whole

if TYPE_CHECKING:
    from PIL.Image import Image

PAPER, CELL, INK, FAINT = (13, 15, 19), (24, 27, 33), (232, 234, 237), (139, 146, 158)
_GAP, _LINE, _HEAD = 10, 20, 46
_MOST_PIXELS = 200_000_000  # 600 MB


class Sheet:
    """A page of ``count`` cells, ``columns`` beside each other.

    views : what each cell shows, side by side (names of ``draw.VIEWS``; ``("picture", "labels")`` is a pair); a view that
        no record holds stays dark
    width_px : width of one view
    """

    def __init__(self, count: int, *, columns: int = 6, width_px: int = 320, views: Sequence[str] = ("labels",),
                 layers: Sequence[str] = draw.LAYERS, title: str = "", note: str = "") -> None:
        if count < 1 or columns < 1 or width_px < 16:
            raise UsageError("a contact sheet needs at least one cell", wanted="count, columns >= 1 and width >= 16",
                             got=f"{count}, {columns}, {width_px}")
        unknown = [v for v in views if v not in draw.VIEWS]
        if unknown or not views:
            raise UsageError("unknown view", wanted="one of " + ", ".join(draw.VIEWS), got=", ".join(unknown) or "none")
        self.count, self.columns, self.width_px = count, min(columns, count), width_px
        self.views, self.layers, self.title, self.note = tuple(views), tuple(layers), title, note
        self._page: Image | None = None
        self._height_px = 0
        self.filled = 0

    def add(self, record: Record, cell: int | None = None) -> None:
        """Draw a record into the next cell (or the one given); records beyond the last cell are left out."""
        from PIL import Image, ImageDraw

        if self._page is None:
            w, h = record.picture.size_wh
            # the first picture gives the cells their shape; tall ones are fitted, not to make the page a tower
            self._height_px = round(self.width_px * min(h / w, 1.34))
            self._page = self._blank()
        cell = self.filled if cell is None else cell
        self.filled += 1
        if cell >= self.count:
            return
        left, top = self._corner(cell)
        pen = ImageDraw.Draw(self._page)
        for name in self.views:
            pen.rectangle((left, top, left + self.width_px - 1, top + self._height_px - 1), fill=CELL)
            shown = draw.view(record, name, self._fitted_width(record), self.layers)
            if shown is not None:
                shown.thumbnail((self.width_px, self._height_px), Image.Resampling.LANCZOS)
                self._page.paste(shown, (left + (self.width_px - shown.width) // 2,
                                         top + (self._height_px - shown.height) // 2))
            if len(self.views) > 2 and cell < self.columns:  # many views: the first row says what they are
                pen.text((left + 5, top + 4), name, fill=INK, font=draw.font(11), stroke_width=2, stroke_fill=PAPER)
            left += self.width_px + 2
        left, top = self._corner(cell)
        self._caption(pen, record, left, top + self._height_px)

    def image(self) -> Image:
        """The page as it stands: RGB."""
        if self._page is None:
            self._height_px = round(self.width_px * 0.75)
            return self._blank()
        return self._page.copy()

    def save(self, path: Path) -> None:
        """Write a PNG under a temporary name and rename it, so that a viewer never sees half a file."""
        with written_whole(Path(path), "contact sheet") as rough:
            self.image().save(rough, "PNG", compress_level=4)

    @property
    def _cell_width(self) -> int:
        return len(self.views) * self.width_px + (len(self.views) - 1) * 2

    def _corner(self, cell: int) -> tuple[int, int]:
        row, column = divmod(cell, self.columns)
        return (_GAP + column * (self._cell_width + _GAP),
                (_HEAD if self.title else _GAP) + row * (self._height_px + _LINE + _GAP // 2))

    def _blank(self) -> Image:
        from PIL import Image, ImageDraw

        rows = -(-self.count // self.columns)
        width = self.columns * (self._cell_width + _GAP) + _GAP
        bottom = self._corner((rows - 1) * self.columns)[1] + self._height_px + _LINE + _GAP // 2
        if width * bottom > _MOST_PIXELS:
            raise UsageError("the contact sheet would be too large", wanted=f"at most {_MOST_PIXELS:,} pixels",
                             got=f"{width}x{bottom}", remedy="Ask for fewer or narrower pictures")
        page = Image.new("RGB", (width, bottom), PAPER)
        pen = ImageDraw.Draw(page)
        if self.title:
            face = draw.font(20)
            pen.text((_GAP + 2, _HEAD / 2), self.title, fill=INK, font=face, anchor="lm")
            room = width - 3 * _GAP - face.getlength(self.title) - 24
            small = draw.font(13)
            pen.text((width - _GAP - 2, _HEAD / 2), draw.fit_text(self.note, small, room), fill=FAINT, font=small,
                     anchor="rm")
        for cell in range(self.count):
            left, top = self._corner(cell)
            pen.rectangle((left, top, left + self._cell_width - 1, top + self._height_px - 1), fill=CELL)
        return page

    def _fitted_width(self, record: Record) -> int:
        w, h = record.picture.size_wh
        return max(1, min(self.width_px, round(self._height_px * w / h)))

    def _caption(self, pen, record: Record, left: int, top: int) -> None:
        bold, face = draw.font(12), draw.font(11.5)
        number = f"{record.index:06d}"
        pen.rectangle((left, top, left + self._cell_width - 1, top + _LINE - 1), fill=PAPER)
        pen.text((left + 1, top + _LINE / 2), number, fill=INK, font=bold, anchor="lm")
        start = bold.getlength(number) + 10
        text = draw.fit_text(summary(record), face, self._cell_width - start)
        pen.text((left + start, top + _LINE / 2), text, fill=FAINT, font=face, anchor="lm")


def summary(record: Record) -> str:
    """What a record holds, in a line: how many of each category, and how hidden the most hidden one is."""
    counts = {name: sum(i.category_id == n for i in record.instances) for n, name in enumerate(record.categories, 1)}
    parts = [f"{name} {n}" if n > 1 else name for name, n in counts.items() if n] or ["no instances"]
    seen = [i.visible_fraction for i in record.instances if i.visible_fraction is not None]
    if seen and min(seen) < 0.995:
        parts.append(f"least seen {min(seen):.0%}")
    cut = [i.truncation for i in record.instances if i.truncation is not None]
    if cut and max(cut) > 0.005:
        parts.append(f"cut {max(cut):.0%}")
    return " · ".join(parts)


def contact_sheet(records: Iterable[Record], *, rows: int = 4, columns: int = 6, **options) -> Image:
    """A page of the first ``rows * columns`` records; ``options`` are those of :class:`Sheet`. Fewer records, fewer
    cells."""
    from itertools import islice

    some = list(islice(records, rows * columns))
    sheet = Sheet(max(1, len(some)), columns=columns, **options)
    for record in some:
        sheet.add(record)
    return sheet.image()
