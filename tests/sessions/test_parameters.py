"""Typed parameters: kinds told from values, names and units from templates, and the user's last word."""

import polars as pl
import pytest

from deeplog_nb.events.spell import Spell
from deeplog_nb.frames import PARAMETERS, InputError
from deeplog_nb.sessions.parameters import parameters, retype


def column(*texts: str) -> pl.DataFrame:
    """Sessions of one key with one parameter."""
    told = {"session": [f"s{at}" for at in range(len(texts))], "key": [1] * len(texts)}
    return pl.DataFrame(told | {"parameters": [[text] for text in texts]}, schema_overrides={"key": pl.UInt32})


@pytest.mark.parametrize(
    ("texts", "kind"),
    [
        (["20.5", "19.1", "21.7"], "numeric"),
        (["2 GB", "512 MB"] * 20, "numeric"),
        (["200", "404", "200"] * 20, "categorical"),
        (["GET", "PUT"] * 20, "categorical"),
        (["GET", "PUT"], "identifier"),
        ([f"{at:05d}" for at in range(7, 90, 3)], "identifier"),
        ([str(1000 + at) for at in range(40)], "identifier"),
        ([f"blk_{at}" for at in range(40)], "identifier"),
        ([str(9_000_000 + at * 7919 % 10_007) for at in range(40)], "identifier"),
        (["96258.00 MB"] * 9, "constant"),
    ],
)
def test_the_values_say_the_kind(texts, kind):
    """Amounts are numeric; codes and few texts are categories; counters, padded and long numbers are names."""
    assert parameters(column(*texts))["kind"].to_list() == [kind]


def test_templates_give_names_and_units():
    """The word before a wildcard is its name, a unit behind it its unit; the same word twice is numbered."""
    lines = pl.DataFrame({"message": [f"Took {at}.5 seconds for id=x{at} from {at} to {at}" for at in range(30)]})
    templates = Spell().fit(lines)
    sessions = templates.parse(lines).with_columns(session=pl.lit("a"))
    named = parameters(sessions, templates).select("name", "unit").rows()
    assert named[:2] == [("took", "seconds"), ("id", None)]


def test_the_user_has_the_last_word():
    """A corrected kind stands, and says who said it; a position that is not there is refused."""
    typed = parameters(column("20.5", "19.1"))
    corrected = retype(typed, {(1, 0): "identifier"})
    assert corrected.select("kind", "why").row(0) == ("identifier", "said by the user")
    assert corrected.schema == pl.Schema(PARAMETERS)
    with pytest.raises(InputError, match="no position 4"):
        retype(typed, {(1, 4): "numeric"})
    with pytest.raises(InputError, match="'amount' is none of numeric"):
        retype(typed, {(1, 0): "amount"})


def test_sessions_without_parameters_have_no_types():
    """Only waits can be judged then."""
    assert parameters(column("1").drop("parameters")).is_empty()
