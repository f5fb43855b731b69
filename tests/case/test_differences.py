from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from deeplog_nb.case.differences import ROWS, differing
from deeplog_nb.case.report import write_report
from deeplog_nb.detector import Detector
from deeplog_nb.frames import COMPARED, FrameError
from deeplog_nb.workflow.compare import Comparison

USUAL = ("starting up", "reading input", "writing output", "shutting down")
SWAPPED = ("starting up", "writing output", "reading input", "shutting down", "disk on <b>fire</b> \u202e")
Jobs = Callable[..., pl.DataFrame]


@pytest.fixture(scope="module")
def pages(detector: Detector, jobs: Jobs, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The report of a log as usual, and of one in which half of the jobs write before they read, and catch fire."""
    normal, folder = jobs(*[USUAL] * 100), tmp_path_factory.mktemp("report")
    logs = {"usual": jobs(*[USUAL] * 80), "swapped": jobs(*[USUAL] * 40, *[SWAPPED] * 40)}
    found = {}
    for name, lines in logs.items():
        page = write_report(folder / name, detector, lines, detector.judge(lines), normal=normal)
        found[name] = page.read_text("utf-8")
    return found


def section(page: str) -> str:
    return page.partition('id="differs"')[2].partition("</section>")[0]


def test_what_is_no_comparison_is_refused(detector: Detector) -> None:
    """A frame without the columns of COMPARED is named as one."""
    with pytest.raises(FrameError, match="compared: missing columns what"):
        said(detector, rows=pl.DataFrame({"key": [1]}))


def test_the_report_says_what_differs_from_the_normal_log(pages: dict[str, str]) -> None:
    """The turned order with both shares, and the new message, whose text is in the findings."""
    told = section(pages["swapped"])
    assert "other order" in told
    assert "before the other in 0 of 99 sessions, now in 39 of 79" in told  # the last of each the log's end has cut
    assert "new message" in told
    assert 'href="#differs"' in pages["swapped"]


def test_the_report_says_so_where_nothing_differs(pages: dict[str, str]) -> None:
    """A log like the normal one: the section is there, with a sentence and no table."""
    assert "Nothing that chance could not explain" in section(pages["usual"])
    assert "<table" not in section(pages["usual"])


def said(of: Detector, **told: object) -> str:
    """The section where no row was found, or these."""
    given = {"rows": pl.DataFrame(schema=COMPARED), "unit": "session", "sizes": (99, 79), "enough": True}
    return differing(Comparison(**given | {"aspects": ("messages", "order")} | told), of.templates, 200)  # type: ignore[arg-type]


def test_only_what_was_compared_is_called_alike(detector: Detector) -> None:
    """Without waits nothing is claimed of the pace; of too few sessions nothing at all."""
    told = said(detector)
    assert "explain in which messages come and how often and their order." in told
    assert "how long steps take was not compared" in told
    assert "their order and their pace." in said(detector, aspects=("messages", "order", "pace"))
    assert "Nothing" not in said(detector, sizes=(99, 1), enough=False)
    assert "with 1 session of the judged one; too few to tell" in said(detector, sizes=(99, 1), enough=False)


ROW = dict.fromkeys(COMPARED) | {"normal": 0.0, "suspect": 1.0, "score": 0.0, "certain": True, "why": "because"}


def test_a_row_says_if_it_could_be_chance_and_all_is_all(detector: Detector) -> None:
    """A message seen once; 24 of 24 windows; and a pace that is of no key."""
    new = ROW | {"what": "new", "key": 1, "unit": "per window", "certain": False}
    turned = ROW | {"what": "reordered", "key": 1, "before": 2, "unit": "share of windows"}
    pace = ROW | {"what": "slower", "unit": "s"}
    told = said(detector, unit="window", rows=pl.DataFrame([new, turned, pace], schema=COMPARED))
    assert "because; could be chance" in told
    assert "1 per window" in told
    assert "100 %" in told
    assert "from each line to the next" in told
    assert "99 windows of 100 lines of the normal log with 79 windows" in told
    assert "The only difference" in said(detector, rows=pl.DataFrame([pace], schema=COMPARED))


def test_a_report_without_a_normal_log_has_no_such_section(
    detector: Detector, normal: pl.DataFrame, tmp_path: Path
) -> None:
    """Judged by a saved detector, there is nothing to compare with, and no link to it."""
    page = write_report(tmp_path / "report.html", detector, normal, detector.judge(normal)).read_text("utf-8")
    assert 'id="differs"' not in page
    assert '#differs"' not in page


def test_hostile_values_are_escaped_and_long_lists_cut(detector: Detector) -> None:
    """Values of parameters come from the log: no markup, no steering characters; and the first rows only."""
    row = {
        "what": "value",
        "key": 1,
        "name": "<i>",
        "value": "<script>\x1b\u202e" + "x" * 500,
        "normal": 0.0,
        "suspect": 0.5,
    }
    rows = [
        row | {"unit": "share of sessions", "ratio": None, "score": 9.0, "certain": True, "why": "w", "before": None}
    ]
    found = Comparison(pl.DataFrame(rows * 30, schema=COMPARED), "session", (50, 50), ("messages",), enough=True)
    told = differing(found, detector.templates, 2_000)
    assert "<script>" not in told
    assert "&lt;script&gt;\\x1b\\u202e" in told
    assert told.count("<tr>") == ROWS + 1
    assert f"The first {ROWS} of 30 differences" in told
