"""Before the first record: are the files that the recipe names there?"""

from __future__ import annotations

import dataclasses


def check_assets(part: object) -> None:
    """Call ``check_assets()`` of every part of a recipe (a world, its surroundings ...) that has one.

    It raises AssetError where what the recipe names cannot serve for any record, a missing folder of photographs, so that
    one message comes before any process is started. A file that is bad alone is the records' business.
    """
    if not dataclasses.is_dataclass(part):
        return
    check = getattr(part, "check_assets", None)
    if check is not None:
        check()
    for field in dataclasses.fields(part):
        check_assets(getattr(part, field.name))
