"""The template store: parsing gives every message back, keys stay, and a file that changed is refused."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deeplog_nb.data import Bundled, load_hdfs, load_openstack
from deeplog_nb.events.masks import HOLE, WILDCARD
from deeplog_nb.events.spell import Spell
from deeplog_nb.events.templates import Templates
from deeplog_nb.frames import FrameError, InputError, ModelError
from deeplog_nb.lines.read import read

WORDS = ["open", "#", "mode=fast", "true", "\t", "  ", "/a.b", "close", "file", "user", "7"]
WORDS += ["x=1", HOLE, WILDCARD, "\n", "", ":", "<", "ü", "10.1.2.3"]
MESSAGES = st.one_of(st.text(max_size=20), st.lists(st.sampled_from(WORDS), max_size=7).map(" ".join))
LOGS = st.lists(MESSAGES, max_size=10)
SPELLS = st.builds(Spell, tau=st.sampled_from([0.3, 0.5, 0.7, 1]), split=st.sampled_from([0, 2, 6]))


def lines(*messages: str) -> pl.DataFrame:
    return pl.DataFrame({"message": messages}, schema={"message": pl.String})


def tampered(path: Path, change: Callable[[dict[str, object]], object]) -> Path:
    content = json.loads(path.read_bytes())
    change(content)
    path.write_text(json.dumps(content))
    return path


@settings(deadline=None, max_examples=150)
@given(SPELLS, LOGS, LOGS)
def test_key_and_parameters_give_the_message_back(spell: Spell, seen: list[str], other: list[str]) -> None:
    """Whatever the messages hold, and whether or not they were learnt, nothing of them is lost."""
    templates, log = spell.fit(lines(*seen)), lines(*seen, *other)
    assert templates.render(templates.parse(log)).to_list() == [*seen, *other]


@settings(deadline=None, max_examples=100)
@given(SPELLS, LOGS)
def test_what_was_learnt_has_a_key(spell: Spell, seen: list[str]) -> None:
    """No message of the log that templates come from is unseen, and the counts add up to the log."""
    templates = spell.fit(lines(*seen))
    assert 0 not in templates.parse(lines(*seen))["key"]
    assert templates.frame["count"].sum() == len(seen)


@settings(deadline=None, max_examples=150)
@given(SPELLS, LOGS, LOGS)
def test_extending_keeps_every_key(spell: Spell, seen: list[str], more: list[str]) -> None:
    """The old templates keep their keys and the old messages theirs; of the new ones none is left unseen."""
    templates = spell.fit(lines(*seen))
    extended = templates.extend(lines(*more))
    assert extended.frame["template"].to_list()[: len(templates)] == templates.frame["template"].to_list()
    assert extended.parse(lines(*seen))["key"].equals(templates.parse(lines(*seen))["key"])
    assert 0 not in extended.parse(lines(*more))["key"]


@settings(deadline=None, max_examples=40)
@given(SPELLS, LOGS, LOGS)
def test_a_saved_store_is_the_same_store(
    tmp_path_factory: pytest.TempPathFactory, spell: Spell, seen: list[str], more: list[str]
) -> None:
    """Loading what was saved gives an equal store, extended ones too."""
    path, templates = tmp_path_factory.mktemp("store") / "templates.json", spell.fit(lines(*seen)).extend(lines(*more))
    templates.save(path)
    assert Templates.load(path) == templates
    assert Templates.load(path).digest == templates.digest


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content["templates"][0].update(literals=["b ", ""]),
        lambda content: content["templates"][0].update(count=7),
        lambda content: content["templates"][0].update(generation=1),
        lambda content: content["templates"].append(content["templates"][0]),
        lambda content: content.update(tau=0.5),
        lambda content: content.update(split=0),
        lambda content: content.update(format=1),
        lambda content: content.update(digest="0"),
        lambda content: content.pop("sha256"),
        lambda content: content.pop("templates"),
    ],
)
def test_a_store_that_was_changed_is_refused(tmp_path: Path, change: Callable[[dict[str, object]], object]) -> None:
    """Any field that is not as it was saved makes the file a broken one."""
    Spell().fit(lines("a 1")).save(tmp_path / "t.json")
    with pytest.raises(ModelError, match=r"t\.json"):
        Templates.load(tampered(tmp_path / "t.json", change))


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"\xff", b"null", b"[" * 100_000])
def test_a_file_that_is_no_store_is_refused(tmp_path: Path, content: bytes) -> None:
    """Whatever is in it, the error names the file."""
    (tmp_path / "t.json").write_bytes(content)
    with pytest.raises(ModelError, match=r"t\.json: not a template store"):
        Templates.load(tmp_path / "t.json")


def test_a_store_that_cannot_be_opened_is_refused(tmp_path: Path) -> None:
    """A file that is not there, or a folder, is the user's to put right."""
    for path in (tmp_path, tmp_path / "none.json"):
        with pytest.raises(InputError, match="cannot be read"):
            Templates.load(path)


def test_a_message_that_fits_no_template_is_unseen() -> None:
    """Key 0 and no parameters; the message itself stays."""
    events = Spell().fit(lines("a 1")).parse(lines("oops 7"))
    assert events.select("key", "parameters", "message").row(0) == (0, [], "oops 7")


def test_a_wildcard_may_hold_words_and_values() -> None:
    """What the template does not say is in the parameters, in order."""
    users = [f"user {name} came from 10.0.0.1 by train" for name in ("ana", "bob", "eva", "ivo", "joe", "lea", "max")]
    templates = Spell().fit(lines(*users))
    events = templates.parse(lines("user tom 7 came from 10.0.0.2 by train"))
    assert templates.text(events["key"][0]) == "user <*> came from <*> by train"
    assert events["parameters"].to_list() == [["tom 7", "10.0.0.2"]]


def test_parsing_leaves_the_lines_as_they_came() -> None:
    """Order and columns stay, key and parameters are added; parsed again, they are replaced."""
    templates, log = Spell().fit(lines("a 1", "b")), lines("b", "a 2", "zzz", "b").with_columns(host=pl.lit("h"))
    events = templates.parse(log)
    assert events.drop("key", "parameters").equals(log)
    assert events["key"].to_list() == [2, 1, 0, 2]
    assert templates.parse(events).equals(events)


def test_null_messages_are_refused() -> None:
    """In mining and in parsing, with the row."""
    log = pl.DataFrame({"message": ["a 1", None]})
    for work in (Spell().fit, Spell().fit(lines("a 1")).parse):
        with pytest.raises(FrameError, match="1 of 2 messages is null, the first in row 1"):
            work(log)


def test_no_lines_make_no_events() -> None:
    """An empty frame parses and renders to an empty one of the right types."""
    templates = Spell().fit(lines("a 1"))
    events = templates.parse(lines())
    assert events.schema["parameters"] == pl.List(pl.String)
    assert templates.render(events).to_list() == []


def test_rendering_needs_parameters_and_known_keys() -> None:
    """Without parameters, or with another store's events, there is no message to give back."""
    one, two = Spell().fit(lines("a 1")), Spell().fit(lines("a 1", "b"))
    with pytest.raises(FrameError, match="missing column parameters"):
        one.render(one.parse(lines("a 1"), parameters=False))
    with pytest.raises(ModelError, match="key 2 is none of these 1 templates"):
        one.render(two.parse(lines("b")))


def test_the_digest_changes_with_templates_and_not_with_counts() -> None:
    """A model knows its templates by what decides on keys, not by how often they were seen."""
    templates = Spell().fit(lines("a 1"))
    assert templates.extend(lines("a 2")).digest == templates.digest
    assert templates.extend(lines("b")).digest != templates.digest
    assert templates.extend(lines("a 2")).frame["count"].to_list() == [2]


def test_templates_say_what_they_are() -> None:
    """A key is answered with its text, key 0 with its meaning, a store with its size."""
    templates = Spell().fit(lines("a 1", "a 2"))
    assert [templates.text(key) for key in (1, 0)] == ["a <*>", "a message that fits no known template"]
    assert repr(templates) == "Templates(1 templates of 2 messages)"


def returned(log: pl.DataFrame) -> bool:
    """Whether key and parameters give every message back, and none is unseen."""
    templates = Spell().fit(log)
    events = templates.parse(log)
    return templates.render(events).equals(log["message"]) and 0 not in events["key"]


SYSTEMS = ("Apache", "BGL", "HDFS", "Hadoop", "Linux", "OpenSSH", "OpenStack", "Spark", "Thunderbird", "Zookeeper")
SHARED = (
    "bgl/bgl_lines_000001_060000.log.gz",
    "hdfs/raw_head20000.log.gz",
    "hdfs/raw_sample.log.gz",
    "linux/Linux.log.gz",
    "openstack/raw_abnormal_instances.log.gz",
    "openstack/raw_normal1_instances.log.gz",
    "openstack_kalaki/nova_sample.log.gz",
    *(f"loghub_2k/{name}/{name}_2k.log" for name in SYSTEMS),
)


@pytest.mark.parametrize("name", SHARED)
def test_real_messages_come_back(data: Callable[[str], Path], name: str) -> None:
    """From every shared log, byte for byte."""
    assert returned(read(data(name)))


def test_messages_out_of_an_archive_come_back(data: Callable[[str], Path]) -> None:
    """All 515 container logs of the Hadoop jobs; their raw lines, tabs and stack traces too."""
    with tarfile.open(data("hadoop/hadoop_pagerank_logs.tar.gz")) as archive:
        texts = [found.read().decode() for member in archive if (found := archive.extractfile(member))]
    assert returned(lines(*(line for text in texts for line in text.split("\n"))))


@pytest.mark.parametrize("load", [load_hdfs, load_openstack])
def test_bundled_messages_come_back(load: Callable[[], Bundled]) -> None:
    """And from every bundled log."""
    assert returned(read(load().log))


def test_real_templates_are_those_that_people_wrote(data: Callable[[str], Path]) -> None:
    """On the HDFS sample the grouping of lines agrees with the corrected labels on 99 of 100 lines."""
    log = read(data("loghub_2k/HDFS/HDFS_2k.log"))
    truth = pl.read_csv(data("loghub_2k/HDFS/HDFS_2k.log_structured_corrected.csv"))["EventId"]
    both = Spell().fit(log).parse(log).select("key", truth=truth)
    sizes = both.select(
        pl.len().over("key").alias("ours"), pl.len().over("truth").alias("theirs"), both=pl.len().over("key", "truth")
    )
    assert (
        sizes.select(((pl.col("ours") == pl.col("both")) & (pl.col("theirs") == pl.col("both"))).mean()).item() > 0.99
    )
