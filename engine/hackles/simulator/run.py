"""`hackles simulate`: the clock that all calls follow, and what is shown of them."""

import asyncio
import json
import os
import ssl
import urllib.error
import urllib.request
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.client import HTTPException
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from hackles.capture.files import find_recordings
from hackles.errors import AudioError
from hackles.simulator.calls import Call, customer_of, plan, written
from hackles.simulator.line import Line
from hackles.simulator.target import Order
from hackles.simulator.wires import Wire, wire
from hackles.sinks.output import screen

_PACKET_S: Final = 0.02
_GROUPS: Final = 4
"""Calls begin at so many moments of 20 ms: packets of a telephone system do not come all at once,
and each moment costs a turn of the clock."""

_PATIENCE_S: Final = 10.0


@dataclass(slots=True)
class Played:
    """What came of it.

    Attributes:
        calls: that were played to their end.
        packets: that left.
        late_s: how long after it was due the latest one left.
        faults: sentences, and how many calls each is about.
    """

    calls: int = 0
    packets: int = 0
    late_s: float = 0.0
    faults: Counter[str] = field(default_factory=Counter)


def simulate(order: Order, jsonl: bool) -> int:
    """Play recordings as calls, show which is which, and return the exit code.

    Raises:
        UsageError: if something cannot be done as asked.
        OutputError: if it cannot be shown.
    """
    order.check()
    console, played = screen(), Played()
    was_interrupted = False
    wires = _wires(order, played)
    try:
        asyncio.run(_play(order, wires, played, console, jsonl))
    except KeyboardInterrupt:  # everybody has been hung up on
        was_interrupted = True
    errors = Console(stderr=True, soft_wrap=True)
    for fault, count in played.faults.items():
        more = f" ({count} calls)" if count > 1 else ""
        errors.print(Text(f"{fault}{more}"), style="red", highlight=False)
    (errors if jsonl else console).print(
        f"{played.calls} calls played, {played.packets} packets sent, "
        f"{1000 * played.late_s:.1f} ms late at worst.",
        highlight=False,
    )
    return 130 if was_interrupted else 1 if played.faults else 0


def _wires(order: Order, played: Played) -> list[tuple[Call, Wire]]:
    """Read the recordings, once each, and put each call on its wire."""
    files: list[str] = []
    for path in order.paths:
        try:
            files += find_recordings(path)
        except AudioError as error:
            played.faults[f"{path}: {error}"] += 1
    coding, sample_rate = order.written_as
    calls = plan(list(dict.fromkeys(files)), order.n_calls, order.prefix)
    audio: dict[str, bytes] = {}
    for file in dict.fromkeys(call.file for call in calls):
        samples, fault = customer_of(file, order.channels)
        audio[file] = written(samples, coding, sample_rate)
        if fault:
            played.faults[fault] += 1
    return [(call, wire(call, audio[call.file], order)) for call in calls if audio[call.file]]


async def _play(
    order: Order, wires: list[tuple[Call, Wire]], played: Played, console: Console, jsonl: bool
) -> None:
    """Call, speak and hang up."""
    lines = {call.number: Line(said, order, call.number) for call, said in wires}
    try:
        await asyncio.gather(*(_begin(order, call, lines[call.number]) for call, _ in wires))
        begun = [call for call, _ in wires if lines[call.number].is_speaking]
        _show(console, jsonl, begun, lines)
        await _speak([lines[call.number] for call in begun], order.speed)
    finally:
        await asyncio.gather(*(line.hang_up() for line in lines.values()))
        played.calls = sum(line.is_finished for line in lines.values())
        played.packets = sum(line.sent for line in lines.values())
        played.late_s = max((line.late_s for line in lines.values()), default=0.0)
        # What all of them met is told once.
        played.faults.update(line.fault for line in lines.values() if line.fault)


async def _begin(order: Order, call: Call, line: Line) -> None:
    """Register and connect a call; what goes wrong is the line's fault."""
    if order.register:
        line.fault = await asyncio.to_thread(_register, order, call, line.wire.name)
    line.fault = line.fault or await _connect(order, line)
    if not line.fault:
        await line.opened()


def _register(order: Order, call: Call, name: str) -> str:
    """Tell the daemon's control API of a call before it comes; return what went wrong, or ""."""
    said = {
        "id": name,
        "call": call.name,
        "role": "customer",
        "queue": "simulated",
        "agent": call.name,
        "consent": order.consent,
    }
    request = urllib.request.Request(  # noqa: S310
        f"{order.register.rstrip('/')}/calls",
        json.dumps(said).encode(),
        {"Content-Type": "application/json"},
    )
    try:
        urllib.request.urlopen(request, timeout=_PATIENCE_S).close()  # noqa: S310
    except urllib.error.HTTPError as error:
        error.close()
        return f"{order.register} does not register the call (HTTP {error.code}); see its log"
    except (OSError, HTTPException) as error:
        reason = getattr(error, "reason", error)
        return f"{order.register} does not answer ({reason}); start `hackles live`"
    return ""


async def _connect(order: Order, line: Line) -> str:
    """Connect a call; return what went wrong, or ""."""
    target = order.target
    secure = _security(order.insecure) if target.scheme == "wss" else None
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(_PATIENCE_S):
            await loop.create_connection(lambda: line, target.host, target.port, ssl=secure)
    except ssl.SSLCertVerificationError as error:
        reason = error.verify_message
        return f"{target.address} cannot be trusted ({reason}); --insecure calls there all the same"
    except ssl.SSLError as error:
        return f"{target.address} speaks no TLS ({error.reason}); give ws:// instead of wss://"
    except OSError as error:
        number = error.errno or 0
        # asyncio says it in its own words; a name that is not known has a number below 0.
        reason = os.strerror(number) if number > 0 else error.strerror or "no answer"
        return f"nobody takes calls at {target.address} ({reason}); start `hackles live`"
    return ""


def _security(insecure: bool) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


async def _speak(lines: list[Line], speed: float) -> None:
    """Let every call send each packet when it is due, and hang up after its last."""
    loop = asyncio.get_running_loop()
    step_s = _PACKET_S / _GROUPS / speed
    due_s = loop.time()
    for number, line in enumerate(lines):
        line.start(due_s + number % _GROUPS * step_s)
    async with asyncio.TaskGroup() as leaving:
        while lines:
            now_s = loop.time()
            for line in lines:
                line.speak(now_s)
                if not line.is_speaking:
                    leaving.create_task(line.hang_up())
            lines = [line for line in lines if line.is_speaking]
            due_s = max(due_s + step_s, now_s)
            await asyncio.sleep(due_s - loop.time())


def _show(console: Console, jsonl: bool, calls: list[Call], lines: dict[int, Line]) -> None:
    """Say which recording is which call."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    if jsonl:
        for call in calls:
            said = {"call": lines[call.number].wire.name, "name": call.name, "file": call.file}
            console.file.write(json.dumps(said | {"started": now}) + "\n")
        console.file.flush()
    elif calls:
        table = Table(box=None, header_style="bold", pad_edge=False)
        for title in ("name", "call", "recording"):
            table.add_column(title, overflow="fold")
        for call in calls:
            table.add_row(call.name, lines[call.number].wire.name, Text(call.file))
        console.print(table)
