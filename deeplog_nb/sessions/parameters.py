"""Typed parameters: what each position of each key holds, told from its values in the training part.

The answer is a frame to look at and to correct. Which of them a model learns from is the model's matter.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import polars as pl

from deeplog_nb.events.templates import Templates
from deeplog_nb.frames import KINDS, PARAMETERS, InputError, check
from deeplog_nb.sessions.quantities import UNITS, number, unit
from deeplog_nb.sessions.series import ELAPSED

ENOUGH: Final = 20  # values at a position, before few distinct ones make it a category
CATEGORIES: Final = 50  # distinct texts that a category has at most
CODES: Final = 10  # distinct whole numbers up to which they may be codes, such as 200 and 404
LONG: Final = 5  # digits from which a whole number that hardly repeats is taken for a name
_AMOUNTS: Final = (
    r"(?i)^(size|len|length|bytes|time|took|duration|elapsed|after|used|free|total|memory|disk|count|load)$"
)
_NAMES: Final = r"(?i)^(id|pid|uid|gid|port|block|req|request|session|instance|user|job|task|attempt|thread|process)$"
_WORD: Final = re.compile(r"[A-Za-z][A-Za-z_.-]*")
_NEEDED: Final = {"session": pl.String(), "key": pl.UInt32(), "parameters": pl.List(pl.String())}


def parameters(sessions: pl.DataFrame, templates: Templates | None = None) -> pl.DataFrame:
    """PARAMETERS of these (normal) sessions: a row for each position of each key.

    ``numeric`` (an amount, with its unit), ``categorical`` (few texts or codes), ``identifier`` (names that hardly
    repeat, counters; never a feature) or ``constant``; ``why`` says what told. The ``templates`` give each position
    the name and the unit that stand beside it in the text.

    >>> sessions = pl.DataFrame({"session": [f"s{at}" for at in range(40)], "key": [1] * 40,
    ...     "parameters": [[f"{at % 7}.5", "GET" if at % 2 else "PUT", f"id-{at}", "80"] for at in range(40)]},
    ...     schema_overrides={"key": pl.UInt32})
    >>> parameters(sessions).select("key", "at", "kind", "distinct").rows()
    [(1, 0, 'numeric', 7), (1, 1, 'categorical', 2), (1, 2, 'identifier', 40), (1, 3, 'constant', 1)]
    """
    if "parameters" not in sessions.columns:  # parsed without them: only waits can be judged
        return pl.DataFrame(schema=PARAMETERS)
    listed = check(sessions, _NEEDED, "sessions").filter(pl.col("key") > 0).select(*_NEEDED)
    long = (
        listed.with_columns(at=pl.int_ranges(pl.col("parameters").list.len(), dtype=pl.UInt16))
        .explode("at", "parameters", empty_as_null=False)
        .rename({"parameters": "text"})
    )
    names = _names(templates) if templates else _NO_NAMES
    facts = long.group_by("key", "at").agg(*_facts()).join(names, on=["key", "at"], how="left").sort("key", "at")
    kinds = _kinds()
    typed = facts.with_columns(
        name=pl.coalesce("name", pl.format("parameter {}", pl.col("at") + 1)),
        unit=pl.coalesce(pl.col("own_unit").replace("", None), "beside"),
        kind=pl.coalesce(pl.when(test).then(pl.lit(kind)) for test, kind, _ in kinds).cast(pl.Enum(KINDS)),
        why=pl.coalesce(pl.when(test).then(pl.lit(why)) for test, _, why in kinds),
    )
    return check(typed.select(*PARAMETERS), PARAMETERS, "parameters")


def retype(parameters: pl.DataFrame, kinds: Mapping[tuple[int, int], str]) -> pl.DataFrame:
    """The same frame with the kinds that the user says: ``{(key, at): "identifier"}``.

    >>> sessions = pl.DataFrame({"session": ["a", "b"], "key": [1, 1], "parameters": [["1.5"], ["2.5"]]},
    ...     schema_overrides={"key": pl.UInt32})
    >>> from deeplog_nb.sessions.parameters import parameters
    >>> retype(parameters(sessions), {(1, 0): "identifier"}).select("kind", "why").row(0)
    ('identifier', 'said by the user')
    """
    wrong = sorted(set(kinds.values()) - set(KINDS))
    if wrong:
        raise InputError(f"kind {wrong[0]!r} is none of {', '.join(KINDS)}")
    known = set(check(parameters, PARAMETERS, "parameters").select("key", "at").rows())
    if lost := sorted(set(kinds) - known):
        raise InputError(f"key {lost[0][0]} has no position {lost[0][1]}; positions count from 0")
    told = [(key, at, kind, "said by the user") for (key, at), kind in kinds.items()]
    schema = {name: PARAMETERS[name] for name in ("key", "at", "kind", "why")}
    said = pl.DataFrame(told, schema=schema, orient="row")
    return parameters.update(said, on=["key", "at"], how="left")


def _facts() -> tuple[pl.Expr, ...]:
    """What is counted of the texts at one position."""
    text = pl.col("text")
    plain = text.str.contains(r"^[+-]?[0-9]+$")
    value = number(text)
    return (
        pl.len().cast(pl.UInt32).alias("count"),
        text.n_unique().cast(pl.UInt32).alias("distinct"),
        text.first().alias("example"),
        value.is_not_null().mean().alias("amounts"),
        unit(text).drop_nulls().mode().sort().first().fill_null("").alias("own_unit"),
        plain.all().alias("whole"),
        text.str.contains(r"^0[0-9]").any().alias("padded"),
        text.str.len_chars().max().alias("longest"),
        ((value.diff() > 0).sum() / (pl.len() - 1)).alias("rising"),
    )


def _kinds() -> tuple[tuple[pl.Expr, str, str], ...]:
    """Test, kind and reason; the first test that holds decides."""
    count, distinct = pl.col("count"), pl.col("distinct")
    measured = pl.coalesce(pl.col("own_unit").replace("", None), pl.col("beside")).is_not_null()
    is_amount = pl.col("amounts") >= 0.99
    named = pl.col("name").str.contains(_AMOUNTS).fill_null(False)
    bare = pl.col("whole") & ~measured & ~named
    hardly = distinct > 0.5 * count
    return (
        (distinct == 1, "constant", "one value only"),
        (is_amount & (measured | named), "numeric", "an amount: its unit or its name says so"),
        (bare & pl.col("name").str.contains(_NAMES).fill_null(False), "identifier", "its name says so"),
        (bare & pl.col("padded"), "identifier", "whole numbers with leading zeros"),
        (bare & (count >= 10) & (distinct > 0.9 * count) & (pl.col("rising") > 0.95), "identifier", "a counter"),
        (bare & hardly & (pl.col("longest") >= LONG), "identifier", "long whole numbers that hardly repeat"),
        (
            bare & (distinct <= CODES) & (count >= ENOUGH * distinct),
            "categorical",
            "a few whole numbers without a unit",
        ),
        (is_amount, "numeric", "numbers"),
        ((distinct <= CATEGORIES) & (count >= ENOUGH) & (count >= 10 * distinct), "categorical", "a few texts"),
        (pl.lit(True), "identifier", "texts that hardly repeat"),
    )


_NAME_SCHEMA: Final = {"key": pl.UInt32(), "at": pl.UInt16(), "name": pl.String(), "beside": pl.String()}
_NO_NAMES: Final = pl.DataFrame(schema=_NAME_SCHEMA)


def _names(templates: Templates) -> pl.DataFrame:
    """``key, at, name, beside``: the word before each wildcard, and the unit behind it if it is one."""
    rows = []
    for key, known in enumerate(templates.known, 1):
        before = [_last_word(literal) for literal in known.literals[:-1]]
        for at, (name, after) in enumerate(zip(before, known.literals[1:], strict=True)):
            twice = name is not None and before.count(name) > 1
            rows.append((key, at, f"{name} {before[: at + 1].count(name)}" if twice else name, _unit_word(after)))
    return pl.DataFrame(rows, schema=_NAME_SCHEMA, orient="row")


def _last_word(literal: str) -> str | None:
    found = _WORD.findall(literal)
    name = found[-1].rstrip(".-_").lower() if found else None
    return "elapsed stated" if name == ELAPSED else name  # not the wait, which is called elapsed


def _unit_word(literal: str) -> str | None:
    found = re.match(r"\s?([A-Za-z%]+)\b", literal)
    return found[1] if found and found[1] in UNITS else None
