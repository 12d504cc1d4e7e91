"""Folders into which a telephone system records: each recording that grows is a call.

What Asterisk and most recorders write (WAV of 16 bits or G.711, bare samples) is heard while it is
written; anything else when it is whole. Recordings are known by their place on the disk, so that
one which is moved is not taken for another.
"""

import itertools
import logging
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Final, TypeAlias

from hackles.capture.bare import Gathered
from hackles.capture.files import AUDIO_SUFFIXES, Channels, parse_channels
from hackles.capture.growing import is_raw_name
from hackles.capture.intake import Fate, Offer, OpenCall, Received, Refusal, Troubles
from hackles.capture.listened_file import ListenedFile, Stage
from hackles.errors import AudioError, UsageError
from hackles.settings import Folder
from hackles.types import Role

_log = logging.getLogger(__name__)

_Place: TypeAlias = tuple[int, int]
"""Device and inode."""

_LOOK_S: Final = 1.0
_MOST_LOOKED_AT: Final = 1000
"""Files in a tick: a folder that was never cleared must not hold up the calls."""


class WatchedFolders:
    """Calls that are recordings in the making; an `Intake`.

    Attributes:
        troubles: what went wrong since somebody last cleared it.
    """

    def __init__(
        self,
        folders: Sequence[Folder],
        max_samples: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Look at what is there already, which is no call unless it grows.

        Args:
            folders: which to watch, with all below them.
            max_samples: the most samples of one call to hand over in a tick.
            clock: seconds from any start.

        Raises:
            UsageError: if one is no folder, or names no channel.
        """
        self.troubles: Troubles = Counter()
        self._max_samples = max_samples
        self._watched = [_Watched(folder, clock) for folder in folders]

    def receive(self, open_call: OpenCall) -> Received:
        """Take in what has been written since the last tick, calls that begin among it."""
        gathered = Gathered()
        for watched in self._watched:
            watched.look()
            for file in watched.active():
                self._listen(watched, file, open_call, gathered)
        return gathered.received

    def skip(self, slots: Sequence[int]) -> None:
        """Drop the oldest of what waits of these calls, at the next `receive`; tell it as lost."""
        for file in self._files():
            file.is_to_skip = file.is_to_skip or file.slot in slots

    def forget(self, slot: int) -> None:
        """Hand over no more of a call, whose slot is free now."""
        for file in self._files():
            if file.slot == slot:
                file.leave(Stage.REFUSED)

    def close(self) -> None:
        """Close all files, and listen to none any longer."""
        for file in self._files():
            file.leave(Stage.REFUSED)
        self._watched.clear()

    def _files(self) -> Iterator[ListenedFile]:
        return itertools.chain.from_iterable(watched.active() for watched in self._watched)

    def _listen(
        self, watched: "_Watched", file: ListenedFile, open_call: OpenCall, gathered: Gathered
    ) -> None:
        """Hand over what is new of a file; nothing that is wrong with one touches the others."""
        try:
            if file.stage is Stage.OVER:
                self._complain(file)
            elif file.is_ready(watched.channels) and file.slot is None:
                # A name that is no valid text in this locale is told as well as text can.
                name = file.name.encode(errors="surrogateescape").decode(errors="replace")
                file.slot = open_call(Offer(name, role=Role.CUSTOMER))
                if file.slot is None:
                    file.leave(Stage.REFUSED)
            if file.slot is not None:
                self._hand_over(file, file.slot, gathered)
        except (AudioError, OSError) as error:
            self._refuse(file, error, gathered)

    def _hand_over(self, file: ListenedFile, slot: int, gathered: Gathered) -> None:
        lost = file.skip_to(self._max_samples) if file.is_to_skip else 0
        gathered.add(slot, file.take(self._max_samples), lost)
        if file.was_cut and not file.is_over:
            _log.warning("Recording %s was cut while it was listened to; its call ends.", file.name)
            self.troubles[Fate.BROKEN] += 1
        if file.is_over or file.was_cut:
            gathered.end(slot)
            file.leave(Stage.WAITING if file.was_cut else Stage.OVER)

    def _complain(self, file: ListenedFile) -> None:
        """Say once that a recording went on after its call was over."""
        _log.warning(
            "Recording %s grew again after it was over, and is not listened to any longer; give "
            "its folder a longer quiet_s.",
            file.name,
        )
        self.troubles[Fate.LATE] += 1
        file.leave(Stage.REFUSED)

    def _refuse(self, file: ListenedFile, error: Exception, gathered: Gathered) -> None:
        """Say once why a file, or the rest of it, cannot be listened to."""
        reason = error if isinstance(error, AudioError) else f"cannot be read ({error})"
        _log.warning("Recording %s %s.", file.name, reason)
        self.troubles[Refusal.CODEC] += 1
        if file.slot is not None:
            gathered.end(file.slot)
        file.leave(Stage.REFUSED)


class _Watched:
    """One folder, and what is known of the recordings below it."""

    def __init__(self, folder: Folder, clock: Callable[[], float]) -> None:
        self.channels: Channels = parse_channels(folder.customer, None)
        if not os.path.isdir(folder.path):
            raise UsageError(
                f"{folder.path} is no folder that can be watched; make it, or give another path."
            )
        self._folder, self._clock = folder, clock
        self._files: dict[_Place, ListenedFile] = {}
        self._active: dict[_Place, ListenedFile] = {}
        self._found: set[_Place] = set()
        for path, status in _recordings(folder.path):
            self._note(path, status)
        for file in self._files.values():
            file.leave(Stage.WAITING)
        self._round: Iterator[tuple[str, os.stat_result]] | None = None
        self._due_s = clock() + _LOOK_S

    def active(self) -> list[ListenedFile]:
        """Return the files that something is to be done about."""
        self._active = {place: file for place, file in self._active.items() if file.is_active}
        return list(self._active.values())

    def look(self) -> None:
        """Look for recordings that are new, have grown or are gone, a part of them at a time."""
        now_s = self._clock()
        if self._round is None:
            if now_s < self._due_s:
                return
            self._round, self._due_s = _recordings(self._folder.path), now_s + _LOOK_S
            self._found = set()
        looked_at = list(itertools.islice(self._round, _MOST_LOOKED_AT))
        for path, status in looked_at:
            self._note(path, status)
        if len(looked_at) < _MOST_LOOKED_AT:
            self._round = None
            for place in self._files.keys() - self._found:
                if self._files[place].slot is None:
                    self._files.pop(place).leave(Stage.REFUSED)

    def _note(self, path: str, status: os.stat_result) -> None:
        """Take note of a file that was seen."""
        place = status.st_dev, status.st_ino
        self._found.add(place)
        file = self._files.get(place)
        if file is None or file.is_replaced_by(path, status):
            file = ListenedFile(
                path, self._name(path), Stage.NEW, self._folder.quiet_s, self._clock
            )
            self._files[place] = file
        file.path, file.changed_ns = path, status.st_mtime_ns
        if file.slot is None:
            file.name = self._name(path)
        file.saw(status.st_size)
        if file.is_active:
            self._active[place] = file

    def _name(self, path: str) -> str:
        """Return a call's name."""
        return os.path.relpath(path, self._folder.path).replace(os.sep, "/")


def _recordings(folder: str) -> Iterator[tuple[str, os.stat_result]]:
    """Yield the recordings below a folder; links are not followed, names with a dot left out."""
    for inner, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            ending = os.path.splitext(name)[1].lower()
            if not name.startswith(".") and (ending in AUDIO_SUFFIXES or is_raw_name(name)):
                path = os.path.join(inner, name)
                try:
                    status = os.stat(path, follow_symlinks=False)
                except OSError:  # gone since
                    continue
                if os.path.isfile(path) and not os.path.islink(path):
                    yield path, status
