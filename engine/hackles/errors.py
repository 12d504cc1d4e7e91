"""Every error that hackles raises on purpose.

    HacklesError
    ├── UsageError          what was asked for cannot be done as asked (exit code 2)
    │   └── RoleError       whose voice it is was not said, or must not be scored
    ├── AudioError          a recording cannot be read, or not to its end
    │   └── AwayError       a device, or the sound server, is not there now; it may come back
    ├── ModelError          the detector's file is not one that this engine can run
    └── StoreError          the record cannot be reached, read or written now

Each message is one sentence (or two) that says what to do. A foreign error becomes one of
these where it is met, with the original as its cause; anything else is a bug and is raised.
"""


class HacklesError(Exception):
    """Base of all errors below."""


class UsageError(HacklesError):
    """What was asked for cannot be done as asked."""


class RoleError(UsageError):
    """Whose voice a channel holds was not said, or is one that must not be scored."""


class AudioError(HacklesError):
    """A recording cannot be read, or not to its end."""


class AwayError(AudioError):
    """A device, or the sound server, is not there now; it may come back."""


class ModelError(HacklesError):
    """The detector's file is not one that this engine can run."""


class StoreError(HacklesError):
    """The record cannot be reached, read or written now."""
