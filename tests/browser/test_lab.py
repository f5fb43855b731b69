from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.browser


def test_a_notebook_that_raises_is_reported_with_its_traceback(lab: Any, tmp_path: Path) -> None:
    """A run that stops half way says where and why, and does not take an old run's outputs for its own."""
    old = {"cell_type": "code", "execution_count": 7, "metadata": {}, "outputs": []}
    cells = [old | {"id": str(at), "source": code} for at, code in enumerate(["open('beside.txt')", "1/0", "2"])]
    (tmp_path / "beside.txt").touch()
    path = tmp_path / "raises.ipynb"
    path.write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    run = lab.run_all(path, files=[tmp_path / "beside.txt"])
    assert (run.cells, run.executed, len(run.errors)) == (3, 2, 1)
    assert "ZeroDivisionError" in run.errors[0]
    assert lab.ask("kernels") == []  # each would sit there until the server ends
