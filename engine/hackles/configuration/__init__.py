"""The configuration file: read, checked as a whole, and told of in words."""

from hackles.configuration.checking import Checked, check, load
from hackles.configuration.faults import Fault
from hackles.configuration.telling import example, summary, ways_in

__all__ = ["Checked", "Fault", "check", "example", "load", "summary", "ways_in"]
