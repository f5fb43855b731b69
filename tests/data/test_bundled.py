"""The bundled logs are those that the call in their README makes, and the README's figures are true."""

from __future__ import annotations

import gzip
import re

import polars as pl
import pytest

from deeplog_nb.data import KINDS, TRUTH, Bundled, Generated, load_hdfs, load_openstack, make_hdfs, make_openstack

LOADERS = {"openstack": load_openstack, "hdfs": load_hdfs}
both_logs = pytest.mark.parametrize("name", LOADERS)


def readme(bundled: Bundled) -> str:
    return bundled.log.with_name("README.md").read_text()


def called(bundled: Bundled) -> Generated:
    """What the call in the README makes, up to its ``.write``."""
    name, seed, options = re.search(r"(make_\w+)\((\d+), (.*?)\)\.write", readme(bundled)).groups()  # type: ignore[union-attr]
    numbers = {key: int(value) for key, value in re.findall(r"(\w+)=(\d+)", options)}
    return {"make_openstack": make_openstack, "make_hdfs": make_hdfs}[name](int(seed), **numbers)


@both_logs
def test_the_readme_call_makes_the_bundled_log(name: str) -> None:
    """Byte for byte before compression, and the truth equals too."""
    bundled = LOADERS[name]()
    made = called(bundled)
    assert gzip.decompress(bundled.log.read_bytes()).decode() == made.text
    assert pl.read_csv(bundled.truth, schema=TRUTH).equals(made.truth)


@both_logs
def test_the_readme_counts_are_true(name: str) -> None:
    """Lines, background, sessions, unfinished ones, and each kind."""
    made, text = called(LOADERS[name]()), readme(LOADERS[name]())
    counts = made.truth["kind"].value_counts()
    assert f"{made.lines.height:,} lines" in text
    assert f"{made.lines['session'].null_count():,} of them background" in text
    assert f"{made.truth['open'].sum()} " in text
    assert all(f"| `{kind}` | {counts.filter(kind=kind)['count'][0]} |" in text for kind in KINDS)


@both_logs
def test_a_bundled_log_is_small(name: str) -> None:
    """At most 400 kB, so that the package stays light."""
    assert LOADERS[name]().log.stat().st_size <= 400_000
