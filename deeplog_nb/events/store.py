"""The file of a template store: JSON, with a digest of what it says. It knows no lines."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from deeplog_nb.disk import write_whole
from deeplog_nb.frames import InputError, ModelError

if TYPE_CHECKING:
    from deeplog_nb.events.templates import Templates

FORMAT: Final = 2  # 1 had no edits, and masked other values


def sha256(content: object) -> str:
    """The digest of what JSON says of this.

    >>> sha256([1, 2])[:8]
    '3a316d6d'
    """
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def write_store(store: Templates, path: Path) -> None:
    """Write the store, whole or not at all."""
    content: dict[str, Any] = {"format": FORMAT, "digest": store.digest, "tau": float(store.tau), "split": store.split}
    content |= {"templates": [asdict(each) for each in store.known]}
    content |= {"rewrites": [asdict(each) for each in store.rewrites]}
    content |= {"changes": [asdict(each) for each in store.changes]}
    body = json.dumps(content | {"sha256": sha256(content)}, ensure_ascii=False, indent=1)
    write_whole(path, body.encode())


def read_store(path: Path) -> Templates:
    """Read what :func:`write_store` wrote; refuses a file that was changed or is of another version."""
    try:
        content = json.loads(path.read_bytes())
        version, whole = content["format"], content.pop("sha256") == sha256(content)
        store = _store(content) if version == FORMAT else None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); give a file that save() wrote") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ModelError(f"{path}: not a template store ({type(error).__name__}: {error})") from error
    if store is None:
        raise ModelError(f"{path}: a template store of format {version}, this is format {FORMAT}; mine it anew")
    if not whole or content["digest"] != store.digest:
        raise ModelError(f"{path}: changed since it was saved, or masked by another version; mine it anew")
    return store


def _store(content: dict[str, Any]) -> Templates:
    from deeplog_nb.events.rewrite import Rewrite
    from deeplog_nb.events.templates import Change, Known, Templates

    known = [Known(**each | {"literals": tuple(each["literals"])}) for each in content["templates"]]
    tuples = [
        each | {"literals": tuple(each["literals"]), "fills": tuple(each["fills"])} for each in content["rewrites"]
    ]
    rewrites, changes = [Rewrite(**each) for each in tuples], [Change(**each) for each in content["changes"]]
    return Templates(tuple(known), float(content["tau"]), int(content["split"]), tuple(rewrites), tuple(changes))
