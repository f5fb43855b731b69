"""Templates, models and policy as one thing that lives on disk: train once, use tomorrow."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from deeplog_nb.disk import write_whole
from deeplog_nb.events.spell import Spell
from deeplog_nb.events.templates import Templates
from deeplog_nb.frames import ERRORS, RANKS, FrameError, InputError, ModelError, check
from deeplog_nb.lines.layouts import layouts
from deeplog_nb.models.counts import CountModel
from deeplog_nb.models.keys import KeyModel
from deeplog_nb.models.training import Step
from deeplog_nb.models.update import Update
from deeplog_nb.models.values import ValueModel
from deeplog_nb.sessions.cut import Cut
from deeplog_nb.sessions.holdout import holdout
from deeplog_nb.sessions.sessionize import sessionize, without_session
from deeplog_nb.verdicts.allowing import with_shape
from deeplog_nb.verdicts.answers import Answers, answer, compared, entries, labels_of, told_of
from deeplog_nb.verdicts.calibrate import calibrate
from deeplog_nb.verdicts.judge import judge
from deeplog_nb.verdicts.learner import Learner
from deeplog_nb.verdicts.policy import Policy
from deeplog_nb.views.naming import with_names

if TYPE_CHECKING:
    from deeplog_nb.stream.stream import Stream

FORMAT: Final = 4
COUNTS: Final = "counts.json"  # beside the others where sessions have an id
PARTS: Final = ("templates.json", "keys.json", "values.json", "held_out.parquet", "held_errors.parquet")
LEAST: Final = 200  # training entries; with fewer there is nothing to learn an order from
WINDOW: Final = 100  # entries that count as a session where the log has none
FEW: Final = 10  # held-out sessions under which bounds are set by windows of entries instead
AUTO: Final = 0.2  # share of the lines that must name an id before we take a layout's id for the log's


@dataclass(frozen=True)
class Detector:
    """Fitted templates, both models and policy, and the cut into sessions that they were fitted with."""

    templates: Templates
    keys: KeyModel
    values: ValueModel
    counts: CountModel | None  # of sessions with an id: how often each key may come in one
    policy: Policy
    cut: Cut
    held_out: pl.DataFrame  # RANKS of the held-out normal sessions that the policy comes from
    held_errors: pl.DataFrame  # and their ERRORS
    allowed: tuple[str, ...] = ()  # patterns of alarms that a person said are normal
    learnt: tuple[str, ...] = ()  # which answers the models have learnt
    until: Mapping[str, datetime] = field(default_factory=dict)  # when what is allowed expires, UTC; the rest never

    @classmethod
    def fit(
        cls,
        lines: pl.DataFrame,
        *,
        by: str | None = "auto",
        gap: str | None = None,
        count: int | None = None,
        share: float = 0.2,
        rate: float = 2e-3,
        keys: KeyModel | None = None,
        values: ValueModel | None = None,
        spell: Spell | None = None,
        progress: Callable[[Step], None] | None = None,
    ) -> Detector:
        """Learn what is normal from normal LINES.

        ``by``, ``gap`` and ``count`` are those of :func:`sessionize`; ``by="auto"`` takes the id that the log's
        layout is known for, if its lines name it. ``share`` of the sessions, the latest, is held out to stop the
        training and to set the bounds, so that ``rate`` of normal sessions would be flagged by each of them.
        ``keys`` and ``values`` are models whose settings to take; they are not touched. Without an id, gap or count,
        a file's beginning and end are not judged, nor are the waits between its lines.
        """
        check(lines, {"message": pl.String()}, "lines")
        if by == "auto":
            by = None if gap or count else _session_id(lines)
        cut = Cut(by, gap, count)
        templates = (spell or Spell()).fit(lines)
        sessions = sessionize(templates.parse(lines), **asdict(cut))
        if len(sessions) < LEAST:
            raise InputError(
                f"only {len(sessions)} normal entries to train on; {LEAST} are needed; name a longer normal log"
            )
        train, valid = holdout(sessions, share, by="entries" if cut.whole_files else "time")
        fresh = keys.unfitted() if keys else KeyModel(start=not cut.whole_files, end=not cut.whole_files)
        model = fresh.fit(train, valid, progress=progress)
        odd = (values.unfitted() if values else ValueModel(elapsed=not cut.whole_files)).fit(
            train, valid, templates=templates
        )
        counts = CountModel(rate=rate).fit(sessions) if cut.by else None
        held_out, held_errors = model.rank(valid), odd.errors(valid)
        if cut.whole_files or held_out["session"].n_unique() < FEW:  # too few to count alarms by
            parts = _in_windows(held_out), _in_windows(held_errors)
            policy = calibrate(*parts, rate=rate, unit=f"windows of {WINDOW} lines")
        else:
            policy = calibrate(held_out, held_errors, rate=rate)
        return cls(templates, model, odd.at(confidence=policy.confidence), counts, policy, cut, held_out, held_errors)

    def judge(self, lines: pl.DataFrame) -> pl.DataFrame:
        """VERDICTS of these LINES. A line that is in no session is judged too, for being unseen.

        ``shape`` is the masked text of a message that fits no template, which has no other name; ``pattern`` and
        ``session_pattern`` are what a person's answer is about (see ``verdicts.allowing``), ``allowed`` whether one
        said that this alarm is normal; ``model`` is the digest of the templates that the keys are of.
        """
        events = self.templates.parse(check(lines, {"file": pl.Categorical(), "line": pl.UInt64()}, "lines"))
        alone = without_session(events, self.cut.by)
        ranks, errors, counted = self._loose(alone), pl.DataFrame(schema=ERRORS), None
        if len(alone) < len(events):
            sessions = sessionize(events, **asdict(self.cut))
            ordered, errors = self.keys.rank(sessions), self.values.errors(sessions)
            counted = self.counts.check(sessions) if self.counts else None
            ranks = pl.concat([ordered, ranks.select(ordered.columns)])
        return self.answered(self.conclude(ranks, errors, counted, events))

    def conclude(
        self, ranks: pl.DataFrame, errors: pl.DataFrame, counted: pl.DataFrame | None, events: pl.DataFrame
    ) -> pl.DataFrame:
        """VERDICTS from what the models say, row by row, as yet without a person's answers.

        Of the ``events`` those of key 0 are enough. What is said of counts names the templates.
        """
        named = None if counted is None else with_names(counted, self.templates)
        judged = judge(ranks, errors, policy=self.policy, counts=named).pipe(with_shape, events)
        return judged.with_columns_seq(model=pl.lit(self.templates.digest))

    def stream(self, *, idle: str | timedelta = "1h", state: Mapping[str, str] | None = None) -> Stream:
        """A :class:`Stream`: the same verdicts of a log that is still being written, entry by entry."""
        from deeplog_nb.stream.stream import Stream

        return Stream(self, idle=idle, state=state)

    def answered(self, verdicts: pl.DataFrame) -> pl.DataFrame:
        """The verdicts with their patterns, and without the alarms that were said to be normal."""
        return self.learner.answered(verdicts)

    def update(self, answers: Answers | pl.DataFrame, *, lines: pl.DataFrame | None = None) -> Update[Detector]:
        """A new detector that knows what a person said (paper, 3.3): a Case, or its LABELS. This one is not touched.

        What was said to be normal is allowed, exactly (see ``verdicts.allowing``), unless a confirmed anomaly looks
        the same. Each model learns it only if every confirmed anomaly stays an alarm and no more of the held-out
        normal sessions becomes one; ``refused`` says what did not pass. With the LINES that the labels are about,
        values and waits are learnt too, and ``changes`` are those of all their alarms; without, ``unlearnt`` names
        such answers. Answers of another detector's alarms, whose keys are of other templates, are left out and named.
        """
        labels, others = told_of(labels_of(answers), self.templates.digest)
        sessions = None if lines is None else self.sessions(lines)
        held = entries(self.held_out)
        told = answer(self.learner, self.values, labels, learnt=self.learnt, holdout=held, sessions=sessions)
        new = replace(
            self,
            keys=told.learner.keys,
            counts=told.learner.counts,
            allowed=told.learner.allowed,
            values=told.values,
            held_out=told.learner.keys.rank(held),
            learnt=told.learnt,
            until=told.learner.until,
        )
        changes = told.changes if lines is None else compared(self.judge(lines), new.judge(lines), labels)
        return Update(new, changes, "; ".join(filter(None, [told.refused, others])) or None, told.unlearnt)

    def sessions(self, lines: pl.DataFrame) -> pl.DataFrame:
        """SESSIONS of these LINES, as this detector tells them apart."""
        return sessionize(self.templates.parse(check(lines, {}, "lines")), **asdict(self.cut))

    @property
    def learner(self) -> Learner:
        """What judges order and counts, and learns from answers."""
        return Learner(self.keys, self.counts, self.policy, self.allowed, not self.cut.whole_files, self.until)

    def expected(self, verdicts: pl.DataFrame, session: str, position: int, most: int = 3) -> pl.DataFrame:
        """``key, probability, template``: what the model expected at this place of a judged session."""
        keys = verdicts.filter(pl.col("session") == session, pl.col("position") < position)["key"].to_list()
        expected = self.keys.expect(keys, most)
        texts = ["the session ends" if key is None else self.templates.text(key) for key in expected["key"]]
        return expected.with_columns(template=pl.Series(texts, dtype=pl.String))

    def save(self, folder: Path | str) -> None:
        """Write templates, models, policy and what was held out into a folder; ``detector.json`` comes last."""
        folder = Path(folder)
        self.templates.save(folder / "templates.json")
        self.keys.save(folder)
        self.values.save(folder)
        (folder / COUNTS).unlink(missing_ok=True)
        if self.counts:
            self.counts.save(folder)
        for name, frame in (("held_out", self.held_out), ("held_errors", self.held_errors)):
            content = BytesIO()
            frame.write_parquet(content)
            write_whole(folder / f"{name}.parquet", content.getvalue())
        told = {"cut": asdict(self.cut), "policy": asdict(self.policy), "allowed": self.allowed, "learnt": self.learnt}
        told["until"] = {pattern: moment.isoformat() for pattern, moment in self.until.items()}
        facts = {"format": FORMAT, **told, "parts": _digests(folder)}
        write_whole(folder / "detector.json", json.dumps(facts, indent=1).encode())

    @classmethod
    def load(cls, folder: Path | str, *, device: str = "auto") -> Detector:
        """Read what :meth:`save` wrote; refuses parts that are broken or do not belong together."""
        folder = Path(folder)
        facts = _facts(folder / "detector.json")
        if facts["parts"] != _digests(folder):
            raise ModelError(f"{folder}: its parts were not saved together, or were changed since; train it anew")
        try:
            held_out = check(pl.read_parquet(folder / "held_out.parquet"), RANKS, "held_out.parquet")
            held_errors = check(pl.read_parquet(folder / "held_errors.parquet"), ERRORS, "held_errors.parquet")
            policy, cut = Policy(**facts["policy"]), Cut(**facts["cut"])
            said = _texts(facts["allowed"]), _texts(facts["learnt"]), _moments(facts.get("until", {}))
        except (FrameError, TypeError, ValueError, pl.exceptions.PolarsError) as error:
            raise ModelError(f"{folder}: not a detector of this version ({error}); train it anew") from error
        counts = CountModel.load(folder) if (folder / COUNTS).exists() else None
        models = KeyModel.load(folder, device=device), ValueModel.load(folder, device=device), counts
        return cls(Templates.load(folder / "templates.json"), *models, policy, cut, held_out, held_errors, *said)

    def __repr__(self) -> str:
        return f"Detector({self.templates!r}, {self.keys!r}, {self.values!r}, {self.policy!r}, sessions {self.cut})"

    def _loose(self, events: pl.DataFrame) -> pl.DataFrame:
        """RANKS of lines that name no session: no rank, and probability 0 where the key is unseen."""
        columns = {name: pl.lit(None, kind).alias(name) for name, kind in RANKS.items() if name != "key"}
        return events.with_columns(**columns).with_columns(
            position=pl.int_range(pl.len(), dtype=pl.UInt32),
            count=pl.lit(1, pl.UInt32),
            open=pl.lit(False),
            probability=pl.when(pl.col("key") == 0).then(pl.lit(0.0, pl.Float32)),
        )


def load(folder: Path | str, *, device: str = "auto") -> Detector:
    """The detector that :meth:`Detector.save` wrote into this folder."""
    return Detector.load(folder, device=device)


def _session_id(lines: pl.DataFrame) -> str | None:
    """The pattern of the known layout whose session id these messages name most, if enough of them do."""
    patterns = list(dict.fromkeys(layout.session for layout in layouts().values() if layout.session))
    share_of = [pl.col("message").str.contains(pattern).mean().alias(pattern) for pattern in patterns]
    shares = lines.select(share_of).row(0)
    share, pattern = max(zip(shares, patterns, strict=True))
    return pattern if (share or 0) >= AUTO else None


def _in_windows(judged: pl.DataFrame) -> pl.DataFrame:
    """The same ranks or errors with every :data:`WINDOW` entries as a session of their own, to calibrate on."""
    entries = judged.filter(pl.col("key").is_not_null())
    return entries.with_columns(session=pl.format("{}#{}", "session", pl.col("position") // WINDOW))


def _facts(path: Path) -> dict[str, Any]:
    try:
        facts: dict[str, Any] = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise InputError(f"{path.parent}: holds no saved detector ({path.name} is missing)") from error
    except ValueError as error:
        raise ModelError(f"{path}: not a saved detector ({error})") from error
    needed = {"cut", "policy", "allowed", "learnt", "parts"}
    if not isinstance(facts, dict) or facts.get("format") != FORMAT or not needed <= facts.keys():
        raise ModelError(f"{path}: not a saved detector, or one of another version; train it anew")
    return facts


def _texts(values: object) -> tuple[str, ...]:
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise TypeError("what was allowed or learnt is no list of texts")
    return tuple(values)


def _moments(values: object) -> dict[str, datetime]:
    if not isinstance(values, dict) or not all(isinstance(value, str) for value in values.values()):
        raise TypeError("when what was allowed expires is no table of times")
    return {pattern: datetime.fromisoformat(value) for pattern, value in values.items()}


def _digests(folder: Path) -> dict[str, str]:
    """What tells each part from any other; the weights' own digest stands in keys.json."""
    try:
        parts = [*PARTS, COUNTS] if (folder / COUNTS).exists() else PARTS
        return {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in parts}
    except FileNotFoundError as error:
        raise InputError(
            f"{folder}: {Path(error.filename).name} is missing; give a folder that save() wrote"
        ) from error
