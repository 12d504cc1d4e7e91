"""The front: takes connections and passes them on, keeps the workers alive, minds the signals."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Iterator
from typing import Final

import msgspec
from starlette.applications import Starlette

from hackles.capture.intake import Refusal
from hackles.errors import HacklesError
from hackles.exchange.messages import Order as BoardOrder
from hackles.guidance import load as load_guidance
from hackles.live import device, fingerprints, logs, system
from hackles.live.agent import AgentPage
from hackles.live.control import control, watching
from hackles.live.crew import Alone, Crew, Several
from hackles.live.cues import Cues
from hackles.live.desk import Desk, LiveCall
from hackles.live.engine import reload_of
from hackles.live.gate import Gate
from hackles.live.line import Line
from hackles.live.lookups import Lookups
from hackles.live.metrics import Metrics
from hackles.live.news import Order, Registration, Report, Session, Stop, Withdrawn
from hackles.live.pages import Page
from hackles.live.registry import Registry
from hackles.live.showing import Showing
from hackles.live.softphones import softphones
from hackles.models import SHOWN, Model
from hackles.models import chosen as chosen_model
from hackles.records import Deed, LiveRecord, Verdict, record_id
from hackles.settings import Settings
from hackles.sinks.board import Stands
from hackles.sinks.opened import board_of, opened, record_of
from hackles.sinks.sink import Feed

_log = logging.getLogger(__name__)

_DRAIN_S: Final = 4.0
"""What the workers get to say what is left when asked to stop; the sinks get the rest of 5 s."""

_SINKS_S: Final = 0.8
_SAID_EVERY_S: Final = 60.0
_SILENT_S: Final = 10.0
_WORTH_SAYING_S: Final = 0.5


def run(load: Callable[[], Settings]) -> int:
    """Listen to live calls until told to stop; return the exit code.

    Args:
        load: reads the settings; again when SIGHUP comes.

    Raises:
        HacklesError: if it cannot begin.
    """
    settings = load()
    logs.begin(settings.log)
    system.allow_many_connections()
    return asyncio.run(Daemon(settings, load).run())


class Daemon:
    """The front of a daemon."""

    def __init__(self, settings: Settings, load: Callable[[], Settings]) -> None:
        """Open the sinks.

        Raises:
            HacklesError: if one of them cannot be opened.
        """
        self._settings, self._load = settings, load
        # Read once: workers that begin again must not find another model in mid-day.
        self._model = chosen_model(settings.engine.model)
        self._metrics = Metrics()
        self._registry = Registry()
        guidance = load_guidance(settings.guidance.folder)
        sinks = opened(settings, guidance, self._answer)
        self._board = board_of(settings, self._obey)
        self._record = record_of(
            settings,
            self._model.digest,
            fingerprints.configuration(settings),
        )
        self._desk = Desk(
            [Feed(sink) for sink in (*sinks, *([self._record] if self._record else []))],
            Cues(guidance, Showing(settings.alerts), settings.guidance.language),
            self._metrics,
            self._on_forgotten,
            self._registry.has_withdrawn,
            self._record.digest if self._record else lambda _: "",
            board=Feed(self._board) if self._board else None,
            lookups=Lookups(self._record.earlier) if self._record else None,
        )
        self._page = AgentPage(self._desk, self)
        self._line = Line(
            settings.device,
            lambda order: self._crew.order(order),
            self.withdraw,
            self._registry.has_withdrawn,
            on_held=self._desk.cues.tell_held,
        )
        self._standing: dict[int, Report] = {}
        self._heard_from = dict.fromkeys(range(settings.engine.workers), time.monotonic())
        self._stopped: set[int] = set()
        self._dropped_s = 0.0
        self._has_failed = False
        self._crew: Crew
        self._loop: asyncio.AbstractEventLoop | None = None

    async def run(self) -> int:
        """Listen until told to stop; return the exit code."""
        loop = self._loop = asyncio.get_running_loop()
        self._stop, self._all_stopped = asyncio.Event(), asyncio.Event()
        # First, so that one that is told to stop while its model loads ends well, too.
        system.on_signals(loop, self._on_stop, self._reload)
        with contextlib.ExitStack() as stack:
            gates = self._gates()
            servers = [Page(app, stack, listen) for app, listen in self._pages()]
            self._crew = self._hire()
            stack.callback(self._crew.close)
            for gate in gates:
                gate.open()
            tasks = [asyncio.create_task(server.serve()) for server in servers]
            tasks.append(asyncio.create_task(self._say_how_far_behind()))
            for phone in softphones(self._settings.device, self._line):
                tasks.append(asyncio.create_task(phone.run()))
                tasks[-1].add_done_callback(_say_if_broken)
            self._say_where()
            await self._stop.wait()
            await self._end(gates)
            self._page.close()
            for server in servers:
                server.end()
            for task in tasks[len(servers) :]:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        return 1 if self._has_failed else 0

    # What the API asks for.

    def register(self, registration: Registration) -> None:
        """See `control.Front`."""
        self._registry.add(registration)
        self._crew.order(registration)
        for call in registration.barred:
            if self._desk.knows(call):
                self.withdraw(call)

    def withdraw(self, call: str) -> None:
        """See `control.Front`."""
        self._metrics.call("withdrawn")
        for name in self._registry.names(call):
            self._registry.withdraw(name)
            self._line.forget(name)
            self._crew.order(Withdrawn(name))
            self._desk.withdraw(name)

    def has_withdrawn(self, call: str) -> bool:
        """See `control.Front`."""
        return self._registry.has_withdrawn(call)

    def snooze(self, who: str, seconds: float) -> None:
        """See `control.Front`."""
        self._desk.showing.snooze(self._registry.name(who), seconds)

    def _answer(self, alert: LiveRecord, verdict: Verdict) -> None:
        """Take in what a person said of an alert elsewhere than on the page, on any thread."""
        self._soon(self._desk.answer, alert.session, record_id(alert), verdict)

    def _obey(self, order: BoardOrder) -> bool:
        """Do what somebody asked for at a wallboard, if it can be done yet; on any thread."""
        return self._soon(self._desk.obey, order)

    def _soon(self, do: Callable[..., None], *said: object) -> bool:
        """Have something done on the loop, and return whether there is one; on any thread."""
        if self._loop is None:
            return False
        try:
            self._loop.call_soon_threadsafe(do, *said)
        except RuntimeError:  # it has ended
            return False
        return True

    def record(self, call: str, deed: Deed) -> None:
        """See `control.Front`."""
        self._desk.record(Session("", self._registry.name(call), "", ""), deed)

    def calls(self) -> list[LiveCall]:
        """See `control.Front`."""
        return list(self._desk.calls())

    def health(self) -> tuple[bool, dict[str, object]]:
        """See `control.Front`."""
        fault = self._fault()
        standing: dict[str, object] = {
            "status": fault or "ok",
            "calls": self._n_calls(),
            "behind_s": round(self._behind_s(), 3),
            "shadow": self._desk.showing.alerts.shadow,
            "unheard": self._desk.cues.unheard,
        }
        return not fault, standing

    def _fault(self) -> str:
        """Return what is wrong with the workers, or ""."""
        if not self._crew.is_whole():
            return "a worker is being started again"
        # Each says something every second; one that hangs says nothing.
        oldest = time.monotonic() - _SILENT_S
        hung = [worker for worker, when in self._heard_from.items() if when < oldest]
        return f"worker {hung[0]} has said nothing for {_SILENT_S:.0f} s" if hung else ""

    def metrics(self) -> bytes:
        """See `control.Front`."""
        return self._metrics.page(self._desk.sinks())

    # What the workers say.

    def _on_report(self, worker: int, report: Report) -> None:
        self._standing[worker] = report
        self._heard_from[worker] = time.monotonic()
        self._dropped_s += report.dropped_s
        self._desk.take(worker, report)
        self._metrics.standing(self._n_calls(), self._behind_s())
        self._tell_board()
        if report.has_stopped:
            self._on_stopped(worker)

    def _tell_board(self) -> None:
        if self._board is not None:
            is_shadow = self._desk.showing.alerts.shadow
            self._board.stands = Stands(self._n_calls(), is_shadow, round(self._behind_s(), 3))

    def _on_forgotten(self, call: str) -> None:
        if not self._registry.has_withdrawn(call):  # or all of it is deleted already
            self.withdraw(call)

    def _on_stopped(self, worker: int) -> None:
        self._stopped.add(worker)
        if len(self._stopped) == self._settings.engine.workers:
            self._all_stopped.set()

    def _on_death(self, worker: int) -> None:
        self._standing.pop(worker, None)
        self._heard_from[worker] = time.monotonic()  # it has as long to begin again
        lost = self._desk.lose(worker, "lost: the process that listened to it died")
        _log.error("A worker died; %d calls are lost to it.", lost)
        self._metrics.restarted()
        if self._stop.is_set():
            self._on_stopped(worker)  # nothing more is to be waited for
        if self._settings.engine.workers == 1:
            self._has_failed = True
            self._stop.set()

    def _standing_orders(self) -> Iterator[Order]:
        yield from self._registry
        for call in self._registry.withdrawn():
            yield Withdrawn(call)
        yield from self._line.standing()
        yield reload_of(self._settings)

    # Beginning and end.

    def _gates(self) -> list[Gate]:
        """Listen where the settings say."""
        return [
            Gate(
                way,
                section.listen,
                section.allow_from,
                lambda *connection: self._crew.pass_on(*connection),
                lambda: self._metrics.refused(Refusal.SOURCE),
            )
            for way, section in (
                ("audiosocket", self._settings.audiosocket),
                ("media", self._settings.media),
            )
            if section is not None
        ]

    def _pages(self) -> Iterator[tuple[Starlette, str]]:
        roads = [*device.routes(self._line), *self._page.routes()]
        yield control(self, roads), self._settings.control.listen
        if self._settings.metrics is not None:
            yield watching(self), self._settings.metrics.listen

    def _hire(self) -> Crew:
        if self._settings.engine.workers == 1:
            return Alone(self._settings, self._model, self._on_report, self._on_death)
        return Several(
            self._settings, self._model, self._on_report, self._on_death, self._standing_orders
        )

    async def _end(self, gates: list[Gate]) -> None:
        """Let nobody in, hear what waits, tell it, and hand it to the sinks."""
        for gate in gates:
            gate.close()
        if not self._has_failed:
            self._crew.order(Stop())
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._all_stopped.wait(), _DRAIN_S)
        for worker in range(self._settings.engine.workers):
            self._desk.lose(worker, "lost: the daemon had to stop before it was heard out")
        self._desk.close(_SINKS_S)
        _log.info("Stopped.")

    def _on_stop(self) -> None:
        if self._stop.is_set():
            _log.warning("Told to stop twice: what was not yet said is lost.")
            self._all_stopped.set()
        self._stop.set()

    def _reload(self) -> None:
        """Take over what may change while calls go on."""
        try:
            settings = self._load()
        except HacklesError as error:
            _log.error("The settings stay as they are: %s", error)
            return
        before, self._settings = self._settings, _renewed(self._settings, settings)
        self._desk.showing.alerts = self._settings.alerts
        self._desk.stand()  # in shadow mode there is less to tell
        self._desk.cues.version += 1  # in shadow mode a page shows nothing
        if self._record is not None:
            self._record.configuration = fingerprints.configuration(self._settings)
        self._crew.order(reload_of(self._settings))
        others = _waiting(before, settings)
        _log.info(
            "Settings reloaded%s.",
            f"; a restart is needed for [{'], ['.join(others)}]" if others else "",
        )
        self._say_if_swapped()

    def _say_if_swapped(self) -> None:
        """Say so if another model would be taken now; calls under way keep theirs."""
        try:
            other = chosen_model(self._settings.engine.model)
        except HacklesError as error:
            _log.warning("The model stays as it is, but a restart would fail: %s", error)
            return
        if other.digest != self._model.digest:
            _log.warning("A restart is needed for another model: %s.", named(other))

    # What people should know.

    def _n_calls(self) -> int:
        return sum(report.calls for report in self._standing.values())

    def _behind_s(self) -> float:
        return max((report.behind_s for report in self._standing.values()), default=0.0)

    async def _say_how_far_behind(self) -> None:
        """Say once a minute, if so, that more comes in than can be listened to."""
        while True:
            await asyncio.sleep(_SAID_EVERY_S)
            if self._dropped_s or self._behind_s() > _WORTH_SAYING_S:
                _log.warning(
                    "Behind by %.1f s; %.0f s of audio were dropped in the last minute. If this "
                    "goes on, add workers or let in fewer calls.",
                    self._behind_s(),
                    self._dropped_s,
                )
            self._dropped_s = 0.0

    def _say_where(self) -> None:
        settings = self._settings
        ways = [
            f"{way} on {section.listen}"
            for way, section in (("audiosocket", settings.audiosocket), ("media", settings.media))
            if section is not None
        ]
        ways += [f"pipe {pipe.path}" for pipe in settings.pipe]
        ways += [f"folder {folder.path}" for folder in settings.folder]
        if settings.device is not None:
            ways.append(f"device {settings.device.output or settings.device.customer_microphone}")
        _log.info("The model: %s, sensitivity %s.", named(self._model), settings.engine.sensitivity)
        _log.info(
            "Listening: %s; control on %s%s.",
            ", ".join(ways),
            settings.control.listen,
            "; shadow mode: nobody is shown any alert" if settings.alerts.shadow else "",
        )


def _say_if_broken(task: "asyncio.Task[None]") -> None:
    """Say so if no softphone is listened to any longer: calls would be missed in silence."""
    if not task.cancelled():
        _log.error("A softphone is listened to no longer.", exc_info=task.exception())


_FIXED: Final = (
    "engine",
    "audiosocket",
    "media",
    "pipe",
    "folder",
    "device",
    "control",
    "metrics",
    "output",
    "store",
    "board",
    "guidance",
    "desktop",
    "log",
)
"""Sections that cannot change while calls go on, but for the sensitivity."""


def _waiting(before: Settings, after: Settings) -> list[str]:
    """Return which sections will be other ones after a restart."""
    now = _renewed(before, after)
    return [name for name in _FIXED if getattr(after, name) != getattr(now, name)]


def _renewed(before: Settings, after: Settings) -> Settings:
    """Return the settings with what may change while calls go on."""
    sensitivity = after.engine.sensitivity
    return msgspec.structs.replace(
        before,
        engine=msgspec.structs.replace(before.engine, sensitivity=sensitivity),
        compliance=after.compliance,
        alerts=after.alerts,
        thresholds=after.thresholds,
    )


def named(model: Model) -> str:
    """Return a model's name and how its digest begins."""
    return f"{model.name} ({model.digest[:SHOWN]})"


def chosen(settings: Settings, shadow: bool, **engine: object) -> Settings:
    """Return the settings with what was chosen on the command line instead.

    Args:
        settings: as the file has them.
        shadow: whether nobody is to be shown anything.
        engine: keys of [engine]; what is None was not chosen.
    """
    replace = msgspec.structs.replace
    given = {name: value for name, value in engine.items() if value is not None}
    settings = replace(settings, engine=replace(settings.engine, **given))
    if shadow:
        settings = replace(settings, alerts=replace(settings.alerts, shadow=True))
    return settings
