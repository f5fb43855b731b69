"""Execute the percent scripts beside this file into notebooks: ``python notebooks/execute.py``.

What is committed is small and stable: no widget state, no times of execution, no kernel's own version.
"""

from __future__ import annotations

import sys
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

HERE = Path(__file__).parent


def executed(script: Path) -> NotebookNode:
    """The notebook that this script is, with its outputs."""
    notebook = jupytext.read(script)
    NotebookClient(notebook, timeout=300, kernel_name="python3", store_widget_state=False).execute(cwd=str(HERE))
    return _stable(notebook)


def _stable(notebook: NotebookNode) -> NotebookNode:
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number:02d}"
        cell.metadata.pop("execution", None)
    notebook.metadata.get("language_info", {}).pop("version", None)
    notebook.metadata.pop("widgets", None)
    return notebook


if __name__ == "__main__":
    for name in sys.argv[1:] or sorted(path.name for path in HERE.glob("[0-9]*.py")):
        nbformat.write(executed(HERE / name), (HERE / name).with_suffix(".ipynb"))
