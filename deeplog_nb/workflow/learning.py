"""The runs of one task -> its automaton, and how often each edge was gone."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from deeplog_nb.workflow.automaton import BEGUN, State, Task, moved, overtaken
from deeplog_nb.workflow.kinds import Keys
from deeplog_nb.workflow.order import Order, Pair, order
from deeplog_nb.workflow.steps import Counted, stepped


@dataclass(frozen=True)
class Learnt:
    """A task, its counts, and the edges that each of its variants goes."""

    task: Task
    counts: tuple[int, ...]  # entries of each step
    visits: tuple[int, ...]  # runs that were at each step, those of the begin first
    edges: dict[Pair, int]  # how many runs go each; 0 is the begin as a source and the end as a target
    size: int  # runs
    gone: list[tuple[tuple[int, int, int, int], ...]]  # of each variant: source, target, and the places in it of both


@dataclass(frozen=True)
class Way:
    """What one run of steps tells: the edges gone, with the places of both ends in the run; joins; whether it fits."""

    edges: tuple[tuple[int, int, int, int], ...]  # source, target, place of the source, of the target; -1 is none
    joins: tuple[tuple[State, int], ...]
    loops: tuple[Pair, ...]
    fits: bool


def learn(variants: Counted, least: float) -> Learnt:
    """The automaton of these runs; what fewer than the ``least`` share of them does is left out.

    >>> task = learn([((57, 18, 56, 31), 80), ((57, 56, 18, 31), 20)], 0.01).task
    >>> [task.keys[step - 1] for step in task.next_steps(frozenset({1}))], task.next_steps(frozenset({1, 2, 3}))
    ([18, 56], {4: 1.0})
    """
    found = stepped(variants, least)
    size = sum(count for _, count in variants)
    by = order(found.runs, len(found.keys))
    ways = [way(run, by) for run, _ in found.runs]
    gone, entries, visits = Counter[Pair](), Counter[int](), Counter[int]()
    for each, (run, count) in zip(ways, found.runs, strict=True):
        gone.update(dict.fromkeys(((source, target) for source, target, _, _ in each.edges), count * each.fits))
        entries.update({step: count * times for step, times in Counter(run).items()})
        visits.update(dict.fromkeys(set(run), count))
    edges = {edge: count for edge, count in gone.items() if count >= max(least * size, 1)}
    allowed = [each for each, (_, count) in zip(ways, found.runs, strict=True) if each.fits and count]
    joins = frozenset(join for each in allowed for join in each.joins)
    loops = frozenset(loop for each in allowed for loop in each.loops)
    told = [_told(each, places) for each, places in zip(ways, found.places, strict=True)]
    steps = range(1, len(found.keys) + 1)
    counts, came = tuple(entries[step] for step in steps), (size, *(visits[step] for step in steps))
    shares = {edge: count / came[edge[0]] for edge, count in edges.items()}
    usual = max(variants, key=lambda each: each[1])[0]
    task = Task(found.keys, by, joins, loops, shares, tuple(visit / size for visit in came[1:]), usual)
    return Learnt(task, counts, came, edges, size, told)


def _told(each: Way, places: Keys) -> tuple[tuple[int, int, int, int], ...]:
    """The edges between two entries of a run that fits, with the entries' places in it."""
    inner = (edge for edge in each.edges if edge[2] >= 0 and edge[3] >= 0)
    return tuple((source, target, places[one], places[other]) for source, target, one, other in inner) * each.fits


def way(run: Keys, by: Order) -> Way:
    """The way of a run of steps through the task.

    >>> free = frozenset({(1, 2), (1, 3)})
    >>> way((1, 3, 2), Order(free, frozenset(), frozenset({(2, 3), (3, 2)}))).edges
    ((0, 1, -1, 0), (1, 3, 0, 1), (1, 2, 0, 2), (2, 0, 2, -1), (3, 0, 1, -1))
    """
    done, at = BEGUN, {0: -1}
    edges, joins, loops, fits = [], [], [], True
    for place, step in enumerate(run):
        fits &= not overtaken(by, done, step)
        sources, then = moved(by, done, step)
        edges += [(source, step, at[source], place) for source in sorted(sources or {0})]
        if step in done:
            loops += [(source, step) for source in sources]
        else:
            joins.append((sources, step))
        done, at[step] = then, place
    last = by.last(done)
    edges += [(source, 0, at[source], -1) for source in sorted(last or {0})]
    joins.append((last, 0))
    return Way(tuple(edges), tuple(joins), tuple(loops), fits and bool(run))
