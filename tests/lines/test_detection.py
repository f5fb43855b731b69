"""Logs are told by their lines; what is no log that we know is bare text."""

from __future__ import annotations

import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from deeplog_nb.lines.detection import detect
from deeplog_nb.lines.layouts import layouts
from deeplog_nb.lines.read import detect_layout

TRACE = [
    "java.io.IOException: reset",
    "\tat a.B.c(B.java:7)",
    "\tat d.E.f(E.java:8)",
    "Caused by: x.Y: z",
    "\t... 7 more",
]
HADOOP = "2026-03-02 10:15:00,978 INFO [main] org.apache.hadoop.A: said"
NO_LOG = {
    "numbers": ["time,cpu,memory", *(f"2026-03-0{day},{day * 7},{day}.5" for day in range(1, 9))],
    "code": ["import os", "", "def run():", "    log.info('2026-03-02 10:15:00 started')", "    return os.getpid()"],
    "prose": ["On 2 March 2026, at 10:15, the shop opened.", "Error: there was none.", "Mar 2 was a Monday."],
    "mail": [
        "From ana Mon Mar  2 10:15:00 2026",
        "Date: Mon, 2 Mar 2026 10:15:00 +0100",
        "Subject: [shop] INFO: x",
        "",
        "Hi,",
    ],
    "words": ["gate", "kernel", "INFO", "lorem ipsum", "dolor"],
    "page": ["<html>", "  <body>", "    <p>2026-03-02 10:15:00 INFO x: y</p>", "  </body>", "</html>"],
    "trace": TRACE * 4,
    "yaml": ["time: 2026-03-02", "level: info", "items:", "  - id: 7", "    name: cart", "  - id: 8"],
    "toml": ['title = "x"', "[a.b]", "time = 2026-03-02T10:15:00Z"],
    "json": ['{"a": 1,', '  "message": "x",', '  "time": "2026-03-02"', "}"],
    "diff": ["--- a/x", "+++ b/x", "@@ -1,2 +1,2 @@", "-2026-03-02 10:15:00 a", "+2026-03-02 10:15:01 a"],
    "binary": ["\x00\x01\x02", "\ufffd\ufffd", "PK\x03\x04"],
    "nothing": [],
}
REAL = {
    "hdfs/raw_sample.log.gz": "hdfs",
    "openstack/raw_abnormal_instances.log.gz": "openstack",
    "openstack_kalaki/nova_sample.log.gz": "oslo_untimed",
    "bgl/bgl_lines_000001_060000.log.gz": "bgl",
    "linux/Linux.log.gz": "syslog",
} | {
    f"loghub_2k/{system}/{system}_2k.log": layout
    for system, layout in (
        ("Apache", "apache_error"),
        ("BGL", "bgl"),
        ("HDFS", "hdfs"),
        ("Hadoop", "hadoop"),
        ("Linux", "syslog"),
        ("OpenSSH", "syslog"),
        ("OpenStack", "openstack"),
        ("Spark", "spark"),
        ("Thunderbird", "thunderbird"),
        ("Zookeeper", "zookeeper"),
    )
}


@pytest.mark.parametrize("lines", NO_LOG.values(), ids=NO_LOG)
def test_what_is_no_log_is_bare_text(lines: list[str]) -> None:
    """Tables, programs, letters and pages hold dates and levels too."""
    assert detect(lines).layout.name == "text"


def test_every_sample_alone_is_told_as_its_own_layout() -> None:
    """No line that a layout gives is claimed by another, even when it is the only one."""
    found = {(own.name, detect([line]).layout.name) for own in layouts().values() for line in own.samples}
    assert {pair for pair in found if pair[0] != pair[1]} == set()


def test_stack_traces_do_not_count_against_a_layout() -> None:
    """Five lines of a trace to each record are a Hadoop log all the same, and are said not to be odd ones."""
    found = detect([HADOOP, *TRACE] * 10)
    assert (found.layout.name, found.share) == ("hadoop", 1.0)


def test_a_trace_without_a_record_above_counts() -> None:
    """One record at the end of a long trace is not enough to tell a log by."""
    assert detect([*TRACE * 4, HADOOP]).layout.name == "text"


def test_the_runner_up_is_shown() -> None:
    """So that people see how near it was."""
    found = detect([HADOOP] * 9 + ["2026-03-02 10:15:00 started"])
    assert (found.layout.name, found.second) == ("hadoop", ("iso", 1.0))
    assert "next best iso: fits 100%" in str(found)


ODD = {
    "oslo": "2026-03-02 10:15:00.350 2931 ERROR oslo.server started without brackets",
    "haproxy": "Mar  2 10:15:00 lb1 haproxy[14389]: Server static/srv1 is DOWN.",
    "docker": '{"msg": "no such stream"}',
}


@pytest.mark.parametrize(("name", "odd"), ODD.items(), ids=ODD)
def test_one_odd_line_does_not_make_a_log_generic(name: str, odd: str) -> None:
    """A layout that fits nearly any log is told only where no other one is sure."""
    lines = list(layouts()[name].samples) * 5
    assert detect([*lines, odd]).layout.name == detect([*lines, odd], guess=layouts()["iso"]).layout.name == name


@pytest.mark.parametrize(("name", "layout"), REAL.items(), ids=REAL)
def test_real_logs_are_told(data: Callable[[str], Path], name: str, layout: str) -> None:
    """Every shared log, by its first lines."""
    assert detect_layout(data(name)).layout.name == layout


def test_every_log_of_the_hadoop_archive_is_told(data: Callable[[str], Path]) -> None:
    """All the containers, some of them mostly stack traces."""
    with tarfile.open(data("hadoop/hadoop_pagerank_logs.tar.gz")) as archive:
        logs = [archive.extractfile(member) for member in archive if member.name.endswith(".log")]
        told = [detect(log.read().decode().splitlines()[:400]).layout.name for log in logs[::10] if log]
    assert set(told) == {"hadoop"}


@pytest.mark.parametrize("guess", ["log4j", "iso", "syslog", "text"])
def test_a_guess_changes_nothing_but_the_time(guess: str) -> None:
    """Whatever the file before was told as, every sample is told as its own layout."""
    for layout in layouts().values():
        assert detect(list(layout.samples), guess=layouts()[guess]).layout == detect(list(layout.samples)).layout


FEW = {
    "windows_events": [
        "Level,Date and Time,Source,Event ID,Task Category",
        layouts()["windows_events"].samples[1],
        "id 7",
    ],
    "cisco_asa": [*layouts()["cisco_asa"].samples, layouts()["cisco_ios"].samples[0]],
    "snort": [*layouts()["snort"].samples, layouts()["suricata"].samples[0]],
}


@pytest.mark.parametrize(("name", "lines"), FEW.items(), ids=FEW)
def test_a_few_lines_of_several_kinds_are_told(name: str, lines: list[str]) -> None:
    """A heading does not count, and variants of a layout count together."""
    assert detect(lines).layout.name == name
