"""What a monitoring system is told. Never a call's name: labels are from fixed lists."""

from collections.abc import Mapping

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)

from hackles.capture.intake import Fate, Refusal
from hackles.live.news import Report
from hackles.live.showing import Withheld
from hackles.types import Alert, Event, Gap, Reading, Reason, State

_DELAYS_S = (0.025, 0.05, 0.075, 0.1, 0.125, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 1.0, 2.0, 5.0)
_TICKS_S = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.5, 1.0)

CALL_STATES = ("begun", "ended", "lost", "refused", "withdrawn")


class Metrics:
    """All counters of a daemon, for all of its workers."""

    def __init__(self) -> None:
        """Begin at zero: every label is there from the start, so that a rate can be asked for."""
        disable_created_metrics()  # type: ignore[no-untyped-call] # nobody asks for them
        own = self._registry = CollectorRegistry()
        self._calls = Gauge("hackles_active_calls", "Calls listened to now.", registry=own)
        self._calls_total = _counter(
            own, "hackles_calls", "Calls, by what became of them.", state=CALL_STATES
        )
        self._readings = Counter("hackles_readings", "Readings.", registry=own)
        states = [state for state in State if state is not State.CALM]
        self._alerts = _counter(own, "hackles_alerts", "Alerts.", state=states)
        self._withheld = _counter(
            own, "hackles_alerts_withheld", "Alerts recorded, but not shown.", reason=list(Withheld)
        )
        self._gaps = _counter(own, "hackles_gaps", "Stretches not scored.", reason=list(Reason))
        self._refusals = _counter(
            own, "hackles_refusals", "Connections or calls not heard.", reason=list(Refusal)
        )
        self._packets = _counter(
            own, "hackles_packets", "Packets not simply taken in.", fate=list(Fate)
        )
        self._lost = Counter("hackles_lost_audio_seconds", "Audio lost.", registry=own)
        self._audio = Counter("hackles_audio_seconds", "Audio heard.", registry=own)
        self._behind = Gauge("hackles_behind_seconds", "How far behind, at worst.", registry=own)
        self._ticks = Histogram(
            "hackles_tick_seconds", "How long a tick took.", buckets=_TICKS_S, registry=own
        )
        self._delays = Histogram(
            "hackles_packet_to_event_seconds",
            "From a packet's coming to the event that it decided.",
            buckets=_DELAYS_S,
            registry=own,
        )
        self._queue = Gauge("hackles_sink_queue", "Records waiting.", ["sink"], registry=own)
        self._dropped = Gauge(
            "hackles_sink_dropped_total", "Records a sink did not take.", ["sink"], registry=own
        )
        self._cpu = Gauge(
            "hackles_worker_cpu_seconds_total", "CPU seconds of a worker.", ["worker"], registry=own
        )
        self._restarts = Counter(
            "hackles_worker_restarts", "Workers that died and were restarted.", registry=own
        )
        self._device: Gauge | None = None

    def report(self, worker: int, report: Report) -> None:
        """Count what a worker said beside its news."""
        for what, count in report.troubles.items():
            if isinstance(what, Fate):
                self._packets.labels(what).inc(count)
            else:
                self._refusals.labels(what).inc(count)
        for tick_s in report.ticks_s:
            self._ticks.observe(tick_s)
        self._lost.inc(report.lost_s)
        self._audio.inc(report.audio_s)
        self._cpu.labels(str(worker)).set(report.cpu_s)

    def standing(self, calls: int, behind_s: float) -> None:
        """Say where all workers stand together."""
        self._calls.set(calls)
        self._behind.set(behind_s)

    def event(self, event: Event, delay_s: float, withheld: Withheld | None) -> None:
        """Count what was decided of a call."""
        self._delays.observe(delay_s)
        if isinstance(event, Reading):
            self._readings.inc()
        elif isinstance(event, Gap):
            self._gaps.labels(event.reason).inc()
        elif isinstance(event, Alert):
            self._alerts.labels(event.state).inc()
            if withheld is not None:
                self._withheld.labels(withheld).inc()

    def call(self, state: str) -> None:
        """Count what became of a call, one of `CALL_STATES`."""
        self._calls_total.labels(state).inc()

    def refused(self, reason: Refusal) -> None:
        """Count a call or a connection that is not heard."""
        self._refusals.labels(reason).inc()

    def restarted(self) -> None:
        """Count a worker that died."""
        self._restarts.inc()

    def device(self, is_heard: bool) -> None:
        """Say whether the device of the settings is heard; where there is none, nobody says so."""
        if self._device is None:
            text = "Whether the device is heard: 1, or 0."
            self._device = Gauge("hackles_device_heard", text, registry=self._registry)
        self._device.set(is_heard)

    def page(self, sinks: Mapping[str, tuple[int, int]]) -> bytes:
        """Return all of it as Prometheus reads it; of each sink, what waits and what it dropped."""
        for name, (waiting, dropped) in sinks.items():
            self._queue.labels(name).set(waiting)
            self._dropped.labels(name).set(dropped)
        return generate_latest(self._registry)


def _counter(registry: CollectorRegistry, name: str, text: str, **labels: object) -> Counter:
    """Return a counter with one label, whose values are all there from the start."""
    ((label, values),) = labels.items()
    counter = Counter(name, text, [label], registry=registry)
    for value in values:  # type: ignore[attr-defined]
        counter.labels(value)
    return counter
