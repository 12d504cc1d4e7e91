"""A model that was chosen, before it is run."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from hackles.classifier import DEFAULT_SENSITIVITY, Classifier, digest
from hackles.settings import DEFAULT_MODEL as DEFAULT

__all__ = ["DEFAULT", "SHOWN", "Model"]

SHOWN: Final = 12
"""So many signs of a digest tell models apart, in names and on screens."""


@dataclass(frozen=True, slots=True)
class Model:
    """A model, whole: what becomes of its file later does not matter. It can be pickled.

    Attributes:
        name: "default", that of an installed one, or a path.
        path: where it was read.
        content: of the file.
        sensitivity: at which it is to judge.
    """

    name: str
    path: Path
    content: bytes
    sensitivity: str = DEFAULT_SENSITIVITY

    @property
    def digest(self) -> str:
        """The hash by which it is known."""
        return digest(self.content)

    def load(self) -> Classifier:
        """Return it as the engine runs it, loaded once in each process.

        Raises:
            ModelError: if it is none that can be run.
            UsageError: if it has no such sensitivity.
        """
        return _loaded(self.path, self.content).at(self.sensitivity)


@lru_cache(maxsize=4)
def _loaded(path: Path, content: bytes) -> Classifier:
    return Classifier(path, content)
