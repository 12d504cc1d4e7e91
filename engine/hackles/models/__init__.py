"""Which model is used: one that was named, else the one in use; both may be hackles' own."""

from hackles.models.installed import Models, chosen
from hackles.models.model import DEFAULT, SHOWN, Model

__all__ = ["DEFAULT", "SHOWN", "Model", "Models", "chosen"]
