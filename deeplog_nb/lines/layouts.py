"""What the lines of a log look like: the entries of layouts.toml, and those of people's own.

It says how a line is cut into fields; ``fields`` does the cutting, ``detection`` finds out which one fits.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, Literal

from deeplog_nb.frames import EVENTS, InputError
from deeplog_nb.lines.blocks import PHYSICAL
from deeplog_nb.lines.patterns import check_pattern
from deeplog_nb.lines.times import check_times, has_year

OURS: Final = {"time", "level", "source", "message"}  # groups of a pattern that fill the contract
RESERVED: Final = {*EVENTS, *PHYSICAL, "physical", "continues", "start", "within"} - OURS  # no field may be so called


@dataclass(frozen=True)
class Layout:
    """One entry of layouts.toml; the comment on top of that file says what the fields mean."""

    name: str
    title: str
    kind: Literal["regex", "json", "journal", "text"] = "regex"
    pattern: str = ""
    time: Sequence[str] = ()
    session: str | None = None
    continues: str | None = None
    unless: str | None = None
    traces: Literal["lines", "messages"] = "lines"
    partial: str | None = None
    names: Mapping[str, str | Sequence[str]] = field(default_factory=dict)
    absent: Sequence[str] = ()
    columns: Sequence[str] = ()  # JSON only: names beyond the contract that become columns, found in the first lines
    samples: Sequence[str] = field(default=(), repr=False)
    generic: bool = False
    heading: str | None = None
    family: str | None = None

    @property
    def lacks_year(self) -> bool:
        """Whether its times leave the year to be inferred."""
        return bool(self.time) and not any(map(has_year, self.time))

    @property
    def folds(self) -> bool:
        """Whether lines may continue the record above them."""
        return self.kind == "regex" or self.traces == "messages"

    @property
    def is_json(self) -> bool:
        """Whether its fields are told by name."""
        return self.kind in ("json", "journal")

    @property
    def groups(self) -> list[str]:
        """The names of the pattern's groups, in order."""
        return re.findall(r"\(\?P?<(\w+)>", self.pattern)


@cache
def layouts() -> dict[str, Layout]:
    """Every layout that we know, by name, in the order in which ties are broken.

    >>> list(layouts())[:4]
    ['hdfs', 'openstack', 'oslo', 'oslo_untimed']
    """
    entries = tomllib.loads(files("deeplog_nb.lines").joinpath("layouts.toml").read_text("utf-8"))
    return {name: Layout(name=name, **entry) for name, entry in entries.items()}


def layout_named(name: str) -> Layout:
    r"""The layout of that name, or the one in the file of that name; else an error that lists what there is.

    >>> layout_named("hdfs").session
    '(blk_-?\\d+)'
    """
    if name in layouts():
        return layouts()[name]
    if name.endswith(".toml"):
        return check_layout(_in_file(Path(name)))
    known = ", ".join(layouts())
    raise InputError(f"no layout is called {name!r}; there are: {known}, or 'auto', or a file of your own, 'mine.toml'")


def check_layout(layout: Layout) -> Layout:
    r"""The layout as it came, or an error that says what it lacks.

    >>> check_layout(Layout("mine", "my log", pattern=r"^(?P<time>\S+) .*$"))
    Traceback (most recent call last):
    deeplog_nb.frames.InputError: layout 'mine': its pattern has no group (?P<message>...), which every record needs
    """
    named = f"layout {layout.name!r}"
    _check_types(layout, named)
    if layout.kind not in ("regex", "json", "journal", "text"):
        raise InputError(f"{named}: kind is {layout.kind!r}; it can be 'regex', 'json', 'journal' or 'text'")
    if layout.traces not in ("lines", "messages"):
        raise InputError(f"{named}: traces is {layout.traces!r}; it can be 'lines' or 'messages'")
    for what in ("pattern", "session", "continues", "unless", "partial", "heading"):
        check_pattern(getattr(layout, what) or "", f"{named}: {what}")
    check_times(layout.time, named)
    if layout.kind == "regex":
        _check_groups(layout, named)
    if taken := RESERVED.intersection({*layout.groups, *layout.names}):
        raise InputError(f"{named}: groups may not be called {', '.join(sorted(taken))}; rename them")
    return layout


def _check_types(layout: Layout, named: str) -> None:
    for what in ("time", "samples", "columns", "absent"):
        said: object = getattr(layout, what)
        if isinstance(said, str):
            raise InputError(f"{named}: {what} is a list; write {what}=[{said!r}]")
        if not _is_texts(said):
            raise InputError(f"{named}: {what} is {said!r}, and not a list of texts; write {what}=['...']")
    for what in ("title", "pattern", "session", "continues", "unless", "partial", "heading", "family"):
        if not isinstance(said := getattr(layout, what) or "", str):
            raise InputError(f"{named}: {what} is {said!r}, and not a text; write {what}='...'")
    names: object = layout.names
    if not isinstance(names, Mapping) or not all(isinstance(each, str) or _is_texts(each) for each in names.values()):
        raise InputError(f"{named}: names is {names!r}; write names={{message='body.text'}}, or a list to take one of")


def _is_texts(said: object) -> bool:
    return isinstance(said, list | tuple) and all(isinstance(each, str) for each in said)


def _check_groups(layout: Layout, named: str) -> None:
    if "message" not in layout.groups:
        raise InputError(f"{named}: its pattern has no group (?P<message>...), which every record needs")
    if "time" in layout.groups and not layout.time:
        raise InputError(f"{named}: its pattern has a time; say its formats, as in time=['%Y-%m-%d %H:%M:%S']")
    if layout.names:
        raise InputError(f"{named}: names are for kind = 'json'; in a pattern they are its groups, (?P<name>...)")


def _in_file(path: Path) -> Layout:
    """The one layout that a TOML file holds, written as in layouts.toml."""
    try:
        entries = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise InputError(
            f"{path}: cannot be read ({error.strerror}); name a layout, or a file that holds one"
        ) from error
    except ValueError as error:
        raise InputError(f"{path}: no TOML: {error}; backslashes want '...' around the pattern") from error
    if len(entries) != 1 or not isinstance(entry := next(iter(entries.values())), dict):
        raise InputError(f"{path}: one layout is wanted: [its_name], and under it pattern = '...', time = ['...']")
    return _from_entry(path, next(iter(entries)), entry)


def _from_entry(path: Path, name: str, entry: dict[str, Any]) -> Layout:
    known = [each.name for each in fields(Layout) if each.name != "name"]
    if strange := sorted(entry.keys() - set(known)):
        raise InputError(f"{path}: a layout has no {', '.join(strange)}; it has: {', '.join(known)}")
    return Layout(name=name, **{"title": name} | entry)
