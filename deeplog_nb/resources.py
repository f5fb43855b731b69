"""Finds the files that ship beside the code: widgets/, datasets/, notebooks/, in wheel or checkout.

It does not read them, and knows nothing of what they mean.
"""

from __future__ import annotations

from pathlib import Path

from deeplog_nb.frames import InputError

_PACKAGE = Path(__file__).parent
_PLACES = (_PACKAGE / "_shipped", _PACKAGE.parent)  # where the wheel puts them; where the checkout has them


def shipped(*parts: str) -> Path:
    """Path of a shipped file or folder, such as ``shipped("datasets", "openstack")``.

    >>> shipped("datasets").is_dir()
    True
    """
    for place in _PLACES:
        path = place.joinpath(*parts)
        if path.exists():
            return path
    raise InputError(f"{'/'.join(parts)} is not among the shipped files; is this installation complete?")
