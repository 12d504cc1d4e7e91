"""baresip's calls, as its module ctrl_tcp tells them: JSON in netstrings over TCP."""

import asyncio
import logging
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from typing import Final

import msgspec

from hackles.capture.complaints import Complaints
from hackles.live.softphones.handset import Handset, PhoneCall, reason
from hackles.live.softphones.netstrings import Netstrings, netstring
from hackles.settings import host_port

_log = logging.getLogger(__name__)

REST_S: Final = 1.0
"""Before baresip is looked for again."""

_PATIENCE_S: Final = 3.0
_ASK_EVERY_S: Final = 5.0
_MOST_CALLS: Final = 32
_MOST_READ: Final = 2**16
_LONGEST_LINE: Final = 1000

_MARK: Final = "hackles"
_ASKING: Final = netstring(b'{"command":"listcalls","token":"%s"}' % _MARK.encode())

_MOVES: Final = frozenset(
    {
        "CALL_ESTABLISHED",
        "CALL_CLOSED",
        "CALL_LOCAL_SDP",
        "CALL_REMOTE_SDP",
        "CALL_HOLD",
        "CALL_RESUME",
    }
)
"""After these another call may be the one that is heard."""

_LISTED: Final = re.compile(
    r"[> ]*\[line \d+(?:, id (?P<id>\S+))?\] +[\d:]+ +ESTABLISHED +"
    r"(?P<held>\(on hold\) +)?(?P<peer>\S+) *"
)
"""A call of which people speak, as `listcalls` lists it; older versions leave its id out."""


class _Message(msgspec.Struct):
    """What baresip says; whatever else is in it is of no interest."""

    event: bool = False
    type: str = ""
    id: str = ""
    peeruri: str = ""
    direction: str = ""
    token: str = ""
    data: str = ""


_read_message = msgspec.json.Decoder(_Message).decode


class BaresipCalls:
    """The calls that baresip's messages tell of, in the order in which they began."""

    def __init__(self) -> None:
        """Begin with none."""
        self.calls: list[PhoneCall] = []
        self._count = 0

    def take(self, content: bytes) -> bool:
        """Take in a message, and return whether the list of calls must be asked for.

        Raises:
            msgspec.DecodeError: if it is none of baresip's.
        """
        message = _read_message(content)
        if not message.event:
            if message.token == _MARK:
                self._list(message.data)
            return False
        if message.type == "CALL_ESTABLISHED":
            self._establish(message)
        elif message.type == "CALL_CLOSED":
            self._close(message)
        may_be_another = len(self.calls) > 1 or any(call.is_held for call in self.calls)
        return may_be_another and message.type in _MOVES

    def _establish(self, message: _Message) -> None:
        if not any(call.id == message.id for call in self.calls if call.id):
            is_dialled = message.direction != "incoming"
            self._add(message.id, message.peeruri, is_dialled, is_held=False)

    def _close(self, message: _Message) -> None:
        by_id = [call for call in self.calls if call.id and call.id == message.id]
        by_peer = [call for call in self.calls if not call.id and call.peer == message.peeruri]
        for call in (by_id or by_peer)[:1]:
            self.calls.remove(call)

    def _list(self, text: str) -> None:
        """Take over what is listed: what is known already stays what and where it was."""
        lines = [line for line in text.splitlines() if len(line) < _LONGEST_LINE]
        listed = [
            found.groupdict("") for line in lines if (found := _LISTED.fullmatch(line)) is not None
        ]
        known, self.calls = self.calls, []
        for call in known:
            for one in listed:
                if call.id == one["id"] if one["id"] else call.peer == one["peer"]:
                    self.calls.append(replace(call, is_held=bool(one["held"])))
                    listed.remove(one)
                    break
        for one in listed:  # who has called is not in the list
            self._add(one["id"], one["peer"], is_dialled=True, is_held=bool(one["held"]))

    def _add(self, id_: str, peer: str, is_dialled: bool, is_held: bool) -> None:
        self._count += 1
        if len(self.calls) < _MOST_CALLS:
            self.calls.append(PhoneCall(str(self._count), peer, id_, is_dialled, is_held))


class Baresip:
    """A connection to baresip, made again whenever it breaks."""

    def __init__(self, address: str, handset: Handset) -> None:
        """Connect to nobody yet.

        Args:
            address: where the module ctrl_tcp listens: host:port.
            handset: is told which calls there are.
        """
        self._address, self._handset = address, handset
        self._calls = BaresipCalls()
        self._complaints = Complaints(_log)
        self._is_missed = False

    async def run(self) -> None:
        """Listen to what baresip tells, for ever; it may come and go."""
        while True:
            try:
                await self._meet()
            except (OSError, TimeoutError, ValueError, OverflowError) as error:  # a port of 99999
                self._miss(error)
            self._handset.away(asyncio.get_running_loop().time())
            await asyncio.sleep(REST_S)

    async def _meet(self) -> None:
        """Connect, and listen until the connection breaks.

        Raises:
            OSError: if nobody is there.
            TimeoutError: if nobody answers any longer.
            ValueError: if it is somebody else than baresip.
        """
        async with asyncio.timeout(_PATIENCE_S):
            reader, writer = await asyncio.open_connection(*host_port(self._address))
        try:
            if writer.get_extra_info("sockname") == writer.get_extra_info("peername"):
                raise ConnectionError("nobody is there")  # but this socket itself, by chance
            _log.info("baresip answers at %s.", self._address)
            self._is_missed = False
            await self._listen(reader, writer)
        finally:
            writer.close()

    async def _listen(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take in what is said; asked now and then, baresip lists what no event would tell."""
        loop, netstrings = asyncio.get_running_loop(), Netstrings()
        asked = answered = loop.time()
        writer.write(_ASKING)
        while True:
            some = None
            with suppress(TimeoutError):
                async with asyncio.timeout_at(asked + _ASK_EVERY_S):
                    some = await reader.read(_MOST_READ)
            if some == b"":
                raise ConnectionError("it has hung up")
            must_ask = some is not None and self._hear(netstrings.push(some))
            now = loop.time()
            answered = now if some else answered
            if now - answered > 2 * _ASK_EVERY_S:
                raise TimeoutError("it says nothing any more")
            if must_ask or now - asked >= _ASK_EVERY_S:
                writer.write(_ASKING)
                asked = now

    def _hear(self, contents: Iterable[bytes]) -> bool:
        """Take in messages, and return whether the list of calls must be asked for."""
        must_ask = False
        for content in contents:
            try:
                must_ask |= self._calls.take(content)
            except msgspec.DecodeError as error:
                self._complaints.warning("What baresip says cannot be read: %s.", error)
            else:
                self._handset.become(self._calls.calls)
        return must_ask

    def _miss(self, error: Exception) -> None:
        """Say once that baresip is not there."""
        if not self._is_missed:
            _log.warning(
                "No baresip tells of calls at %s (%s); it is tried again every second. baresip "
                "needs the module ctrl_tcp, and serves one at a time.",
                self._address,
                reason(error),
            )
        self._is_missed = True
