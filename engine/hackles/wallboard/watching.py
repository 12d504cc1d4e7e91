"""What a monitoring system asks of the board: whether it is there, and figures without any name.

Prometheus brings the engines' secret, as they do; who has none is let in from this machine alone.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response

from hackles.live.asking import answered
from hackles.wallboard.floor import Floor
from hackles.wallboard.hub import Hub
from hackles.wallboard.roads import ANYBODY, ENGINE, Road
from hackles.wallboard.shapes import Shape, Step
from hackles.wallboard.viewer import Viewer
from hackles.wallboard.webhooks import Webhooks

_TEXT: Final = "text/plain; version=0.0.4"
_OPEN: Final = (Step.RAISED, Step.SEEN, Step.HELPING)


class Health(Shape, frozen=True):
    """That the board answers; how engines stand is for those who may see calls."""

    status: str


def roads(floor: Floor, hub: Hub, webhooks: Webhooks) -> list[Road]:
    """Return the roads of monitoring."""
    registry = CollectorRegistry()
    registry.register(_Figures(floor, hub, webhooks))

    async def health(_request: Request, _viewer: Viewer | None) -> Response:
        return answered(Health(status="ok"))

    async def metrics(_request: Request, _viewer: Viewer | None) -> Response:
        return Response(generate_latest(registry), media_type=_TEXT)

    return [
        Road(
            method="GET",
            path="/health",
            who=ANYBODY,
            answer=health,
            says="Say that the board is there.",
            gives=Health,
        ),
        Road(
            method="GET",
            path="/metrics",
            who=ENGINE,
            answer=metrics,
            says="Give figures to Prometheus; no call's name is among them.",
            kind="text/plain",
        ),
    ]


class _Figures(Collector):
    """Counts what there is, as it is asked for."""

    def __init__(self, floor: Floor, hub: Hub, webhooks: Webhooks) -> None:
        self._floor, self._hub, self._webhooks = floor, hub, webhooks

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield all figures."""
        engines = list(self._floor.calls.engines.values())
        heard = sum(engine.is_heard for engine in engines)
        yield _labelled(
            "hackles_board_engines",
            "Engines, by whether they are heard.",
            "heard",
            {"yes": heard, "no": len(engines) - heard},
        )
        calls = list(self._floor.calls)
        yield _one("hackles_board_calls", "Live calls on the board.", len(calls))
        steps = Counter(life.step for call in calls for life in call.lives)
        yield _labelled(
            "hackles_board_alerts_open",
            "Alerts whose end nobody told yet, by how far they have come.",
            "step",
            {step.value: steps[step] for step in _OPEN},
        )
        yield _one(
            "hackles_board_messages_lost",
            "Messages that engines could not keep until the board took them in.",
            sum(engine.beat.lost for engine in engines),
        )
        yield _one("hackles_board_viewers", "Pages that look.", self._hub.n_viewers)
        for state in ("waiting", "dead"):
            yield _labelled(
                f"hackles_board_webhooks_{state}",
                f"Deliveries that are {state}.",
                "webhook",
                {name: self._webhooks.outbox.count(name, state) for name in self._webhooks.named},
            )


def _one(name: str, says: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, says, value=value)


def _labelled(name: str, says: str, label: str, values: dict[str, int]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, says, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family
