"""Every notebook: paired with its script, executed, small, and it runs."""

import json
from pathlib import Path

import jupytext
import nbformat
import pytest
from nbclient import NotebookClient

FOLDER = Path(__file__).parent.parent / "notebooks"
SCRIPTS = sorted(FOLDER.glob("[0-9]*.py"))
SAFE = {"text/plain", "text/html", "image/png", "application/vnd.vegalite.v5+json"}


def cells(notebook):
    return [(cell.cell_type, cell.source.rstrip()) for cell in notebook.cells]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
class TestNotebook:
    def test_it_is_what_its_script_says(self, script):
        """The committed notebook and the reviewed script have the same cells."""
        assert cells(nbformat.read(script.with_suffix(".ipynb"), 4)) == cells(jupytext.read(script))

    def test_it_is_committed_executed_and_without_errors(self, script):
        """Each code cell has been run, in order, and none failed."""
        code = [cell for cell in nbformat.read(script.with_suffix(".ipynb"), 4).cells if cell.cell_type == "code"]
        assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
        assert not [output for cell in code for output in cell.outputs if output.output_type == "error"]

    def test_it_is_small_and_holds_safe_types_only(self, script):
        """Under 1 MB, no widget state, no script, no SVG."""
        notebook = nbformat.read(script.with_suffix(".ipynb"), 4)
        types = {
            kind for cell in notebook.cells for output in cell.get("outputs", []) for kind in output.get("data", {})
        }
        assert types <= SAFE
        assert script.with_suffix(".ipynb").stat().st_size < 1_000_000
        assert "widgets" not in notebook.metadata
        assert "<script" not in json.dumps(notebook)

    def test_it_runs_from_top_to_bottom(self, script):
        """Executed anew, its asserts hold and no cell complains on stderr."""
        notebook = jupytext.read(script)
        NotebookClient(notebook, timeout=300, kernel_name="python3").execute(cwd=str(FOLDER))
        texts = [
            output for cell in notebook.cells for output in cell.get("outputs", []) if output.get("name") == "stderr"
        ]
        assert texts == []
