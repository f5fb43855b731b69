"""The differences that are looked for between two logs, each kind a function: a row each, with its chance.

All take the entries of both, ``side`` telling which, and what is counted: sessions, or windows of a log that has
none. Which rows are worth showing is decided in ``compare``.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from deeplog_nb.events.templates import Templates
from deeplog_nb.sessions.parameters import parameters
from deeplog_nb.workflow.significance import by_rank, exact

ENOUGH: Final = 8  # sessions with the same step, on either side, before its waits are compared
MOST: Final = 0.75  # of the suspect log's parts that must wait longer, or shorter, than any part of the normal log
SHIFT: Final = 0.1  # by which the share of an order must grow
CLEARLY: Final = 2  # times as often must one order of two neighbours stand in a window as the other, to count
FIXED: Final = 0.9  # of a key's entries that come after the same key, in both logs: a step even where sessions mingle


def distinct(both: pl.DataFrame) -> pl.DataFrame:
    """``side, sequence, weight, position, key``: alike sessions once, with how many there are."""
    return (
        both.group_by("side", "session", maintain_order=True)
        .agg("key", pl.col("count").first().cast(pl.Int64))
        .group_by("side", "key", maintain_order=True)
        .agg(weight=pl.col("count").sum())
        .with_row_index("sequence")
        .with_columns(position=pl.int_ranges(pl.col("key").list.len(), dtype=pl.UInt32))
        .explode("key", "position", empty_as_null=False)
    )


def counts(distinct: pl.DataFrame, unit: str = "session") -> pl.DataFrame:
    """New and vanished keys, and those with more or fewer entries in a session."""
    many = distinct.filter(pl.col("position") == 0).group_by("side").agg(all=pl.col("weight").sum())
    per = distinct.group_by("side", "sequence", "key").agg(amount=pl.len(), weight=pl.col("weight").first())
    held = per.group_by("side", "key").agg(pl.col("weight").sum())
    without = (per.select("key").unique().join(many, how="cross").join(held, on=["side", "key"], how="left")).select(
        "side", "key", amount=pl.lit(0, pl.UInt32), weight=pl.col("all") - pl.col("weight").fill_null(0)
    )
    amounts = pl.concat([per.select(without.columns), without]).filter(pl.col("weight") > 0)
    entries = (pl.col("amount") * pl.col("weight")).sum()
    table = _sides(
        amounts.group_by("side", "key").agg(
            entries=entries, sessions=pl.col("weight").filter(pl.col("amount") > 0).sum(), all=pl.col("weight").sum()
        ),
        ["key"],
    )
    tested = table.join(by_rank(amounts, ["key"]).select("key", "chance"), on="key").pipe(_exactly, "sessions")
    normal, suspect = pl.col("entries_a") / pl.col("all_a"), pl.col("entries_b") / pl.col("all_b")
    what = (
        pl.when(pl.col("entries_a") == 0)
        .then(pl.lit("new"))
        .when(pl.col("entries_b") == 0)
        .then(pl.lit("vanished"))
        .when(suspect > normal)
        .then(pl.lit("more"))
        .otherwise(pl.lit("fewer"))
    )
    return tested.select(
        what.alias("what"),
        "key",
        normal=normal,
        suspect=suspect,
        unit=pl.lit(f"per {unit}"),
        worth=pl.lit(True),
        chance=2 * pl.min_horizontal("chance", "exact"),
        why=_shares(f"in {{}} of {{}} {unit}s, now in {{}} of {{}}", "sessions"),
    )


def waits(both: pl.DataFrame, unit: str = "session") -> pl.DataFrame:
    """Steps from one key to the next that took longer or shorter.

    In a window the entry before may be of anything that ran: a step is what nearly always comes after the same key.
    """
    stepped = both.with_columns(before=pl.when(pl.col("position") > 0).then(pl.col("key").shift(1)))
    steps = stepped.drop_nulls(["before", "elapsed"])
    steps = steps if unit == "session" else steps.join(_fixed(steps), on=["before", "key"], how="semi")
    waited = steps.group_by("side", "session", "before", "key", maintain_order=True).agg(
        amount=pl.col("elapsed").median(), weight=pl.col("count").first(), part=pl.col("part").first()
    )
    return _waited(waited, ["before", "key"], f"median of {{}} {unit}s, now of {{}}")


def pace(both: pl.DataFrame) -> pl.DataFrame:
    """Whether a log that is read in windows is slower or faster as a whole: one row without a key."""
    waited = (
        both.filter(pl.col("position") > 0)
        .drop_nulls("elapsed")
        .group_by("side", "session", maintain_order=True)
        .agg(amount=pl.col("elapsed").mean(), weight=pl.col("count").first(), part=pl.col("part").first())
        .with_columns(key=pl.lit(None, pl.UInt32), before=pl.lit(None, pl.UInt32))
    )
    return _waited(waited, ["before", "key"], "median of the means of {} windows, now of {}")


def _fixed(steps: pl.DataFrame) -> pl.DataFrame:
    """The steps whose key comes after no other in nearly all of its entries, in both logs."""
    met = steps.group_by("side", "before", "key").len("met")
    share = pl.col("met") / pl.col("met").sum().over("side", "key")
    often = met.filter(share >= FIXED)
    return often.group_by("before", "key").agg(sides=pl.len()).filter(pl.col("sides") == 2)


def _waited(waited: pl.DataFrame, edge: list[str], told: str) -> pl.DataFrame:
    """Each edge with the medians of both logs, whatever its parts may say against it, and the chance."""
    tested = by_rank(waited, edge).filter(pl.min_horizontal("a", "b") >= ENOUGH)
    tested = tested.join(_medians(waited, edge), on=edge, nulls_equal=True)
    slower = pl.col("suspect") > pl.col("normal")
    return tested.select(
        pl.when(slower).then(pl.lit("slower")).otherwise(pl.lit("faster")).alias("what"),
        "key",
        "before",
        "normal",
        "suspect",
        unit=pl.lit("s"),
        chance=pl.col("chance"),
        worth=pl.when(slower).then("over").otherwise("under") >= MOST,
        why=pl.format(
            f"{told}; parts of the normal log had {{}} to {{}} s",
            "a",
            "b",
            pl.col("low").round_sig_figs(3),
            pl.col("high").round_sig_figs(3),
        ),
    )


def _medians(waits: pl.DataFrame, edge: list[str]) -> pl.DataFrame:
    """Of each step the medians of both logs, those of the normal log's parts, and how many others lie beyond."""
    second, amount = pl.col("side"), pl.col("amount")
    parts = waits.group_by("side", *edge, "part").agg(amount.median())
    usual = parts.filter(~second).group_by(edge).agg(low=amount.min(), high=amount.max())
    over, under = (amount > pl.col("high")).mean(), (amount < pl.col("low")).mean()
    beyond = parts.filter(second).join(usual, on=edge, nulls_equal=True).group_by(edge).agg(over=over, under=under)
    whole = waits.group_by(edge).agg(normal=amount.filter(~second).median(), suspect=amount.filter(second).median())
    return whole.join(usual, on=edge, nulls_equal=True).join(beyond, on=edge, nulls_equal=True)


def orders(distinct: pl.DataFrame, unit: str = "session") -> pl.DataFrame:
    """Pairs of keys, neighbours in either log, whose order changed."""
    own = ["side", "sequence"]
    after = distinct.sort(*own, "position").with_columns(next=pl.col("key").shift(-1).over(own)).drop_nulls("next")
    beside = after.filter(pl.col("key") != pl.col("next")).select(
        *own,
        "weight",
        key=pl.min_horizontal("key", "next"),
        other=pl.max_horizontal("key", "next"),
        forward=pl.col("key") < pl.col("next"),
    )
    met = _first_met(distinct, beside) if unit == "session" else _mostly(beside)
    mostly = "" if unit == "session" else "mostly "
    tested = (
        _sides(met, ["key", "other"]).filter((pl.col("all_a") > 0) & (pl.col("all_b") > 0)).pipe(_exactly, "forward")
    )
    a, b = pl.col("forward_a") / pl.col("all_a"), pl.col("forward_b") / pl.col("all_b")
    turned = tested.with_columns(rises=b > a, normal=a, suspect=b).with_columns(
        pl.when("rises").then(name).otherwise(pl.col(all_of) - pl.col(name)).alias(name)
        for name, all_of in (("forward_a", "all_a"), ("forward_b", "all_b"))
    )
    first_, second_ = pl.when("rises").then("key").otherwise("other"), pl.when("rises").then("other").otherwise("key")
    normal, suspect = pl.col("forward_a") / pl.col("all_a"), pl.col("forward_b") / pl.col("all_b")
    return turned.select(
        pl.lit("reordered").alias("what"),
        second_.alias("key"),
        first_.alias("before"),
        normal=normal,
        suspect=suspect,
        unit=pl.lit(f"share of {unit}s"),
        chance="exact",
        worth=suspect - normal >= SHIFT,
        why=_shares(f"{mostly}before the other in {{}} of {{}} {unit}s, now in {{}} of {{}}", "forward"),
    )


def _first_met(distinct: pl.DataFrame, beside: pl.DataFrame) -> pl.DataFrame:
    """In how many sessions the pair's first key comes first, wherever the second comes."""
    own = ["side", "sequence"]
    first = distinct.group_by(*own, "key").agg(pl.col("position").min(), pl.col("weight").first())
    return (
        first.join(beside.select("key", "other").unique(), on="key")
        .join(first.select(*own, other="key", then="position"), on=[*own, "other"])
        .group_by("side", "key", "other")
        .agg(forward=pl.col("weight").filter(pl.col("position") < pl.col("then")).sum(), all=pl.col("weight").sum())
    )


def _mostly(beside: pl.DataFrame) -> pl.DataFrame:
    """In how many windows the pair's first key stands before the second, of those in which one of them mostly does.

    Which of them a window happens to begin with says nothing of their order.
    """
    ahead, back, weight = pl.col("forward").sum(), (~pl.col("forward")).sum(), pl.col("weight")
    return (
        beside.group_by("side", "sequence", "key", "other")
        .agg(ahead=ahead, back=back, weight=weight.first())
        .filter(pl.max_horizontal("ahead", "back") >= CLEARLY * pl.min_horizontal("ahead", "back"))
        .group_by("side", "key", "other")
        .agg(forward=weight.filter(pl.col("ahead") > pl.col("back")).sum(), all=weight.sum())
    )


def values(both: pl.DataFrame, templates: Templates | None, unit: str = "session") -> pl.DataFrame:
    """Values that a parameter of few values never had in the normal log."""
    if both["parameters"].null_count() == len(both):
        return pl.DataFrame(schema={"what": pl.String})
    own = both.filter(~pl.col("side")).with_columns(pl.col("session").cast(pl.String))
    known = parameters(own, templates)
    few = known.filter(pl.col("kind").is_in(["categorical", "constant"])).select("key", "at", "name")
    long = (
        both.drop_nulls("parameters")
        .filter(pl.col("key") > 0)
        .with_columns(at=pl.int_ranges(pl.col("parameters").list.len(), dtype=pl.UInt16))
        .explode("at", "parameters", empty_as_null=False)
        .rename({"parameters": "value"})
        .join(few, on=["key", "at"])
    )
    place = ["key", "at", "name"]
    per = long.group_by("side", "session", *place, "value").agg(weight=pl.col("count").first())
    all_of = per.unique(["side", "session", *place]).group_by("side", *place).agg(all=pl.col("weight").sum())
    held = per.group_by("side", *place, "value").agg(held=pl.col("weight").sum())
    grid = held.select(*place, "value").unique().join(all_of, on=place)
    table = _sides(
        grid.join(held, on=["side", *place, "value"], how="left").with_columns(pl.col("held").fill_null(0)),
        [*place, "value"],
    )
    tested = table.filter((pl.col("all_a") > 0) & (pl.col("all_b") > 0)).pipe(_exactly, "held")
    return tested.select(
        pl.lit("value").alias("what"),
        "key",
        "name",
        "value",
        normal=pl.col("held_a") / pl.col("all_a"),
        suspect=pl.col("held_b") / pl.col("all_b"),
        unit=pl.lit(f"share of {unit}s"),
        chance="exact",
        worth=pl.col("held_a") == 0,
        why=_shares(f"in {{}} of {{}} {unit}s with this message, now in {{}} of {{}}", "held"),
    )


def _sides(table: pl.DataFrame, on: list[str]) -> pl.DataFrame:
    """A row for each of ``on``, the normal log's figures as ``_a``, the suspect's as ``_b``."""
    figures = [name for name in table.columns if name not in ("side", *on)]
    second = pl.col("side")
    return table.group_by(on, maintain_order=True).agg(
        *(pl.col(name).filter(~second).sum().alias(f"{name}_a") for name in figures),
        *(pl.col(name).filter(second).sum().alias(f"{name}_b") for name in figures),
    )


def _exactly(table: pl.DataFrame, name: str) -> pl.DataFrame:
    """The table with the chance of its shares, as ``exact``."""
    columns = (table[column].to_numpy() for column in (f"{name}_a", "all_a", f"{name}_b", "all_b"))
    return table.with_columns(exact=pl.Series(exact(*columns), dtype=pl.Float64))


def _shares(text: str, name: str) -> pl.Expr:
    return pl.format(text, f"{name}_a", "all_a", f"{name}_b", "all_b")
