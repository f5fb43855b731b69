"""Logs to work with: bundled ones (``load_*``) and generated ones (``make_*``), with the truth about them.

It knows nothing of detectors, and the detectors nothing of it.
"""

from __future__ import annotations

from deeplog_nb.data.bgl import make_bgl
from deeplog_nb.data.bundled import Bundled, load_hdfs, load_openstack
from deeplog_nb.data.generated import KINDS, LINE_TRUTH, TRUTH, Generated
from deeplog_nb.data.hdfs import make_hdfs
from deeplog_nb.data.openstack import make_openstack

__all__ = [
    "KINDS",
    "LINE_TRUTH",
    "TRUTH",
    "Bundled",
    "Generated",
    "load_hdfs",
    "load_openstack",
    "make_bgl",
    "make_hdfs",
    "make_openstack",
]
