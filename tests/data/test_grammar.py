"""A walk through the tree keeps order, lets parallel parts overlap and follows the weights."""

from __future__ import annotations

import re
from random import Random

from deeplog_nb.data.grammar import Node, both, either, maybe, repeat, seq, step, task, wait, walk
from deeplog_nb.data.grammar import Step as Kind
from deeplog_nb.data.openstack import LIFE
from deeplog_nb.data.runs import Beat


def go(tree: Node, seed: int = 0) -> tuple[Beat, ...]:
    return walk(tree, 0, Random(seed), lambda one: round(1000 * one.seconds))


def test_a_sequence_adds_up_and_waiting_is_silent() -> None:
    """Every step comes after the one before it, and a wait only takes time."""
    beats = go(seq(step("a", 1), wait(5), step("b", 2)))
    assert [(beat.key, beat.time, beat.began) for beat in beats] == [("a", 1000, 0), ("b", 8000, 6000)]


def test_parallel_parts_overlap() -> None:
    """Parts begin together, mix by time, and what follows waits for the last."""
    beats = go(seq(both(seq(step("a", 1), step("b", 3)), step("c", 2)), step("d", 1)))
    assert [(beat.key, beat.time) for beat in beats] == [("a", 1000), ("c", 2000), ("b", 4000), ("d", 5000)]


def test_tasks_are_named_and_counted() -> None:
    """Each time a task is entered its beats get its name and a number of their own."""
    beats = go(seq(task("x", step("a"), step("b")), task("x", step("a"))))
    assert [(beat.task, beat.turn) for beat in beats] == [("x", 1), ("x", 1), ("x", 2)]


def test_choices_follow_their_weights() -> None:
    """A branch of 30 % is taken about 300 times in 1,000."""
    rng = Random(5)
    firsts = [walk(either(0.3, step("a"), step("b")), 0, rng, lambda _: 1)[0].key for _ in range(1000)]
    assert 260 < firsts.count("a") < 340


def test_repeat_and_maybe_can_be_empty() -> None:
    """Nothing is one of the ways through."""
    tree = seq(maybe(0.5, step("a")), repeat((0.5, 0.5), step("b")), step("c"))
    assert {"".join(beat.key for beat in go(tree, seed)) for seed in range(40)} == {"c", "ac", "bc", "abc"}


def test_a_machine_lives_the_workload_of_the_paper() -> None:
    """Create (Stop Start){0,3} (Pause Unpause){0,3} (Suspend Resume){0,3} Delete, in this order."""
    tasks = [dict.fromkeys((beat.turn, beat.task) for beat in go(LIFE, seed)) for seed in range(60)]
    orders = {" ".join(task for _, task in one) for one in tasks}
    pattern = r"^create( stop start){0,3}( pause unpause){0,3}( suspend resume){0,3} delete$"
    assert all(re.match(pattern, order) for order in orders)
    assert len(orders) > 10


def test_steps_are_values() -> None:
    """Two equal steps are one, so a step's durations share one memory."""
    assert step("a", 2) == Kind("a", 2)
