"""linphone-daemon's calls, by its pipe: a unix socket that answers a command at a time.

It serves one program at a time. So it is asked once a second and left alone in between: whoever
dials and answers through the same pipe gets in.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from itertools import chain
from typing import Final

from hackles.live.softphones.handset import Handset, PhoneCall, reason

_log = logging.getLogger(__name__)

REST_S: Final = 1.0
_PATIENCE_S: Final = 2.0
_MOST_READ: Final = 2**16
_TRIED: Final = 500
"""Calls are numbered; a call's number is found by asking for those after the last one known."""

_HELD: Final = frozenset({"Pausing", "Paused"})
_TALKING: Final = _HELD | {
    "Connected",
    "StreamsRunning",
    "Resuming",
    "PausedByRemote",
    "Updating",
    "UpdatedByRemote",
    "Referred",
}

Ask = Callable[[str], Awaitable[str]]


def said(answer: str) -> dict[str, str]:
    """Return what an answer says, by the names of its lines; nothing if it is a refusal."""
    pairs = [line.partition(":")[::2] for line in answer.splitlines()]
    found = {name.strip(): value.strip() for name, value in pairs if name.strip()}
    return found if found.get("Status") == "Ok" else {}


class LinphoneCalls:
    """The calls that linphone's answers tell of, in the order in which they began.

    Asked for its current call, it knows of none while that is on hold; so the call's number is
    looked for, by which it can be asked for as long as it lasts.
    """

    def __init__(self) -> None:
        """Begin with none."""
        self.calls: list[PhoneCall] = []
        self._last = 0

    def restart(self) -> None:
        """Note that linphone has gone: it will number its calls anew."""
        self._last = 0

    async def look(self, ask: Ask) -> None:
        """See which calls there are now.

        Raises:
            OSError: if linphone does not answer.
            TimeoutError: if it does not answer in time.
        """
        calls = []
        for call in self.calls:
            now = _talk(await ask(f"call-status {call.key}"), call.key)
            if now is not None:
                peer = now.peer or call.peer
                calls.append(replace(now, peer=peer, is_dialled=call.is_dialled))
        current = _talk(await ask("call-status"))
        if current is not None and not any(_is_same(call, current) for call in calls):
            calls += await self._number(current, {call.key for call in calls}, ask)
        self.calls = calls

    async def _number(self, current: PhoneCall, others: set[str], ask: Ask) -> list[PhoneCall]:
        """Return the current call with its number; none if it is over by now."""
        numbers = chain(range(self._last + 1, self._last + _TRIED), range(1, self._last + 1))
        for number in numbers:
            if str(number) in others:
                continue
            call = _talk(await ask(f"call-status {number}"), str(number))
            if call is not None and _is_same(call, current):
                self._last = number
                return [call]
        return []


def _talk(answer: str, key: str = "") -> PhoneCall | None:
    """Return the call of which an answer tells, if people can speak in it."""
    lines = said(answer)
    state = lines.get("State", "").removeprefix("LinphoneCall")
    if state not in _TALKING:
        return None
    is_dialled = lines.get("Direction") != "in"  # while on hold it is not said
    return PhoneCall(key, lines.get("From", ""), "", is_dialled, state in _HELD)


def _is_same(call: PhoneCall, current: PhoneCall) -> bool:
    return not call.is_held and current.peer in ("", call.peer)


class Linphone:
    """The pipe of a linphone-daemon, which is looked at once a second."""

    def __init__(self, pipe: str, handset: Handset) -> None:
        """Look at nothing yet.

        Args:
            pipe: the socket's path.
            handset: is told which calls there are.
        """
        self._pipe, self._handset = pipe, handset
        self._calls = LinphoneCalls()
        self._is_missed = False

    async def run(self) -> None:
        """See what linphone does, for ever; it may come and go."""
        while True:
            try:
                await self._look()
            except (OSError, TimeoutError) as error:
                self._miss(error)
            await asyncio.sleep(REST_S)

    async def _look(self) -> None:
        """Ask which calls there are.

        Raises:
            OSError: if nobody is there, or linphone serves somebody else.
            TimeoutError: if nobody answers in time.
        """
        async with asyncio.timeout(_PATIENCE_S):
            try:
                reader, writer = await asyncio.open_unix_connection(self._pipe)
            except OSError:
                self._calls.restart()
                raise
            try:
                await self._calls.look(partial(_ask, reader, writer))
            finally:
                writer.close()
        self._handset.become(self._calls.calls)
        if self._is_missed:
            _log.info("linphone answers at %s.", self._pipe)
        self._is_missed = False

    def _miss(self, error: Exception) -> None:
        """Note that linphone does not answer, and say so once."""
        self._handset.away(asyncio.get_running_loop().time())
        if not self._is_missed:
            _log.warning(
                "No linphone-daemon tells of calls at %s (%s); it is tried again every second. It "
                "makes the pipe /tmp/NAME if it is started with --pipe NAME, and serves one "
                "program at a time.",
                self._pipe,
                reason(error),
            )
        self._is_missed = True


async def _ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, command: str) -> str:
    """Return the answer to a command: it comes in one piece, and has no end of its own."""
    writer.write(command.encode())
    answer = await reader.read(_MOST_READ)
    if not answer:
        raise ConnectionError("it serves another program")
    return answer.decode(errors="replace")
