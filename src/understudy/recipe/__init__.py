"""Recipes: YAML or Python to a :class:`Recipe`, frozen, checked, defaults filled.

==================  ==================================================================================
file                idea
==================  ==================================================================================
``parts``           the seven parts as declared fields, and the tables of names
``recipe``          ``Recipe``: checked when made; its plain form, YAML text and digest
``parse``           a file, a shipped recipe's name or plain data to a Recipe
``tree``            YAML to nodes that know their line, within bounds
``scalars``         what an unquoted word is (YAML 1.2)
``build``           nodes to the parts' dataclasses, every problem noted
``literals``        one value against its support
``distributions``   ``{uniform: [20, 30]}`` and its kin against a support
``units``           ``175 cm`` where metres are wanted
``places``          every place that can be written to
``overrides``       ``--set a.b=3``
``plain``           back to plain data and YAML
``schema``          JSON Schema of all this
``reference``       reference pages of all this
``marks``           where something was written, and how messages quote it
==================  ==================================================================================
"""

from understudy.recipe.parse import parse, shipped
from understudy.recipe.parts import TABLES, LabelSettings, Sensors, Tables
from understudy.recipe.recipe import Recipe
from understudy.recipe.reference import reference
from understudy.recipe.schema import json_schema

__all__ = ["TABLES", "LabelSettings", "Recipe", "Sensors", "Tables", "json_schema", "parse", "reference", "shipped"]
