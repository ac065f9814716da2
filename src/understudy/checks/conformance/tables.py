"""Files that look like an entry and that no table names."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path

# What makes a class an entry of a table: the methods that the table's Protocol asks for.
_METHODS = {"worlds": {"sample"}, "surroundings": {"sample"}, "renderers": {"render"},
            "writers": {"shard", "finish", "read"}}
_MARKS = {"worlds": "categories", "renderers": "supplies", "writers": "cannot_carry", "surroundings": ""}


def unlisted(folder: Path, table: Mapping[str, str | type], kind: str) -> list[str]:
    """Entries in ``folder`` (of ``kind``: worlds, surroundings, renderers, labels, writers) that ``table`` does not name:
    ``worlds/birds.py is not in WORLDS``. Files are parsed, not imported."""
    named = {entry.rpartition(":")[2] if isinstance(entry, str) else entry.__name__ for entry in table.values()}
    found = []
    for path in sorted(folder.rglob("*.py")):
        for name in _entries(ast.parse(path.read_text(encoding="utf-8")), kind):
            if name not in named:
                found.append(f"{path.relative_to(folder.parent)}: {name} is not in {kind.upper()}")
    return found


def _entries(tree: ast.Module, kind: str) -> list[str]:
    if kind == "labels":
        return [node.name for node in tree.body if isinstance(node, ast.FunctionDef)
                and any(ast.unparse(d).startswith("answers(") for d in node.decorator_list)]
    found = []
    for node in tree.body:
        if not isinstance(node, ast.ClassDef) or any(isinstance(b, ast.Name) and b.id == "Protocol" for b in node.bases):
            continue
        methods = {n.name: n for n in node.body if isinstance(n, ast.FunctionDef)}
        attributes = {t.id for n in node.body if isinstance(n, ast.AnnAssign | ast.Assign)
                      for t in ([n.target] if isinstance(n, ast.AnnAssign) else n.targets) if isinstance(t, ast.Name)}
        if _METHODS[kind] <= set(methods) and (not _MARKS[kind] or _MARKS[kind] in attributes):
            if kind != "surroundings" or _gives_place(methods["sample"]):
                found.append(node.name)
    return found


def _gives_place(method: ast.FunctionDef) -> bool:
    return isinstance(method.returns, ast.Name) and method.returns.id == "Place"
