"""The rules of the house that a linter does not know, and the public surface, locked."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import understudy

PACKAGE = Path(understudy.__file__).parent
ROOT = Path(__file__).parents[1]
FILES = sorted(PACKAGE.rglob("*.py"))

# A file holds one clear idea. What is longer is listed here, with its reason.
LONG: dict[str, str] = {}
MOST_LINES = 400
HEAVY = {"mitsuba", "drjit", "anny", "torch", "cv2", "pyarrow", "scipy", "PIL", "pycocotools", "oidn", "safetensors",
         "faster_coco_eval", "sklearn", "pandas", "polars"}

# What others may build on. A name is added or taken away on purpose, with a line in CHANGELOG.md.
SURFACE = {
    "understudy": {"__version__"},
    "understudy.recipe": {"TABLES", "LabelSettings", "Recipe", "Sensors", "Tables", "json_schema", "parse", "reference",
                          "shipped"},
    "understudy.make": {"Made", "Outcome", "Rejected", "Report", "generate", "make_record"},
    "understudy.key": {"Key"},
    "understudy.draws": {"Draws", "Scalar"},
    "understudy.record": {"DensePose", "Instance", "Picture", "PointSet", "Record", "Rle"},
    "understudy.signals": {"CATEGORY", "CHANNELS", "DEPTH", "INSTANCE", "IUV", "NORMAL", "OBJECT", "PART", "RGB",
                           "SILHOUETTES", "SILHOUETTES_WIDE", "Signals", "Spec", "UV"},
    "understudy.errors": {"AssetError", "DatasetError", "FolderBusy", "FolderTaken", "MissingDependency", "Problem",
                          "RecipeError", "RenderError", "RunError", "SpecError", "TableError", "UnderstudyError",
                          "Unsatisfiable", "UsageError", "WriteError"},
    "understudy.tables": {"fit", "load"},
    "understudy.worlds": {"WORLDS", "World"},
    "understudy.surroundings": {"FIRST_ENTITY_ID", "SURROUNDINGS", "Place", "Surroundings"},
    "understudy.renderers": {"RENDERERS", "Renderer"},
    "understudy.labels": {"LABELS", "Answers", "Label", "answers", "assemble", "channels"},
    "understudy.writers": {"WRITERS", "About", "Format", "ShardWriter", "detect", "read"},
    "understudy.learn.session": {"Request", "Trained", "check_out", "evaluate", "need_torch", "predict",
                                 "single_threaded_images", "stopped", "train"},
    "understudy.checks.audit": {"RULES", "SET_RULES", "Report", "audit", "audit_record", "audit_records"},
    "understudy.checks.conformance": {"Check", "label_checks", "renderer_checks", "surroundings_checks", "unlisted",
                                      "world_checks", "writer_checks"},
    "understudy.viewer.draw": {"LAYERS", "VIEWS", "annotate", "caption", "dashes", "depth_colours", "false_colours",
                               "fit_text", "font", "normal_colours", "outlines", "view"},
    "understudy.viewer.sheet": {"CELL", "FAINT", "INK", "PAPER", "Sheet", "contact_sheet", "summary"},
}


def surface(module: str) -> set[str]:
    """The public names that a module defines (or lists in ``__all__``), read from its source."""
    path = PACKAGE.joinpath(*module.split(".")[1:])
    tree = ast.parse((path / "__init__.py" if path.is_dir() else path.with_suffix(".py")).read_text(encoding="utf-8"))
    names: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            flat = [t for target in targets for t in (target.elts if isinstance(target, ast.Tuple) else [target])]
            if any(isinstance(t, ast.Name) and t.id == "__all__" for t in flat):
                return set(ast.literal_eval(node.value))
            names |= {t.id for t in flat if isinstance(t, ast.Name)}
    return {n for n in names if not n.startswith("_") or n == "__version__"}


@pytest.mark.parametrize("module", SURFACE)
def test_the_public_surface_changes_on_purpose_only(module):
    assert surface(module) == SURFACE[module]


def test_no_file_is_long_without_a_reason():
    lines = {str(f.relative_to(PACKAGE)): len(f.read_text(encoding="utf-8").splitlines()) for f in FILES}
    assert {name: n for name, n in lines.items() if n > MOST_LINES and name not in LONG} == {}


def calls(tree: ast.AST) -> set[str]:
    return {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_house_rules(path):
    """No print outside the command line, nothing unfinished, nothing swallowed, no heavy import at import time."""
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    inside = path.relative_to(PACKAGE)
    if inside.parts[0] != "cli":
        assert "print" not in calls(tree)
    assert not re.search(r"\bNotImplementedError\b|\bT[O]DO\b|\bF[I]XME\b|\bX[X]X\b", text)
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler) and len(node.body) == 1 and isinstance(node.body[0], ast.Pass):
            caught = ast.unparse(node.type) if node.type else ""
            assert caught not in ("", "Exception", "BaseException"), f"line {node.lineno} swallows every error"
        if isinstance(node, ast.Global):
            pytest.fail(f"line {node.lineno}: module state")
    for node in tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else [node.module or ""]
            allowed = {"torch"} if inside.parts[:2] == ("learn", "native") else set()  # imported in functions only
            met = {n.partition(".")[0] for n in names} & HEAVY - allowed
            assert not met, f"line {node.lineno} imports {met} for whoever imports this file"
    assert not {"utils.py", "helpers.py", "helper.py", "manager.py", "common.py", "misc.py"} & {path.name}
    assert ast.get_docstring(tree) or not tree.body, "a module says what it is for"


@pytest.mark.parametrize("module", ["understudy", "understudy.cli", "understudy.recipe", "understudy.make",
                                    "understudy.checks.audit", "understudy.viewer.report", "understudy.learn.session",
                                    "understudy.tables"])
def test_importing_is_light(module):
    """No import of ours loads a heavy library, or turns a screw of the interpreter."""
    program = (f"import sys, random; before = random.getstate(); import {module}\n"
               f"heavy = {HEAVY} & set(sys.modules)\nassert not heavy, heavy\nassert random.getstate() == before")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_rooms_import_downward_only():
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([str(linter)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:]
