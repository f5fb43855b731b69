"""How far a growing log has been followed, and the same as JSON: what a restart needs to go on from there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

from deeplog_nb.frames import InputError
from deeplog_nb.lines.encodings import Form
from deeplog_nb.lines.folding import Above
from deeplog_nb.lines.generations import Identity
from deeplog_nb.lines.growing import Growing
from deeplog_nb.lines.layouts import Layout, check_layout
from deeplog_nb.lines.records import Before

VERSION: Final = 1


@dataclass(frozen=True)
class Place:
    """Where in which generation of a log we are; without ``form`` and ``growing`` its first lines are awaited."""

    generation: int  # 1, 2, …: the file behind the name changed so often
    end: int = 0  # byte up to which whole lines were taken
    form: Form | None = None
    growing: Growing | None = None
    copied: bool = False  # what is read now may be a copy made before truncating: lines between the two were lost
    layout: Layout | None = None  # once it was told; it stays
    past: tuple[Identity, ...] = ()  # the last generations, each as it was left
    ahead: tuple[Identity, ...] = ()  # the files that bore the name meanwhile, each as it was last seen

    @property
    def offset(self) -> int:
        """Where the first record that was not yet given begins."""
        held = self.growing.held if self.growing else None
        return self.end if held is None or not len(held) else int(held["offset"][0])


def to_json(place: Place, identity: Identity) -> dict[str, Any]:
    """The place as JSON, with the identity of the file up to its offset. What is held is read again."""
    growing, form = place.growing, place.form
    return {
        "version": VERSION,
        "generation": place.generation,
        "offset": place.offset,
        "identity": asdict(identity),
        "copied": place.copied,
        "layout": asdict(place.layout) if place.layout else None,
        "form": {"encoding": form.encoding, "mark": form.mark.hex()} if form else None,
        "before": _texts(asdict(growing.before)) if growing else None,
        "above": asdict(growing.above) if growing else None,
        "past": [asdict(each) for each in place.past],
        "ahead": [asdict(each) for each in place.ahead],
    }


def from_json(position: Mapping[str, Any], limit: int) -> tuple[Place, Identity]:
    """What :func:`to_json` wrote; ``limit`` is that of a record."""
    if position.get("version") != VERSION:
        found = position.get("version")
        raise InputError(f"a position of version {found!r} cannot be gone on from, only {VERSION}; begin anew")
    try:
        layout = check_layout(Layout(**position["layout"])) if position["layout"] else None
        form, growing = None, None
        if position["form"] and layout:
            form = Form(position["form"]["encoding"], bytes.fromhex(position["form"]["mark"]))
            growing = Growing(layout, _before(position["before"]), limit, Above(**position["above"]))
        past = tuple(Identity(**each) for each in position["past"])
        ahead = tuple(Identity(**each) for each in position["ahead"])
        where = int(position["generation"]), int(position["offset"])
        place = Place(*where, form, growing, position["copied"], layout, past, ahead)
        return place, Identity(**position["identity"])
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"not a position of a followed log ({error}); begin anew, without one") from error


def _texts(before: dict[str, Any]) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in before.items()}


def _before(facts: Mapping[str, Any]) -> Before:
    times = {name: datetime.fromisoformat(facts[name]) for name in ("time", "latest") if facts[name]}
    return Before(**{**facts, **times})
