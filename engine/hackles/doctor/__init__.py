"""`hackles doctor`: where an installation stands, a line for each thing, and what to do."""

from hackles.doctor.showing import run

__all__ = ["run"]
