"""The command line: arranges the library's calls, prints what they found. It computes nothing itself."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import polars as pl

from deeplog_nb.case.facts import line_counts, read_fact, sessions_fact
from deeplog_nb.case.watch import add_options as add_watch_options
from deeplog_nb.evaluation.command import add_options
from deeplog_nb.frames import DeepLogError, InputError

SHOWN: Final = 20  # findings printed; the report holds more


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 = done (anomalies or not), 2 = bad input, said in one sentence, 130 = Ctrl-C."""
    wanted = _parser().parse_args(arguments)
    try:
        wanted.run(wanted)
    except DeepLogError as error:
        return _refuse(str(error))
    except KeyboardInterrupt:
        return 130  # what shells call an end by Ctrl-C
    except BrokenPipeError:  # whoever read what we print has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        return _refuse(f"{error.filename}: {(error.strerror or str(error)).lower()}")
    return 0


def _refuse(sentence: str) -> int:
    from deeplog_nb.views.text import visible

    print(f"deeplog-nb: {visible(sentence)}", file=sys.stderr)
    return 2


def report(wanted: argparse.Namespace) -> None:
    """Judge a log, write report.html and verdicts.parquet, print the alarms by pattern."""
    began = time.perf_counter()
    from deeplog_nb.case.report import findings, write_report
    from deeplog_nb.views.text import visible

    if wanted.model and (wanted.normal or wanted.session or wanted.gap or wanted.count):
        raise InputError(
            "--model brings its own normal part and sessions; leave --normal, --session, --gap, --count out"
        )
    out = Path(wanted.out)
    _refuse_to_overwrite(
        [*wanted.suspect, *(wanted.normal or [])], [out / "report.html", out / "verdicts.parquet", wanted.save_model]
    )
    run = _judge(wanted)
    page = write_report(out / "report.html", run.detector, run.lines, run.verdicts, about=run.about, normal=run.normal)
    run.verdicts.write_parquet(out / "verdicts.parquet")
    seconds = time.perf_counter() - began
    if wanted.json:
        print(json.dumps(_as_json(run, page, seconds)))
        return
    for name, fact in run.about.items():
        print(f"{name:<12} {visible(fact)}")
    _print_findings(findings(run.detector, run.lines, run.verdicts, most=SHOWN), run)
    print(f"\n{page} and {out / 'verdicts.parquet'} written after {seconds:.1f} s")


def parse(wanted: argparse.Namespace) -> None:
    """Read a log and mine its templates; write events and templates where asked to."""
    from deeplog_nb.disk import replacing
    from deeplog_nb.events.spell import Spell
    from deeplog_nb.events.templates import Templates
    from deeplog_nb.lines.files import find_files
    from deeplog_nb.lines.read import detect_layout, fitting, scan
    from deeplog_nb.views.text import visible

    began = time.perf_counter()
    files = find_files(wanted.paths)
    _refuse_to_overwrite(wanted.paths, [wanted.out, wanted.templates])
    layout = detect_layout(wanted.paths).layout.name if wanted.layout == "auto" else wanted.layout
    lines = scan(wanted.paths, layout=wanted.layout)  # lazily: a log of any size
    counts = line_counts(lines)
    if not counts["matched"]:
        fitting(lines.head(1000).collect(), layout)
    known = Path(wanted.templates) if wanted.templates else None
    templates = Templates.load(known).extend(lines) if known and known.exists() else Spell().fit(lines)
    if wanted.out:
        with replacing(Path(wanted.out)) as part:
            templates.parse(lines).sink_parquet(part)
    if known:
        templates.save(known)
    seconds = round(time.perf_counter() - began, 3)
    size = sum(path.stat().st_size for path in {file.path for file in files})
    if wanted.json:
        physical = {name: counts[name] for name in ("lines", "matched", "unmatched", "folded")}
        found = {"files": len(files), "bytes": size, **physical, "layout": layout, "keys": len(templates)}
        print(json.dumps(found | {"seconds": seconds}))
        return
    print(visible(read_fact(counts, wanted.paths, wanted.layout)))
    with pl.Config(tbl_rows=50, fmt_str_lengths=100, tbl_hide_column_data_types=True, tbl_hide_dataframe_shape=True):
        print(_shown(templates.frame.select("key", "count", "template")))


def evaluate(wanted: argparse.Namespace) -> None:
    """Judge a public log by every method, and print one table with what is true of it."""
    from deeplog_nb.evaluation.command import texts

    for text in texts(wanted, progress=lambda said: print(said, file=sys.stderr)):
        print(text)


def watch(wanted: argparse.Namespace) -> None:
    """Judge a log as it grows, print alarms as they come and keep them in a case, until Ctrl-C."""
    from deeplog_nb.case.watch import texts

    for text in texts(wanted, note=lambda said: print(said, file=sys.stderr, flush=True)):
        print(text, flush=True)


def _refuse_to_overwrite(sources: Sequence[str], outputs: Sequence[str | Path | None]) -> None:
    """An error where what we would write is what we are to read."""
    from deeplog_nb.lines.files import find_files

    read = {source.path.resolve() for source in find_files(sources)} if sources else set()
    for output in outputs:
        if output and Path(output).resolve() in read:
            raise InputError(f"{output}: is one of the logs to read; write to another path")


def doctor(_: argparse.Namespace) -> None:
    """Versions, device, and what is missing."""
    import torch

    from deeplog_nb import __version__
    from deeplog_nb.models.training import pick_device

    print(f"deeplog_nb {__version__} on Python {platform.python_version()}, {platform.platform()}")
    for name, found in _installed().items():
        print(f"  {name:<20} {found or 'missing: pip install ' + name}")
    device = pick_device("auto")
    which = torch.cuda.get_device_name() if device.type == "cuda" else f"{torch.get_num_threads()} threads"
    print(f"  models run on {device.type} ({which})")


@dataclass(frozen=True)
class Run:
    """A judged log: what it was judged by, and the facts that head the report."""

    detector: Any
    lines: pl.DataFrame
    verdicts: pl.DataFrame
    about: dict[str, str]
    normal: pl.DataFrame | None  # what the detector was fitted on, unless it was loaded


def _judge(wanted: argparse.Namespace) -> Run:
    from deeplog_nb.data import load_openstack
    from deeplog_nb.lines.read import fitting, read
    from deeplog_nb.sessions.halves import first_half, second_half

    paths = wanted.suspect or [load_openstack().log]
    lines = fitting(read(paths, layout=wanted.layout), wanted.layout)
    about = {"Read": read_fact(line_counts(lines), paths, wanted.layout)}
    half = None if wanted.model or wanted.normal else first_half(lines)
    detector, normal = _detector(wanted, half, about)
    verdicts = detector.judge(lines)
    if half is not None:
        verdicts = second_half(verdicts, half, whole_sessions=not detector.cut.whole_files)
    if wanted.save_model:
        detector.save(wanted.save_model)
    about["Sessions"] = sessions_fact(detector, verdicts)
    return Run(detector, lines, verdicts, about, normal)


def _detector(
    wanted: argparse.Namespace, half: pl.DataFrame | None, about: dict[str, str]
) -> tuple[Any, pl.DataFrame | None]:
    """The detector to judge with, and what it is fitted on: the normal log, or half of this one; None if saved."""
    from deeplog_nb.detector import Detector, load
    from deeplog_nb.lines.read import fitting, read
    from deeplog_nb.sessions.halves import has_times
    from deeplog_nb.views.progress import Progress

    if wanted.model:
        about["Trained on"] = f"nothing now: the saved detector in {wanted.model}"
        return load(wanted.model), None
    if half is None:
        normal = fitting(read(wanted.normal, layout=wanted.layout), wanted.layout)
        about["Trained on"] = read_fact(line_counts(normal), wanted.normal, wanted.layout)
    else:
        normal, by = half, "time" if has_times(half) else "lines, for they state no time"
        about["Trained on"] = (
            f"the first half of the log by {by} ({len(half):,} lines), taken as normal; the rest is judged"
        )
    with Progress("training") as progress:
        fitted = Detector.fit(
            normal, by=wanted.session or "auto", gap=wanted.gap, count=wanted.count, progress=progress
        )
    return fitted, normal


def _print_findings(found: Sequence[Any], run: Run) -> None:
    from deeplog_nb.case.words import headline
    from deeplog_nb.views.text import visible

    print(f"\n{headline(run.detector, run.verdicts)}" + (" Worst pattern first:" if found else ""))
    for number, each in enumerate(found, 1):
        where = f"session {each.session}" if each.session else "in no session"
        often = f"{each.sessions:,} alike, the worst" if each.sessions > 1 else "once"
        print(f"\n{number:>3}. {visible(each.title, 300)}")
        print(f"     {often}: {visible(f'{each.file}:{each.line}')} · {visible(where, 80)}")
        if each.why not in each.title:
            print(f"     {visible(each.why, 300)}")
        for row in each.context:
            print(f"     {'▶' if row.is_alarm else ' '} {row.line:>7}  {visible(row.message, 160)}")


def _as_json(run: Run, page: Path, seconds: float) -> dict[str, object]:
    from deeplog_nb.verdicts.patterns import alarms

    rows = alarms(run.verdicts).select("session", pl.col("file").cast(pl.String), "line", "why", "score").to_dicts()
    sessions = run.verdicts["session"].drop_nulls().n_unique()
    return {
        "report": str(page),
        "lines": line_counts(run.lines)["lines"],
        "sessions": sessions,
        "anomalous": rows,
        "seconds": round(seconds, 3),
    }


def _shown(frame: pl.DataFrame) -> pl.DataFrame:
    from deeplog_nb.views.text import visible_expr

    return frame.with_columns(
        visible_expr(name).alias(name) for name, kind in frame.schema.items() if kind == pl.String
    )


def _installed() -> dict[str, str | None]:
    from importlib.metadata import PackageNotFoundError, version

    found: dict[str, str | None] = {}
    for name in ("torch", "polars", "altair", "vl-convert-python", "pyvis", "ipywidgets", "jupyterlab", "safetensors"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = None
    return found


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="deeplog-nb", description="Which lines of this log are wrong, and why.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    judged = commands.add_parser("report", help="judge a log and write a report", description=report.__doc__)
    judged.add_argument("suspect", nargs="*", metavar="SUSPECT", help="files, globs, folders; none: the bundled log")
    judged.add_argument("--normal", nargs="+", metavar="PATH", help="train on these; else on the first half of SUSPECT")
    judged.add_argument("--session", metavar="COLUMN|REGEX", help="its id: a column, or a pattern with a group")
    judged.add_argument("--gap", help="end a session after so long a silence, such as 10m")
    judged.add_argument("--count", type=int, help="cut each file into windows of so many lines")
    judged.add_argument("--model", metavar="DIR", help="judge with the detector saved here")
    judged.add_argument("--save-model", metavar="DIR", help="save the detector here")
    judged.add_argument("--out", default="report", metavar="DIR", help="where the report goes (default: report)")
    judged.set_defaults(run=report)
    parsed = commands.add_parser("parse", help="read a log and mine its templates", description=parse.__doc__)
    parsed.add_argument("paths", nargs="+", metavar="PATH")
    parsed.add_argument("--out", metavar="EVENTS.parquet", help="write the events here")
    parsed.add_argument("--templates", metavar="T.json", help="keep the templates here; those that are there, extend")
    parsed.set_defaults(run=parse)
    measured = commands.add_parser(
        "evaluate", help="measure every method on a public log", description=evaluate.__doc__
    )
    measured.set_defaults(run=evaluate)
    add_options(measured)
    watched = commands.add_parser("watch", help="judge a log as it grows", description=watch.__doc__)
    watched.set_defaults(run=watch)
    add_watch_options(watched)
    for command in (judged, parsed, watched):
        command.add_argument(
            "--layout",
            default="auto",
            help="what the lines look like: a name, or a TOML file of yours (default: told from the first lines)",
        )
    for command in (judged, parsed, measured):
        command.add_argument("--json", action="store_true", help="print one JSON object")
    commands.add_parser("doctor", help=doctor.__doc__, description=doctor.__doc__).set_defaults(run=doctor)
    return parser


if __name__ == "__main__":
    sys.exit(main())
