"""The chart of forecast errors in a real JupyterLab: a series per key, the confidence lines, the flagged points."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.browser.test_chart_in_lab import notebook

pytestmark = pytest.mark.browser

CHART = """
import deeplog_nb as dl
log = dl.load_openstack().log
lines = dl.read(log)
templates = dl.Spell().fit(lines)
machine = r"\\[instance: ([0-9a-f-]{36})\\]"
normal = dl.sessionize(templates.parse(dl.first_half(lines)), by=machine)
all_of_it = dl.sessionize(templates.parse(lines), by=machine)
values = dl.ValueModel().fit(normal, templates=templates)
"""
PICTURE = (
    "dl.error_series({c: values.at(confidence=c).errors(all_of_it) for c in (.98, .99, .999)}, templates=templates)"
)


def drawn(page: Any) -> Any:
    page.wait_for_selector(".jp-OutputArea-output .vega-embed svg")
    return page.evaluate("""() => {
        const embed = document.querySelector('.jp-OutputArea-output .vega-embed');
        return {
            texts: [...embed.querySelectorAll('svg text')].map(found => found.textContent),
            points: embed.querySelectorAll('.mark-symbol path').length,
        };
    }""")


def test_the_error_series_is_drawn_in_jupyterlab(lab: Any, tmp_path: Path) -> None:
    """Drawn live, with nothing asked for outside: titles are templates, the lines say their confidence."""
    run = lab.run_all(notebook(tmp_path / "errors.ipynb", CHART, PICTURE), look=drawn)
    assert (run.executed, run.errors, run.blocked, run.raised) == (2, [], [], [])
    assert run.seen["points"] > 10
    assert any("VM Started" in text for text in run.seen["texts"])
    assert any("99.9" in text for text in run.seen["texts"])
    assert run.screenshot.stat().st_size > 10_000
