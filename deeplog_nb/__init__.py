"""DeepLog (Du, Li, Zheng, Srikumar, CCS 2017), whole, in a notebook: the map of public names.

Names are loaded when they are first used, so that ``import deeplog_nb`` costs little more than polars.

    >>> import deeplog_nb as dl
    >>> lines = dl.read(dl.load_openstack().log)
"""

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from deeplog_nb.baselines.distance import CountDistance
    from deeplog_nb.baselines.invariants import Invariants
    from deeplog_nb.baselines.ngrams import NGramTopG
    from deeplog_nb.baselines.pca import PrincipalComponents
    from deeplog_nb.baselines.rules import Bigrams, SessionLength, UnseenKey
    from deeplog_nb.baselines.tfidf import TfidfLSTM
    from deeplog_nb.case.case import Case
    from deeplog_nb.case.report import write_report
    from deeplog_nb.case.tail import Tail, tail
    from deeplog_nb.controls.live import Panel, live
    from deeplog_nb.data import Bundled, Generated, load_hdfs, load_openstack, make_bgl, make_hdfs, make_openstack
    from deeplog_nb.detector import Detector, load
    from deeplog_nb.events.edit import Edit
    from deeplog_nb.events.spell import Spell
    from deeplog_nb.events.structured import Structured, from_structured
    from deeplog_nb.events.templates import Templates
    from deeplog_nb.events.unseen import Unseen
    from deeplog_nb.frames import DeepLogError, FrameError, InputError, ModelError
    from deeplog_nb.lines.detection import Detection
    from deeplog_nb.lines.follow import Follower, Gap
    from deeplog_nb.lines.layouts import Layout, layouts
    from deeplog_nb.lines.limits import Limits
    from deeplog_nb.lines.read import detect_layout, read, scan
    from deeplog_nb.models.counts import CountModel
    from deeplog_nb.models.folds import rank_left_out
    from deeplog_nb.models.keys import KeyModel
    from deeplog_nb.models.ngram import NGram
    from deeplog_nb.models.teaching import Teaching
    from deeplog_nb.models.training import Training
    from deeplog_nb.models.update import Update
    from deeplog_nb.models.values import ValueModel
    from deeplog_nb.models.zscore import ZScore
    from deeplog_nb.sessions.cut import Cut
    from deeplog_nb.sessions.flat import Flat, from_keys
    from deeplog_nb.sessions.halves import first_half, second_half
    from deeplog_nb.sessions.holdout import holdout
    from deeplog_nb.sessions.mutants import Mutants, mutants
    from deeplog_nb.sessions.parameters import parameters, retype
    from deeplog_nb.sessions.sessionize import sessionize
    from deeplog_nb.sessions.suggest import suggest_sessions
    from deeplog_nb.stream.stream import Stream
    from deeplog_nb.verdicts.calibrate import calibrate
    from deeplog_nb.verdicts.coverage import coverage
    from deeplog_nb.verdicts.curve import score_curve
    from deeplog_nb.verdicts.deeplog import DeepLog, Setting
    from deeplog_nb.verdicts.evaluate import evaluate
    from deeplog_nb.verdicts.judge import judge
    from deeplog_nb.verdicts.patterns import alarms, patterns
    from deeplog_nb.verdicts.policy import Policy
    from deeplog_nb.verdicts.power import detection_power
    from deeplog_nb.verdicts.suitability import Suitability, suitability
    from deeplog_nb.verdicts.units import session_units
    from deeplog_nb.verdicts.value_metrics import false_alarms, judge_values, value_metrics
    from deeplog_nb.views.charts import rank_cdf
    from deeplog_nb.views.display import Picture
    from deeplog_nb.views.errors import error_series, value_series
    from deeplog_nb.views.feedback import feedback_curve
    from deeplog_nb.views.figure import Graph
    from deeplog_nb.views.graph import graph
    from deeplog_nb.views.progress import Progress
    from deeplog_nb.workflow.compare import compare
    from deeplog_nb.workflow.workflow import Workflow

_HOMES = {
    "baselines.distance": ("CountDistance",),
    "baselines.invariants": ("Invariants",),
    "baselines.ngrams": ("NGramTopG",),
    "baselines.pca": ("PrincipalComponents",),
    "baselines.rules": ("Bigrams", "SessionLength", "UnseenKey"),
    "baselines.tfidf": ("TfidfLSTM",),
    "case.case": ("Case",),
    "case.report": ("write_report",),
    "case.tail": ("Tail", "tail"),
    "controls.live": ("Panel", "live"),
    "data": ("Bundled", "Generated", "load_hdfs", "load_openstack", "make_bgl", "make_hdfs", "make_openstack"),
    "detector": ("Detector", "load"),
    "events.edit": ("Edit",),
    "events.spell": ("Spell",),
    "events.structured": ("Structured", "from_structured"),
    "events.templates": ("Templates",),
    "events.unseen": ("Unseen",),
    "frames": ("DeepLogError", "FrameError", "InputError", "ModelError"),
    "lines.detection": ("Detection",),
    "lines.follow": ("Follower", "Gap"),
    "lines.layouts": ("Layout", "layouts"),
    "lines.limits": ("Limits",),
    "lines.read": ("detect_layout", "read", "scan"),
    "models.counts": ("CountModel",),
    "models.folds": ("rank_left_out",),
    "models.keys": ("KeyModel",),
    "models.ngram": ("NGram",),
    "models.teaching": ("Teaching",),
    "models.training": ("Training",),
    "models.update": ("Update",),
    "models.values": ("ValueModel",),
    "models.zscore": ("ZScore",),
    "sessions.cut": ("Cut",),
    "sessions.flat": ("Flat", "from_keys"),
    "sessions.halves": ("first_half", "second_half"),
    "sessions.holdout": ("holdout",),
    "sessions.mutants": ("Mutants", "mutants"),
    "sessions.parameters": ("parameters", "retype"),
    "sessions.sessionize": ("sessionize",),
    "sessions.suggest": ("suggest_sessions",),
    "stream.stream": ("Stream",),
    "verdicts.calibrate": ("calibrate",),
    "verdicts.coverage": ("coverage",),
    "verdicts.curve": ("score_curve",),
    "verdicts.deeplog": ("DeepLog", "Setting"),
    "verdicts.evaluate": ("evaluate",),
    "verdicts.judge": ("judge",),
    "verdicts.patterns": ("alarms", "patterns"),
    "verdicts.policy": ("Policy",),
    "verdicts.power": ("detection_power",),
    "verdicts.suitability": ("Suitability", "suitability"),
    "verdicts.units": ("session_units",),
    "verdicts.value_metrics": ("false_alarms", "judge_values", "value_metrics"),
    "views.charts": ("rank_cdf",),
    "views.display": ("Picture",),
    "views.errors": ("error_series", "value_series"),
    "views.feedback": ("feedback_curve",),
    "views.figure": ("Graph",),
    "views.graph": ("graph",),
    "views.progress": ("Progress",),
    "workflow.compare": ("compare",),
    "workflow.workflow": ("Workflow",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "Bigrams",
    "Bundled",
    "Case",
    "CountDistance",
    "CountModel",
    "Cut",
    "DeepLog",
    "DeepLogError",
    "Detection",
    "Detector",
    "Edit",
    "Flat",
    "Follower",
    "FrameError",
    "Gap",
    "Generated",
    "Graph",
    "InputError",
    "Invariants",
    "KeyModel",
    "Layout",
    "Limits",
    "ModelError",
    "Mutants",
    "NGram",
    "NGramTopG",
    "Panel",
    "Picture",
    "Policy",
    "PrincipalComponents",
    "Progress",
    "SessionLength",
    "Setting",
    "Spell",
    "Stream",
    "Structured",
    "Suitability",
    "Tail",
    "Teaching",
    "Templates",
    "TfidfLSTM",
    "Training",
    "Unseen",
    "UnseenKey",
    "Update",
    "ValueModel",
    "Workflow",
    "ZScore",
    "alarms",
    "calibrate",
    "compare",
    "coverage",
    "detect_layout",
    "detection_power",
    "error_series",
    "evaluate",
    "false_alarms",
    "feedback_curve",
    "first_half",
    "from_keys",
    "from_structured",
    "graph",
    "holdout",
    "judge",
    "judge_values",
    "layouts",
    "live",
    "load",
    "load_hdfs",
    "load_openstack",
    "make_bgl",
    "make_hdfs",
    "make_openstack",
    "mutants",
    "parameters",
    "patterns",
    "rank_cdf",
    "rank_left_out",
    "read",
    "retype",
    "scan",
    "score_curve",
    "second_half",
    "session_units",
    "sessionize",
    "suggest_sessions",
    "suitability",
    "tail",
    "value_metrics",
    "value_series",
    "write_report",
]

try:
    __version__ = version("deeplog_nb")
except PackageNotFoundError:  # run from a checkout that is not installed
    __version__ = "0"


def __getattr__(name: str) -> object:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'deeplog_nb' has no attribute {name!r}")
    return getattr(import_module(f"deeplog_nb.{_HOME_OF[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
