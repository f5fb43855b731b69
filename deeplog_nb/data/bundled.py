"""Finds the two generated logs that come with the package, each with its truth.

It reads neither: ``deeplog_nb.lines`` does. How they were made stands in the README beside each.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from deeplog_nb.resources import shipped


@dataclass(frozen=True, slots=True)
class Bundled:
    """Where a bundled log and its truth lie."""

    log: Path
    truth: Path


def load_openstack() -> Bundled:
    """The life of 360 virtual machines, 24 of them planted with anomalies.

    >>> load_openstack().log.name
    'openstack.log.gz'
    """
    return _bundled("openstack")


def load_hdfs() -> Bundled:
    """The life of 600 blocks, 32 of them planted with anomalies.

    >>> load_hdfs().truth.name
    'truth.csv'
    """
    return _bundled("hdfs")


def _bundled(name: str) -> Bundled:
    return Bundled(shipped("datasets", name, f"{name}.log.gz"), shipped("datasets", name, "truth.csv"))
