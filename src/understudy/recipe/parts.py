"""A recipe's seven parts as they are declared, and the tables in which names are looked up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from understudy.fields import Group, Param, Setting, Slot, fields_of, group, one_of, resolve, setting
from understudy.labels import LABELS
from understudy.renderers import RENDERERS, Renderer
from understudy.sensors.camera import CameraSensor
from understudy.supports import Integers, Many, Text
from understudy.surroundings import SURROUNDINGS
from understudy.worlds import WORLDS
from understudy.writers import WRITERS

Table = Mapping[str, str | type]
Declared = Param | Setting | Group | Slot

# File names carry nine digits of a record's number.
MOST_RECORDS = 1_000_000_000
SEED, COUNT = 0, 100


@dataclass(frozen=True)
class Sensors:
    """What looks at the scene, and how it is drawn."""

    camera: CameraSensor = group(CameraSensor, "the camera: picture size, lens, shutter, noise and JPEG")
    renderer: Renderer = one_of(RENDERERS, "path", "what draws the picture and the label channels")


@dataclass(frozen=True)
class LabelSettings:
    """What is asked about each picture."""

    keep: tuple[str, ...] = setting(tuple(LABELS), Many(tuple(LABELS)), "", "the labels to make; all when left out")
    minimum_visible_px: int = setting(16, Integers(1, 1_000_000), "px",
                                      "an instance of which fewer pixels are seen is marked to be ignored")


@dataclass(frozen=True)
class Tables:
    """Where names are looked up; None is the package's own table.

    An outsider's own world is one entry more: ``Tables(worlds=WORLDS | {"birds": Birds})``.
    """

    worlds: Table | None = None
    surroundings: Table | None = None
    renderers: Table | None = None
    labels: Table | None = None
    writers: Table | None = None

    def __post_init__(self) -> None:
        for name, own in _OWN.items():
            if getattr(self, name) is None:
                object.__setattr__(self, name, own)


_OWN: dict[str, Table] = {"worlds": WORLDS, "surroundings": SURROUNDINGS, "renderers": RENDERERS, "labels": LABELS,
                          "writers": WRITERS}
TABLES = Tables()


def root(tables: Tables) -> dict[str, Declared]:
    """A recipe's parts, declared as the fields of a world are."""
    return {
        "name": Setting(Text("a name"), "", "what the data set is called; the file's name when left out"),
        "seed": Setting(Integers(-(2**63), 2**63 - 1), "", "the root of all randomness"),
        "count": Setting(Integers(1, MOST_RECORDS), "", "how many pictures"),
        "world": Slot(tables.worlds, "what is true: the things in the picture and where they stand"),
        "sensors": Group(Sensors, "what looks at it: the camera and the renderer"),
        "labels": Group(LabelSettings, "what is asked about it"),
        "write": Slot(tables.writers, "the format of the data set", default="coco"),
    }


def declared(cls: type, tables: Tables) -> dict[str, Declared]:
    """A class's fields, each slot that looks into one of the package's tables looking into ``tables`` instead."""
    found = fields_of(cls)
    for name, field in found.items():
        if isinstance(field, Slot):
            own = next((table for table, mapping in _OWN.items() if mapping is field.table), None)
            if own is not None:
                found[name] = replace(field, table=getattr(tables, own))
    if cls is LabelSettings:
        found["keep"] = replace(found["keep"], support=Many(tuple(tables.labels)))
    return found


def entry_name(table: Table, thing: Any) -> str | None:
    """The name under which ``table`` lists the class of ``thing``; None if it does not."""
    cls = type(thing)
    spelled = f"{cls.__module__}:{cls.__qualname__}"
    for name, entry in table.items():
        if entry is cls or entry == spelled:
            return name
    return next((name for name in table if resolve(table, name) is cls), None)
