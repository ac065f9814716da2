"""JSON Schema of recipes (draft 2020-12), for editors: made from the fields, so it says what the parser checks.

What a schema cannot say (a low end below the high end, a normal distribution's truncation, labels against the renderer)
is left to the parser; what the parser takes, the schema takes.
"""

from __future__ import annotations

import math
import re
from dataclasses import MISSING, fields
from typing import Any

from understudy import supports
from understudy.fields import Group, Param, Setting, Slot, resolve
from understudy.recipe.distributions import FORMS, NUMERIC, legal_forms
from understudy.recipe.parts import COUNT, SEED, TABLES, Declared, Tables, declared, root
from understudy.recipe.plain import plain_field, said
from understudy.recipe.units import siblings
from understudy.values import RANGE_LABEL, TUNE

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schema(tables: Tables = TABLES) -> dict[str, Any]:
    """The schema of a whole recipe; classes of fields stand under ``$defs`` by name."""
    schemas = _Schemas(tables)
    properties = {name: schemas.field(field) for name, field in root(tables).items()}
    for name, default in (("seed", SEED), ("count", COUNT), ("write", "coco")):
        properties[name]["default"] = default
    return {"$schema": DIALECT, "title": "Understudy recipe", "type": "object", "properties": properties,
            "required": ["world"], "additionalProperties": False, "$defs": dict(sorted(schemas.defs.items()))}


class _Schemas:
    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        self.defs: dict[str, Any] = {}
        self.names: dict[type, str] = {}

    def field(self, field: Declared) -> dict[str, Any]:
        if isinstance(field, Group):
            return {"$ref": f"#/$defs/{self.define(field.cls)}"} | _text(field.doc)
        if isinstance(field, Slot):
            return self.slot(field)
        unit = f" ({field.unit})" if field.unit else ""
        if isinstance(field, Setting):
            return _literal(field.support, field.unit) | _text(field.doc + unit)
        return self.value(field) | _text(field.doc + unit)

    def slot(self, slot: Slot) -> dict[str, Any]:
        names = list(slot.table)
        entries = {name: {"$ref": f"#/$defs/{self.define(resolve(slot.table, name))}"} for name in names}
        options = [{"enum": names}, {"type": "object", "properties": entries, "additionalProperties": False,
                                     "minProperties": 1, "maxProperties": 1}]
        return {"anyOf": options + [{"type": "null"}] * slot.optional} | _text(slot.doc)

    def value(self, field: Param) -> dict[str, Any]:
        """A literal or a distribution. Options may be distributions again, so the whole is a definition of its own."""
        name = re.sub(r"[^A-Za-z0-9.-]+", "_", f"{field.support.describe()} {field.unit}").strip("_")
        if name not in self.defs:
            self.defs[name] = {}
            self.defs[name] = {"anyOf": [_literal(field.support, field.unit), *self.distributions(field, name)]}
        own = {"$ref": f"#/$defs/{name}"}
        return {"anyOf": [own, {"type": "object", "properties": {TUNE: own}, "required": [TUNE],
                                "additionalProperties": False}]}

    def distributions(self, field: Param, name: str) -> list[dict[str, Any]]:
        support, own = field.support, {"$ref": f"#/$defs/{name}"}
        found = []
        for form in legal_forms(support):
            if form in FORMS:
                arguments = _arguments(form, support, field.unit)
            elif form == "choice":
                arguments = {"type": "array", "items": own, "minItems": 1}
            else:
                pair = {"type": "array", "prefixItems": [own, _WEIGHT], "minItems": 2, "maxItems": 2}
                arguments = {"anyOf": [{"type": "object", "additionalProperties": _WEIGHT, "minProperties": 1}
                                       | _labels(support), {"type": "array", "items": pair, "minItems": 1}]}
            found.append({"type": "object", "properties": {form: arguments}, "required": [form],
                          "additionalProperties": False})
        return found

    def define(self, cls: type) -> str:
        """The definition of a class of fields; its name."""
        if cls in self.names:
            return self.names[cls]
        name = cls.__name__ if cls.__name__ not in self.defs else f"{cls.__module__}.{cls.__name__}"
        self.names[cls] = name
        self.defs[name] = {}
        own, properties = declared(cls, self.tables), {}
        defaults = {f.name: f.default for f in fields(cls)}
        for key, field in own.items():
            properties[key] = self.field(field)
            if isinstance(field, Param | Setting) and defaults[key] is not MISSING:
                properties[key]["default"] = said(plain_field(defaults[key], field, self.tables, key))
            elif isinstance(field, Slot):
                properties[key]["default"] = field.default
        first = (cls.__doc__ or "").strip().partition("\n\n")[0]
        self.defs[name] = {"type": ["object", "null"], "properties": properties, "additionalProperties": False,
                           **_text(" ".join(first.split()))}
        return name


_WEIGHT = {"type": "number", "minimum": 0}


def _text(doc: str) -> dict[str, str]:
    return {"description": doc} if doc else {}


def _literal(support: supports.Support, unit: str) -> dict[str, Any]:
    """A literal; a number may carry a unit that converts to the wanted one."""
    schema = support.schema()
    if isinstance(support, supports.Text) and not support.optional:
        schema["pattern"] = r"\S"
    units = [u for u in siblings(unit) if u] if isinstance(support, NUMERIC) else []
    return {"anyOf": [schema, _quantity(units)]} if units else schema


def _quantity(units: list[str]) -> dict[str, Any]:
    names = "|".join(re.escape(u) for u in sorted(units, key=len, reverse=True))
    return {"type": "string", "pattern": rf"^\s*[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)\s*({names})\s*$"}


def _arguments(name: str, support: supports.Support, unit: str) -> dict[str, Any]:
    """The arguments of a distribution with numbers, as a list or by name."""
    form, units = FORMS[name], [u for u in siblings(unit) if u]
    inside = supports.Integers(support.low, support.high) if form.whole else supports.Interval(support.low, support.high)
    of = {"low": inside.schema(), "high": inside.schema(), "mean": {"type": "number"},
          "std": {"type": "number", "exclusiveMinimum": 0}}
    if units:
        of = {key: {"anyOf": [schema, _quantity(units)]} for key, schema in of.items()}
    items = [of[a] for a in form.arguments]
    lengths = sorted({form.needed, len(form.arguments)})
    if name == "normal" and (math.isfinite(support.low) or math.isfinite(support.high)):
        lengths = [len(form.arguments)]  # without its ends it reaches outside
    lists = [{"type": "array", "prefixItems": items[:n], "minItems": n, "maxItems": n} for n in lengths]
    named = {"type": "object", "properties": {a: of[a] for a in form.arguments}, "additionalProperties": False,
             "required": list(form.arguments[: lengths[0]])}
    return {"anyOf": [*lists, named]}


def _labels(support: supports.Support) -> dict[str, Any]:
    """What the labels of ``weighted`` look like."""
    if isinstance(support, supports.OneOf):
        return {"propertyNames": {"enum": list(support.options)}}
    if isinstance(support, supports.Boolean):
        return {"propertyNames": {"enum": ["true", "false"]}}
    if isinstance(support, NUMERIC):
        ranges = RANGE_LABEL.pattern.replace("?P<low>", "").replace("?P<high>", "")
        return {"propertyNames": {"pattern": rf"^({ranges}|[-+]?[0-9.][0-9.eE+_-]*.*)$"}}
    return {}
