"""The report's last pages: by which numbers it was judged and whence they come, and what made it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

import polars as pl

from deeplog_nb.case.words import one_in
from deeplog_nb.detector import Detector
from deeplog_nb.models.training import training_device
from deeplog_nb.verdicts.policy import Policy
from deeplog_nb.views.axes import counted
from deeplog_nb.views.page import Html, clip, facts, join, table, tag

TEMPLATES: Final = 200  # shown, the most frequent
FILES: Final = 20  # named in full


def judged_how(detector: Detector, limit: int) -> Html:
    """Rules and bounds in words, the model, the cut into sessions, and the templates."""
    rules = tag("ul", *(tag("li", rule) for rule in _rules(detector.policy, counts=detector.counts is not None)))
    settings = detector.keys.settings
    model = f"an LSTM (a network that reads sequences) that looks {settings.history} lines back; {detector.keys!r}"
    told = facts(
        (
            ("Where the bounds come from", clip(_source(detector.policy), limit)),
            ("Model", clip(model, limit)),
            ("Model of values and times", clip(f"a small LSTM for each kind of message; {detector.values!r}", limit)),
            ("How lines form sessions", tag("code", clip(detector.cut, limit))),
        )
    )
    return tag("section", tag("h2", "How it was judged"), rules, told, _templates(detector, limit), id="judged")


def made_with(detector: Detector, lines: pl.DataFrame, verdicts: pl.DataFrame, limit: int) -> Html:
    """The footer: versions, device, digest and time, so that the run can be made again."""
    import torch

    from deeplog_nb import __version__

    files = verdicts["file"].drop_nulls().unique(maintain_order=True).cast(pl.String).to_list()
    more = f" and {len(files) - FILES} more" if len(files) > FILES else ""
    device = training_device(detector.keys.network)
    pairs = (
        ("Made", f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"),
        ("With", f"deeplog_nb {__version__}, torch {torch.__version__}, polars {pl.__version__}, on {device}"),
        ("Lines given", f"{len(lines):,}, of which {lines['matched'].not_().sum():,} do not fit the layout"),
        ("Files", join([join((tag("code", clip(f, min(limit, 300))) for f in files[:FILES]), ", "), more])),
        ("Templates’ digest", tag("code", detector.templates.digest)),
    )
    note = "This file holds text of the log. It runs no script and loads nothing."
    return tag("footer", tag("h2", "Provenance"), facts(pairs), tag("p", note))


def _rules(policy: Policy, *, counts: bool) -> Iterator[str]:
    yield "Never seen: the message fits no template, or one that no session had in training."
    if policy.probability is not None:
        yield (
            "Unlikely: after the lines before it, the model gave the message a probability below "
            f"{policy.probability:.2g} ({one_in(policy.probability)})."
        )
    if policy.g is not None:
        yield f"Unlikely: the message was not among the {policy.g} that the model held most probable there."
    if policy.ending is not None:
        yield (
            "Ended early: the session ended where the model gave an end a probability below "
            f"{policy.ending:.2g} ({one_in(policy.ending)}). Sessions that may go on after the log are exempt."
        )
    if counts:
        yield (
            "Wrong count: a message came so often in the session, or so seldom, as it never did in training beside the "
            "others that came; only messages whose count follows from the others' are checked."
        )
    yield (
        "Odd time or value: the wait before a message, or a number in it, was farther from what the value model "
        f"expected than in {one_in(1 - policy.confidence)} normal messages; or a text that takes few values took a "
        "new one. Only messages that no rule above has flagged are judged so."
    )
    if policy.longer_than is not None:
        yield f"Too short: the session has no more than {counted(policy.longer_than, 'line')}."


def _source(policy: Policy) -> str:
    if policy.source.startswith("held-out normal"):
        return (
            f"{policy.source}. No weight was learnt from these; they said when to stop the training, and set "
            "the bounds. The rate is the share of them that each bound may flag wrongly."
        )
    return policy.source


def _templates(detector: Detector, limit: int) -> Html:
    known = detector.templates.frame.sort("count", descending=True, maintain_order=True)
    shown = f", the {TEMPLATES} most frequent shown" if len(known) > TEMPLATES else ""
    rows = known.head(TEMPLATES).select("key", "count", "template").rows()
    listed = table(
        ("Number", "Seen", "Template"),
        ((key, f"{count:,}", tag("code", clip(text, min(limit, 300)))) for key, count, text in rows),
        numeric=("Number", "Seen"),
    )
    lead = "A template is what messages of one kind share; <*> stands for the part that varies."
    summary = tag("summary", f"{counted(len(known), 'template')} learnt from the training lines{shown}")
    return tag("details", summary, tag("p", lead, class_="lead"), listed)
