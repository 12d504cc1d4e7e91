"""A worker's work: the tick, from the ways in to news of what was decided."""

import gc
import logging
import ssl
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

import msgspec

from hackles.bank import Bank
from hackles.capture.g711 import Encoding
from hackles.capture.intake import Intake, Marked, Offer, Troubles
from hackles.capture.sockets import Door
from hackles.config import SAMPLE_RATE
from hackles.errors import UsageError
from hackles.live.calls import LiveCalls
from hackles.live.news import (
    CallBegins,
    CallEnds,
    News,
    Order,
    Registration,
    Reload,
    Report,
    Stop,
    Unheard,
    Withdrawn,
)
from hackles.live.room import room_for
from hackles.models import Model
from hackles.pace import TICK_S, ticks
from hackles.settings import Settings, Thresholds
from hackles.tracker import Settings as TrackerSettings
from hackles.types import Role

_log = logging.getLogger(__name__)

_REPORT_S: Final = 1.0
"""Without news, a report comes once in so long."""

_LAWS: Final = {"ulaw": Encoding.MU_LAW, "alaw": Encoding.A_LAW, "": None}


def reload_of(settings: Settings) -> Reload:
    """Return the order to decide by these settings."""
    return Reload(
        settings.engine.sensitivity, settings.thresholds, settings.compliance.withdraw_digit
    )


def thresholds_over(tracker: TrackerSettings, thresholds: Thresholds) -> TrackerSettings:
    """Return a sensitivity's settings with those that somebody chose instead."""
    said = msgspec.structs.asdict(thresholds)
    chosen = {name: value for name, value in said.items() if value is not None}
    return msgspec.structs.replace(tracker, **chosen)


def tls_of(settings: Settings) -> ssl.SSLContext | None:
    """Return how media streams are encrypted, if here.

    Raises:
        UsageError: if the certificate or its key cannot be read, or do not fit.
    """
    media = settings.media
    if media is None or not media.certificate:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(media.certificate, media.key)
    except OSError as error:  # which is what a certificate that does not fit raises, too
        raise UsageError(
            f"The certificate {media.certificate} with the key {media.key} cannot be used "
            f"({error}); name a PEM file each, that belong together."
        ) from error
    return context


def ways_in(
    settings: Settings, doors: Mapping[str, Door], max_samples: int, has_files: bool
) -> list[Intake]:
    """Return the ways in that the settings name.

    Args:
        settings: which.
        doors: where connections come from, by section.
        max_samples: the most samples of one call to hand over in a tick.
        has_files: whether pipes, folders and devices are this worker's.
    """
    found: list[Intake] = []
    if settings.audiosocket is not None:
        from hackles.capture.audiosocket_server import AudioSockets

        section = settings.audiosocket
        role = Role.CUSTOMER if section.role == "customer" else Role.UNKNOWN
        found.append(
            AudioSockets(
                doors["audiosocket"],
                2 * settings.engine.calls,  # some are refused only once they have said who they are
                max_samples,
                role,
                _LAWS[section.g711],
            )
        )
    if settings.media is not None:
        found.append(_media(settings, doors["media"], max_samples))
    if settings.pipe and has_files:
        from hackles.capture.pipes import Pipes

        found.append(Pipes(settings.pipe, max_samples))
    if settings.folder and has_files:
        from hackles.capture.watched_folder import WatchedFolders

        found.append(WatchedFolders(settings.folder, max_samples))
    if settings.device is not None and has_files:
        from hackles.capture.devices import Devices

        found.append(Devices(settings.device, max_samples))
    return found


def _media(settings: Settings, door: Door, max_samples: int) -> Intake:
    from hackles.capture.media_access import Access
    from hackles.capture.media_websocket import MediaWebSockets

    section = settings.media
    if section is None:
        raise ValueError("there is no [media] section")
    access = Access(
        twilio_token=_secret(section.twilio_token_file),
        public_url=section.public_url,
        token=_secret(section.token_file),
    )
    return MediaWebSockets(
        door,
        max_samples,
        path=section.path,
        customer_track=section.customer_track,
        access=access,
        tls=tls_of(settings),
    )


def _secret(path: str) -> str:
    return Path(path).read_text(encoding="utf-8").strip() if path else ""


class Engine:
    """The calls of one worker."""

    def __init__(
        self,
        settings: Settings,
        model: Model,
        doors: Mapping[str, Door],
        has_files: bool = True,
        clock: Callable[[], float] = time.monotonic,
        cpu_clock: Callable[[], float] = time.thread_time,
    ) -> None:
        """Load the model and open the ways in.

        Args:
            settings: the daemon's.
            model: that judges; the same however often a worker begins again.
            doors: where connections come from, by section.
            has_files: whether pipes, folders and devices are this worker's.
            clock: seconds from any start.
            cpu_clock: CPU seconds of this worker.

        Raises:
            HacklesError: if the model, or a way in, cannot be had.
        """
        self._model = model.load()
        room = room_for(settings, has_files)
        self._tick_s = room.tick_s
        bank = self._bank = Bank(room.calls, self._model, room.max_frames)
        self._intakes = ways_in(settings, doors, bank.max_samples, has_files)
        self._calls = LiveCalls(
            bank,
            room.calls,
            self._intakes,
            behind_s=settings.engine.behind_s,
            clock=clock,
        )
        self._clock, self._cpu_clock = clock, cpu_clock
        self._ticks_s: list[float] = []
        self._reported = -_REPORT_S
        self._why_unheard: str | None = None
        self._obey(reload_of(settings))

    def run(
        self,
        orders: Callable[[], Iterable[Order]],
        report: Callable[[Report], None],
        wait: Callable[[float], object] = time.sleep,
    ) -> None:
        """Tick until told to stop.

        Args:
            orders: gives what was ordered since it was last asked.
            report: takes what happened, on this thread.
            wait: waits for so many seconds, or until something is ordered.
        """
        # Whatever is there now stays; only what comes and goes with calls is looked through.
        gc.collect()
        gc.freeze()
        # Between short ticks no order is worth waking for: calls, and orders, may be many.
        sleep = wait if self._tick_s > TICK_S else time.sleep
        for _ in ticks(self._tick_s, sleep=sleep):
            began = self._clock()
            for order in orders():
                if isinstance(order, Stop):
                    report(self._report(self._calls.close(), has_stopped=True))
                    return
                self._obey(order)
            news = [*self._calls.tick(), *self._unheard()]
            self._ticks_s.append(self._clock() - began)
            if news or began - self._reported >= _REPORT_S:
                self._reported = began
                report(self._report(news))

    def _obey(self, order: Order) -> None:
        """Do what the front asks for."""
        if isinstance(order, Registration):
            self._calls.register(order)
        elif isinstance(order, Withdrawn):
            self._calls.withdraw(order.call)
        elif isinstance(order, CallBegins | CallEnds):
            self._mark(order)
        elif isinstance(order, Reload):
            self._calls.withdraw_digit = order.withdraw_digit
            tracker = self._model.at(order.sensitivity).tracker
            self._bank.set_tracker(thresholds_over(tracker, order.thresholds))

    def _mark(self, order: CallBegins | CallEnds) -> None:
        """Tell the device where a call begins or ends, if it is heard by this worker."""
        if isinstance(order, CallBegins):
            self._calls.register(order.registration)
        for intake in self._intakes:
            if not isinstance(intake, Marked):
                continue
            if isinstance(order, CallBegins):
                intake.begin(Offer(order.registration.id, order.registration.role))
            else:
                intake.end(order.call)

    def _unheard(self) -> Iterator[Unheard]:
        """Yield whether the device is heard, if that has changed; at first in any case."""
        for intake in self._intakes:
            if not isinstance(intake, Marked):
                continue
            why = intake.unheard
            if why != self._why_unheard:
                self._why_unheard = why
                yield Unheard(why)

    def _report(self, news: Iterable[News], has_stopped: bool = False) -> Report:
        """Return what happened, and begin to count anew."""
        calls, troubles = self._calls, Troubles()
        for intake in self._intakes:
            troubles += intake.troubles
            intake.troubles.clear()
        report = Report(
            news=tuple(news),
            troubles=dict(troubles),
            ticks_s=tuple(self._ticks_s),
            calls=len(calls),
            behind_s=calls.behind_s,
            lost_s=calls.lost / SAMPLE_RATE,
            dropped_s=calls.dropped / SAMPLE_RATE,
            audio_s=calls.heard / SAMPLE_RATE,
            cpu_s=self._cpu_clock(),
            has_stopped=has_stopped,
        )
        calls.lost = calls.dropped = calls.heard = 0
        self._ticks_s.clear()
        return report
