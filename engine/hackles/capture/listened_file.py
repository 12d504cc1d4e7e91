"""One recording of a watched folder: from the first sight of it to the end of its call."""

import os
from collections.abc import Callable, Iterator
from enum import Enum, auto
from typing import Final

import numpy as np

from hackles.capture.files import Channels, Recording, open_recording
from hackles.capture.growing import HEAD_BYTES, GrowingRecording, layout_of
from hackles.config import SAMPLE_RATE
from hackles.errors import AudioError
from hackles.types import Array

_HIGHEST_HZ: Final = 384_000
_NOTHING: Final[Array] = np.empty(0, np.float32)


class Stage(Enum):
    """Where a recording stands."""

    WAITING = auto()
    """It was there before, and has not grown since."""
    NEW = auto()
    """It grows, and has not been opened."""
    OPEN = auto()
    """It is listened to."""
    OVER = auto()
    """It was heard to its end."""
    REFUSED = auto()
    """Nobody listens to it, whatever comes."""


class WholeRecording:
    """A recording that grows no more, of any format that can be decoded."""

    was_cut: Final = False

    def __init__(self, path: str, channels: Channels) -> None:
        """Open it.

        Raises:
            AudioError: if it cannot be read, or has not the channels that were named.
        """
        self._recording: Recording = open_recording(path, channels)
        self._blocks: Iterator[Array] = (block.samples for block, _ in self._recording.blocks())
        self._waiting = _NOTHING
        self.is_read = False

    def take(self, n_samples: int) -> Array:
        """Return the next samples, at most so many.

        Raises:
            AudioError: after the last of them, if the file could not be read to its end.
        """
        if not len(self._waiting) and not self.is_read:
            self._waiting = next(self._blocks, _NOTHING)
            self.is_read = not len(self._waiting)
        taken, self._waiting = self._waiting[:n_samples], self._waiting[n_samples:]
        return taken

    def skip_to(self, n_samples: int) -> int:  # noqa: ARG002
        """Pass over nothing: what was recorded whole is never behind."""
        return 0

    def close(self) -> None:
        """Close the file."""
        self._recording.close()


class ListenedFile:
    """A recording, and its call if it has one.

    Attributes:
        path: where it lies now.
        name: of the call.
        changed_ns: when it was last changed, by the clock of the disk.
        slot: of the call, if it is listened to.
        stage: where it stands.
        is_to_skip: whether to drop the oldest of what waits.
    """

    def __init__(
        self, path: str, name: str, stage: Stage, quiet_s: float, clock: Callable[[], float]
    ) -> None:
        """Note a file, which is over when it has been quiet for `quiet_s`."""
        self.path, self.name, self.stage = path, name, stage
        self.slot: int | None = None
        self.is_to_skip = False
        self.changed_ns = 0
        self._quiet_s, self._clock = quiet_s, clock
        self._size, self._grew_s = 0, clock()
        self._has_grown = self._was_seen = False
        self._source: GrowingRecording | WholeRecording | None = None

    @property
    def is_active(self) -> bool:
        """Whether something is to be done about it."""
        is_awake = self.stage is Stage.OVER and self._has_grown
        return is_awake or self.stage in (Stage.NEW, Stage.OPEN)

    def is_replaced_by(self, path: str, status: os.stat_result) -> bool:
        """Return whether another file has its place on the disk now: it was not just moved."""
        is_same = (self._size, self.changed_ns) == (status.st_size, status.st_mtime_ns)
        return self._source is None and path != self.path and not is_same

    def saw(self, size: int) -> None:
        """Note how large the file is now; one that is shorter than before is a new recording."""
        self._was_seen = True
        if size == self._size:
            return
        self._has_grown, was_cut = size > self._size, size < self._size
        self._size, self._grew_s = size, self._clock()
        is_at_rest = self._source is None and self.stage is not Stage.NEW
        if is_at_rest and (was_cut or self.stage is Stage.WAITING):
            self.stage = Stage.NEW

    def is_ready(self, channels: Channels) -> bool:
        """Open the file as soon as its samples can be told; return whether they can.

        Raises:
            AudioError: if it cannot be read, or has not the channels that were named.
            OSError: likewise.
        """
        if self._source is None and self._was_seen and self._size:
            self._was_seen = False  # before it is seen again, there is nothing new to be tried
            self._source = self._opened(channels)
            if self._source is not None:
                self.stage = Stage.OPEN
        return self._source is not None

    def take(self, n_samples: int) -> Array:
        """Return the next samples, at most so many.

        Raises:
            AudioError: if it could not be read to its end.
            OSError: likewise.
        """
        source = self._source
        if source is None:
            return _NOTHING
        if isinstance(source, GrowingRecording):
            self.saw(source.size)
            samples = source.take(n_samples)
            if source.is_read and (self._is_quiet or source.is_removed):
                source.end()
                samples = np.concatenate([samples, source.take(n_samples - len(samples))])
            return samples
        return source.take(n_samples)

    def skip_to(self, n_samples: int) -> int:
        """Pass over all but about the last samples; return about how many that were."""
        self.is_to_skip = False
        return 0 if self._source is None else self._source.skip_to(n_samples)

    @property
    def was_cut(self) -> bool:
        """Whether the file lost what had been read of it."""
        return self._source is not None and self._source.was_cut

    @property
    def is_over(self) -> bool:
        """Whether no more comes."""
        source = self._source
        is_whole = not isinstance(source, GrowingRecording) or source.is_ended
        return source is not None and is_whole and source.is_read

    def leave(self, stage: Stage) -> None:
        """Close the file; its call has ended, or is no business of ours."""
        if self._source is not None:
            self._source.close()
            self._source = None
        self.slot, self.stage = None, stage
        self.is_to_skip = self._has_grown = False

    @property
    def _is_quiet(self) -> bool:
        return self._clock() - self._grew_s >= self._quiet_s

    def _opened(self, channels: Channels) -> GrowingRecording | WholeRecording | None:
        """Return what reads the file: as it grows if that can be, else once it is quiet."""
        try:
            with open(self.path, "rb") as file:
                layout = layout_of(self.path, file.read(HEAD_BYTES))
        except FileNotFoundError:  # it was moved, or was never meant to be a call
            return None
        if layout is None:
            return WholeRecording(self.path, channels) if self._is_quiet else None
        if self._size <= layout.start:
            return None
        form, column = layout.form, channels.customer or 0
        if not SAMPLE_RATE <= form.sample_rate <= _HIGHEST_HZ:
            raise AudioError(
                f"is sampled at {form.sample_rate} Hz; hackles needs {SAMPLE_RATE} to {_HIGHEST_HZ}"
            )
        if (channels.customer is None) != (form.n_channels == 1) or column >= form.n_channels:
            raise AudioError(
                f"has {form.n_channels} channels, and the customer is not where the folder's "
                "settings say; name another as `customer`"
            )
        return GrowingRecording(self.path, layout, column)
