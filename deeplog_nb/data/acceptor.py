"""Says of a sequence of keys whether a normal process can produce it, and where it first cannot.

It is built from the generator's own grammar, so it is truth and no detector: nothing is learnt here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from deeplog_nb.data.grammar import Both, Choice, Node, Seq, Step, Task

_State = frozenset[Node]  # what may still come: any one of these
_DONE = Seq(())


class Acceptor:
    """Reads keys against a grammar; the automaton is unfolded only as far as it is asked.

    >>> from deeplog_nb.data.grammar import both, seq
    >>> door = Acceptor(seq(Step("open"), both(Step("in"), Step("out")), Step("shut")))
    >>> door.reject(["open", "out", "in", "shut"]) is None  # a normal session
    True
    >>> door.reject(["open", "in", "shut"]), door.reject(["open", "in"])  # the index; the length: cut short
    (2, 2)
    """

    def __init__(self, grammar: Node) -> None:
        self._start: _State = frozenset({_bare(grammar)})
        self._moves: dict[tuple[_State, str], _State] = {}

    def reject(self, keys: Sequence[str]) -> int | None:
        """Index of the first key that cannot come there; the length if more had to come; else none."""
        state = self._start
        for index, key in enumerate(keys):
            state = self._move(state, key)
            if not state:
                return index
        return None if any(map(_may_end, state)) else len(keys)

    def begins(self, keys: Sequence[str]) -> bool:
        """Whether a normal session can begin like this, as one does that the log's end cut off."""
        return self.reject(keys) in (None, len(keys))

    def _move(self, state: _State, key: str) -> _State:
        if (state, key) not in self._moves:
            self._moves[state, key] = frozenset(chain.from_iterable(_after(node, key) for node in state))
        return self._moves[state, key]


def alphabet(grammar: Node) -> tuple[str, ...]:
    """The keys that the grammar knows, sorted.

    >>> alphabet(Seq((Step("b"), Step("a"), Step(""))))
    ('a', 'b')
    """
    return tuple(sorted(set(_keys(grammar))))


def _keys(node: Node) -> Iterator[str]:
    match node:
        case Step(key):
            yield from [key] if key else []
        case Task(_, body):
            yield from _keys(body)
        case Seq(parts) | Both(parts) | Choice(_, parts):
            yield from chain.from_iterable(map(_keys, parts))


def _bare(node: Node) -> Node:
    """The node as far as keys go: no times, tasks or weights; equal threads in one order."""
    match node:
        case Step(key):
            return Step(key) if key else _DONE
        case Task(_, body):
            return _bare(body)
        case Seq(parts):
            return _in_a_row(map(_bare, parts))
        case Both(parts):
            return _at_once(map(_bare, parts))
        case Choice(_, parts):
            return Choice((), tuple(dict.fromkeys(map(_bare, parts))))


def _in_a_row(parts: Iterable[Node]) -> Node:
    flat = tuple(chain.from_iterable(part.parts if isinstance(part, Seq) else (part,) for part in parts))
    return flat[0] if len(flat) == 1 else Seq(flat)


def _at_once(parts: Iterable[Node]) -> Node:
    left = sorted((part for part in parts if part != _DONE), key=repr)
    return Both(tuple(left)) if len(left) > 1 else left[0] if left else _DONE


def _may_end(node: Node) -> bool:
    match node:
        case Seq(parts) | Both(parts):
            return all(map(_may_end, parts))
        case Choice(_, parts):
            return any(map(_may_end, parts))
        case _:
            return False


def _after(node: Node, key: str) -> Iterator[Node]:
    """All that may remain of a bare node once the key was read (Antimirov's partial derivatives)."""
    match node:
        case Step(own):
            yield from [_DONE] if own == key else []
        case Seq(parts) if parts:
            yield from (_in_a_row((rest, *parts[1:])) for rest in _after(parts[0], key))
            yield from _after(_in_a_row(parts[1:]), key) if _may_end(parts[0]) else ()
        case Both(parts):
            for index, part in enumerate(parts):
                others = parts[:index] + parts[index + 1 :]
                yield from (_at_once((rest, *others)) for rest in _after(part, key))
        case Choice(_, parts):
            yield from chain.from_iterable(_after(part, key) for part in parts)
