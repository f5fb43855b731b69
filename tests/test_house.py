"""The house rules that a reader cannot check by eye: imports, the map of names, forbidden calls, the README's tree."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

import deeplog_nb

ROOT: Final = Path(__file__).parent.parent
PACKAGE: Final = ROOT / "deeplog_nb"
SOURCES: Final = sorted(PACKAGE.rglob("*.py"))
LEVELS: Final = (
    ("frames",),
    ("disk", "resources"),
    ("data",),
    ("lines",),
    ("events",),
    ("sessions",),
    ("models",),
    ("verdicts",),
    ("baselines", "workflow"),
    ("evaluation",),
    ("views",),
    ("stream",),
    ("detector",),
    ("case",),
    ("controls",),
    ("cli", "__main__"),
)
LEVEL: Final = {home: level for level, homes in enumerate(LEVELS) for home in homes}
FORBIDDEN: Final = r"\bpickle\b|torch\.load\b|(?<![\w.])(?:eval|exec)\(|\bmap_elements\b|\biter_rows\b"
LAZY: Final = ("torch", "altair", "IPython", "pyvis", "ipywidgets")


def home(path: Path) -> str:
    """The folder or module of the package that a file belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(node: ast.AST) -> Iterator[tuple[str, bool]]:
    """What is imported of the package, and whether a ``_repr_mimebundle_`` does it, inside itself."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ImportFrom):
            yield from ((name, False) for name in _homes(child))
        elif isinstance(child, ast.Import):
            yield from (
                (part[1], False) for each in child.names if (part := [*each.name.split("."), ""])[0] == "deeplog_nb"
            )
        else:
            shows = isinstance(child, ast.FunctionDef) and child.name == "_repr_mimebundle_"
            yield from ((name, shows or inner) for name, inner in imports(child))


def _homes(node: ast.ImportFrom) -> list[str]:
    first, *rest = (node.module or "").split(".")
    if node.level or first != "deeplog_nb":
        return ["a relative import"] if node.level else []
    return rest[:1] or [each.name for each in node.names if each.name != "__version__"]


def points_up(source: str, own: str) -> list[str]:
    """The homes that this source imports though they stand above its own."""
    found = [name for name, shows in imports(ast.parse(source)) if not (shows and name == "views")]
    return [name for name in found if name != own and not LEVEL.get(name, len(LEVELS)) < LEVEL[own]]


@pytest.mark.parametrize(
    "path", [path for path in SOURCES if path.parent != PACKAGE or path.stem != "__init__"], ids=str
)
def test_imports_point_down(path: Path) -> None:
    """No module imports what stands above it, or beside it in another folder."""
    assert points_up(path.read_text("utf-8"), home(path)) == []


@pytest.mark.parametrize(
    ("source", "own", "found"),
    [
        ("from deeplog_nb.views.charts import rank_cdf", "models", ["views"]),
        ("def f():\n    import deeplog_nb.detector", "models", ["detector"]),
        ("from deeplog_nb import case", "lines", ["case"]),
        ("import deeplog_nb", "lines", [""]),
        ("from ..frames import check", "lines", ["a relative import"]),
        ("class A:\n    def _repr_mimebundle_(self):\n        from deeplog_nb.views import Picture", "events", []),
        ("def _repr_mimebundle_():\n    from deeplog_nb.case import page", "events", ["case"]),
        ("from deeplog_nb.frames import check\nfrom deeplog_nb.lines.read import read\nimport polars", "events", []),
    ],
)
def test_an_import_that_points_up_is_found(source: str, own: str, found: list[str]) -> None:
    """The check above can fail: wherever the import stands and however it is written."""
    assert points_up(source, own) == found


def test_the_map_names_what_there_is() -> None:
    """``__all__`` is sorted and says the same as the table of homes and as ``dir``."""
    names = [name for names in deeplog_nb._HOMES.values() for name in names]
    assert deeplog_nb.__all__ == sorted(names)
    assert dir(deeplog_nb) == sorted([*names, "__version__"])
    assert set(deeplog_nb.__all__) == {each for home in typed_names().values() for each in home}


def typed_names() -> dict[str, set[str]]:
    """What the map imports for type checkers only, by home."""
    tree = ast.parse((PACKAGE / "__init__.py").read_text("utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    found = [node for node in block.body if isinstance(node, ast.ImportFrom)]
    return {(node.module or "").removeprefix("deeplog_nb."): {each.name for each in node.names} for node in found}


def test_type_checkers_see_the_same_homes() -> None:
    """The names that type checkers are told come from the same modules as at run time."""
    assert typed_names() == {place: set(names) for place, names in deeplog_nb._HOMES.items()}


@pytest.mark.parametrize("name", deeplog_nb.__all__)
def test_every_public_name_is_there_and_explained(name: str) -> None:
    """Each name of the map loads and has a docstring of its own."""
    value = getattr(deeplog_nb, name)
    assert (value.__doc__ or "").strip()
    assert not (value.__doc__ or "").startswith(f"{name}(")  # what a dataclass writes where nobody did


def test_an_unknown_name_is_an_attribute_error() -> None:
    """A misspelt name fails as in any module."""
    with pytest.raises(AttributeError, match="no attribute 'raed'"):
        importlib.import_module("deeplog_nb").raed  # noqa: B018


def test_importing_the_package_loads_nothing_heavy() -> None:
    """A fresh process that imports it has none of torch, altair, IPython, pyvis and ipywidgets."""
    code = f"import sys, deeplog_nb; print([name for name in {LAZY} if name in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


@pytest.mark.parametrize("path", SOURCES, ids=str)
def test_no_source_does_what_we_promised_not_to_do(path: Path) -> None:
    """No pickle, no ``torch.load``, no evaluated text, no row loops; ``print`` only on the command line."""
    tree = ast.parse(path.read_text("utf-8"))
    assert re.search(FORBIDDEN, ast.unparse(without_docstrings(tree))) is None
    calls = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    assert "print" not in calls or home(path) in ("cli", "__main__")


def without_docstrings(tree: ast.Module) -> ast.Module:
    """The code without its prose, which may name what the code may not do."""
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [each for each in body if not _is_text(each)] or [ast.Pass()]  # type: ignore[attr-defined]
    return tree


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def readme_tree() -> list[str]:
    """The paths of the README's tree: folders end with a slash, and what is indented is in the one above."""
    readme = ROOT / "README.md"
    if not readme.exists():
        pytest.skip("README.md is not written yet")
    block = re.search(r"^```\w*\n(deeplog_nb/.*?)^```", readme.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    if block is None:
        pytest.skip("README.md has no block that begins with deeplog_nb/ yet")
    return list(paths_of(block[1]))


def paths_of(tree: str) -> Iterator[str]:
    """``a/b.py`` for each line ``  b.py  what it is`` indented below ``a/``; the rest of a line is prose."""
    above: list[tuple[int, str]] = []
    for line in tree.splitlines():
        found = re.match(r"^([\s│├└─]*)([A-Z]\w+|[\w.\-]*[./][\w.\-]*)(?=\s{2,}|$)", line)
        if found:
            above = [(depth, name) for depth, name in above if depth < len(found[1])]
            yield "".join(name for _, name in above) + found[2]
            above += [(len(found[1]), found[2])] * found[2].endswith("/")


TREE: Final = """\
deeplog_nb/
  frames.py   the contracts
  lines/      raw bytes -> LINES
    read.py   read, scan,
              and more of it
LICENSE
"""


def test_the_tree_is_read_as_it_is_drawn() -> None:
    """Indented names are in the folder above them; prose is no name."""
    paths = ["deeplog_nb/", "deeplog_nb/frames.py", "deeplog_nb/lines/", "deeplog_nb/lines/read.py", "LICENSE"]
    assert list(paths_of(TREE)) == paths


def test_every_path_of_the_readme_exists() -> None:
    """What the tree names is there."""
    assert [path for path in readme_tree() if not (ROOT / path).exists()] == []


def tracked() -> set[str]:
    """The folders of the package and the entries of the top level that belong to the repository."""
    run = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if run.returncode:
        pytest.skip("this is no checkout: git does not know it")
    parts = [Path(line).parts for line in run.stdout.splitlines() if not line.startswith(".")]
    top = {each[0] + "/" * (len(each) > 1) for each in parts}
    inner = {"/".join(each[:2]) + "/" * (len(each) > 2) for each in parts if each[0] == "deeplog_nb" and len(each) > 1}
    return top | {each for each in inner if each.endswith("/")}


def test_the_readme_names_every_part_of_the_house() -> None:
    """Every folder of the package and every entry of the top level is in the tree."""
    assert sorted(tracked() - set(readme_tree()) - {"README.md"}) == []
