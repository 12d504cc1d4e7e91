"""Bare samples from named pipes and standard input: each writer is a call, the customer alone.

A writer that comes right after another, before a tick has seen that nobody writes, goes on with
the other's call: a pipe cannot tell them apart.
"""

import logging
import os
import select
import stat
from collections import Counter
from collections.abc import Sequence
from typing import Final

from hackles.capture.bare import BareSamples, Form, Gathered
from hackles.capture.intake import Fate, Offer, OpenCall, Received, Troubles
from hackles.errors import UsageError
from hackles.settings import Pipe
from hackles.types import Role

_log = logging.getLogger(__name__)

_STANDARD_INPUT: Final = "-"
_FORGET_BYTES: Final = 2**16
_MOST_FORGOTTEN: Final = 64
"""Reads of one tick at most for what nobody listens to: no writer may hold up the others."""


class Pipes:
    """Calls that come through pipes; an `Intake`.

    Attributes:
        troubles: what went wrong since somebody last cleared it.
    """

    def __init__(self, pipes: Sequence[Pipe], max_samples: int) -> None:
        """Open all of them.

        Args:
            pipes: which.
            max_samples: the most samples of one call to hand over in a tick.

        Raises:
            UsageError: if one cannot be opened.
        """
        self.troubles: Troubles = Counter()
        self._max_samples = max_samples
        self._mouths: list[_Mouth] = []
        for path, count in Counter(pipe.path for pipe in pipes).items():
            if count > 1:
                raise UsageError(
                    f"{count} [[pipe]] sections read {path!r}; a pipe is one call, so give each "
                    "its own."
                )
        try:
            self._mouths += map(_Mouth, pipes)
        except UsageError:
            self.close()
            raise

    def receive(self, open_call: OpenCall) -> Received:
        """Take in what has come since the last tick, calls that begin among it."""
        gathered = Gathered()
        for mouth in self._mouths:
            mouth.tick(self._max_samples, open_call, gathered, self.troubles)
        return gathered.received

    def skip(self, slots: Sequence[int]) -> None:
        """Drop the oldest of what waits of these calls, at the next `receive`; tell it as lost."""
        for mouth in self._mouths:
            mouth.is_to_skip = mouth.is_to_skip or mouth.slot in slots

    def forget(self, slot: int) -> None:
        """Hand over no more of a call; what its writer still brings is read and forgotten."""
        for mouth in self._mouths:
            if mouth.slot == slot:
                mouth.forget()

    def close(self) -> None:
        """Let go of all pipes; whoever writes then meets an error."""
        for mouth in self._mouths:
            os.close(mouth.descriptor)
        self._mouths.clear()


class _Mouth:
    """Where a pipe ends here.

    Attributes:
        pipe: which.
        descriptor: an open file of ours.
        slot: of the call that goes on, if it is listened to.
        is_to_skip: whether to drop the oldest of what waits.
    """

    def __init__(self, pipe: Pipe) -> None:
        self.pipe = pipe
        self.descriptor = _opened(pipe.path)
        self.slot: int | None = None
        self.is_to_skip = False
        # A file is never behind: it was not spoken just now.
        self._is_file = stat.S_ISREG(os.fstat(self.descriptor).st_mode)
        self._form = Form(pipe.encoding, pipe.sample_rate)
        self._samples = BareSamples(self._form)
        self._n_calls = 0
        self._is_open = self._is_ending = self._is_spent = False
        self._poll = select.poll()
        self._poll.register(self.descriptor, select.POLLIN)

    def tick(
        self, max_samples: int, open_call: OpenCall, gathered: Gathered, troubles: Troubles
    ) -> None:
        """Take in what has come; begin and end calls."""
        if not self._is_spent and not self._is_ending:
            self._take_in(max_samples, open_call, troubles)
        if self.slot is None:
            self._is_ending = False
            return
        lost = self._samples.keep(max_samples) if self.is_to_skip else 0
        self.is_to_skip = False
        samples = self._samples.take(max_samples)
        gathered.add(self.slot, samples, lost, self._is_drained())
        if self._is_ending and not len(self._samples):
            gathered.end(self.slot)
            self.slot, self._is_ending = None, False

    def forget(self) -> None:
        """Listen no longer to the call that goes on."""
        self.slot, self.is_to_skip = None, False

    def _take_in(self, max_samples: int, open_call: OpenCall, troubles: Troubles) -> None:
        """Read as much as a tick has room for; all there is if nobody listens, or some is to go."""
        wanted = self._form.bytes_for(max_samples)
        if self._is_open and (self.slot is None or self.is_to_skip):
            most, size = _MOST_FORGOTTEN, max(wanted, _FORGET_BYTES)
        else:
            most, size = int(len(self._samples) < max_samples), wanted
        for _ in range(most):
            data = self._read(size)
            if data is None:
                return
            if not data:
                self._hang_up(troubles)
                return
            if not self._is_open:
                self._begin(open_call)
            if self.slot is not None:
                self._samples.push(data)

    def _read(self, size: int) -> bytes | None:
        """Return what is there, b"" if nobody writes (any longer), None if there is nothing yet."""
        # Asked first, because standard input may be a terminal that others want to wait for.
        if not self._poll.poll(0):
            return None
        try:
            return os.read(self.descriptor, size)
        except BlockingIOError:
            return None
        except OSError as error:
            _log.warning("Pipe %s cannot be read (%s).", self.pipe.path, error.strerror)
            return b""

    def _begin(self, open_call: OpenCall) -> None:
        """Ask whether the call that begins is to be listened to."""
        self._n_calls += 1
        name = self.pipe.call if self._n_calls == 1 else f"{self.pipe.call}-{self._n_calls}"
        self._is_open = True
        self._samples = BareSamples(self._form)
        self.slot = open_call(Offer(name, role=Role.CUSTOMER))

    def _hang_up(self, troubles: Troubles) -> None:
        """Note that the writer has gone; a named pipe waits for the next one."""
        self._is_spent = self.pipe.path == _STANDARD_INPUT
        if self._is_spent:
            self._poll.unregister(self.descriptor)
        if not self._is_open:
            return
        self._is_open, self._is_ending = False, True
        if self._samples.end() and self.slot is not None:
            troubles[Fate.BROKEN] += 1

    def _is_drained(self) -> bool:
        """Return whether nothing more waits, here or in the kernel."""
        if self._is_file:
            return True
        if len(self._samples):
            return False
        return self._is_spent or not any(now & select.POLLIN for _, now in self._poll.poll(0))


def _opened(path: str) -> int:
    """Return a descriptor of our own.

    Raises:
        UsageError: if it is no pipe that can be read.
    """
    if path == _STANDARD_INPUT:
        try:
            return os.dup(0)
        except OSError as error:
            raise UsageError(
                "Standard input is closed, so no call can come from there; take out the [[pipe]] "
                'section with path = "-".'
            ) from error
    try:
        if not stat.S_ISFIFO(os.stat(path).st_mode):
            raise UsageError(
                f"{path} is no named pipe; give another path, and make it with mkfifo."
            )
        return os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError as error:
        raise UsageError(f"There is no pipe {path}; make it with: mkfifo {path}") from error
    except OSError as error:
        raise UsageError(
            f"The pipe {path} cannot be read ({error.strerror}); change its permissions."
        ) from error
