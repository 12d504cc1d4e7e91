"""Features on disk, under a hash of everything they depend on.

What is measured again takes minutes; what is kept too long is wrong. So an entry's name holds the
hash of the code, the packages and the recordings it came from: change one, and it is not found.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import version
from pathlib import Path

import numpy as np

from benchmarks.record import ROOT
from hackles.types import AnyArray

DEFAULT = ROOT / ".cache"


def digest(
    sources: Iterable[Path] = (), packages: Iterable[str] = (), facts: Iterable[str] = ()
) -> str:
    """Return a hash of what a result depends on.

    Args:
        sources: files whose contents matter; a folder stands for every Python file below it.
        packages: installed packages whose version matters.
        facts: anything else, as text, in an order that matters.
    """
    found = hashlib.sha256()
    for source in sources:
        for file in sorted(source.rglob("*.py")) if source.is_dir() else [source]:
            found.update(file.name.encode() + b"\0" + _contents(file))
    for package in packages:
        found.update(f"{package} {version(package)}\0".encode())
    for fact in facts:
        found.update(fact.encode() + b"\0")
    return found.hexdigest()[:24]


def _contents(file: Path) -> bytes:
    return hashlib.sha256(file.read_bytes()).digest()


def kept(
    folder: Path, name: str, key: str, make: Callable[[], Mapping[str, AnyArray]]
) -> dict[str, AnyArray]:
    """Return arrays by name from `folder`, made and written there if they are not in it."""
    path = folder / f"{name}-{key}.npz"
    if not path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".part")
        with unfinished.open("wb") as out:
            np.savez(out, allow_pickle=False, **dict(make()))
        unfinished.replace(path)  # a run that is stopped half-way leaves no half of an entry
    with np.load(path) as entry:
        return {what: entry[what] for what in entry.files}
