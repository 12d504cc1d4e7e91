"""The picture of the escalation benchmark: recall against false alerts, and the delays."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.warned import TARGETS_PER_HOUR
from hackles.classifier import DEFAULT_SENSITIVITY

_COLOURS = ("#1b6ca8", "#c2541b")
_STYLES = ("-", "--")
_NOISES = {"pink": "-.", "babble": ":"}
_LEAST_PER_HOUR = 0.1
_BINS_S = range(0, 42, 2)


def plot(populations: Mapping[str, Mapping[str, Any]], path: Path) -> None:
    """Draw both panels and write them as PNG.

    Args:
        populations: the figures of each, as `escalation` keeps them.
        path: of the picture.
    """
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(12, 5), layout="constrained")
    for (name, found), colour, style in zip(populations.items(), _COLOURS, _STYLES, strict=False):
        _curve(left, name, found, colour, style)
        _delays(right, name, found, colour, style)
    for target in TARGETS_PER_HOUR:
        left.axvline(target, color="0.75", linewidth=1, zorder=0)
    for noise, line in _NOISES.items():
        left.plot([], [], line, color="0.4", linewidth=1, label=f"{noise} behind the voice")
    left.set_xscale("log")
    left.set_xlim(0.08, 400)
    left.set_ylim(0, 1)
    left.set_xticks([0.1, 1, 10, 100], ["0.1", "1", "10", "100"])
    left.set_xlabel("false alerts per hour of the customer's calm speech")
    left.set_ylabel("share of escalating calls warned of")
    left.set_title("More alerts, or fewer? (dots: as shipped)")
    left.legend(loc="lower right", frameon=False)
    right.set_xlabel("seconds of the customer's speech from the first angry clip")
    right.set_ylabel("share of warnings")
    right.set_title("How soon the warning comes (as shipped)")
    right.legend(loc="upper right", frameon=False)
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(alpha=0.25)
    figure.suptitle("Calls composed from acted clips over a simulated telephone: synthetic")
    path.parent.mkdir(parents=True, exist_ok=True)
    # Without the date and the version in it, the same figures give the same file.
    figure.savefig(path, dpi=110, metadata={"Software": None})
    plt.close(figure)


def _curve(axes: Any, name: str, found: Mapping[str, Any], colour: str, style: str) -> None:
    """Draw recall over the rate of false alerts, of all calls and of those with each noise."""
    for noise, curve in {"": found, **found["by_noise"]}.items():
        points = sorted(curve["curve"], key=lambda point: point["rising"])
        # None at all in so many hours is drawn at the edge.
        rates = [max(point["false_per_hour"], _LEAST_PER_HOUR) for point in points]
        recalls = [point["recall"] for point in points]
        if noise:
            axes.plot(rates, recalls, _NOISES[noise], color=colour, linewidth=1, alpha=0.8)
            shipped = [of[noise] for of in found["by_noise_at_sensitivities"].values()]
        else:
            axes.plot(rates, recalls, style, color=colour, linewidth=2.5, label=name)
            low, high = zip(*(point["recall_range"] for point in points), strict=True)
            axes.fill_between(rates, low, high, color=colour, alpha=0.15, linewidth=0)
            shipped = list(found["sensitivities"].values())
        rates = [max(one["false_per_hour"], _LEAST_PER_HOUR) for one in shipped]
        size = 5 if noise else 9
        recalls = [one["recall"] for one in shipped]
        axes.plot(rates, recalls, "o", color=colour, markersize=size)


def _delays(axes: Any, name: str, found: Mapping[str, Any], colour: str, style: str) -> None:
    delays = found["delays_s"]
    median = found["sensitivities"][DEFAULT_SENSITIVITY]["delay_median_s"]
    axes.hist(
        delays,
        bins=list(_BINS_S),
        weights=[1 / max(len(delays), 1)] * len(delays),
        histtype="step",
        linewidth=2,
        linestyle=style,
        color=colour,
        label=f"{name}: median {median:g} s" if median is not None else name,
    )
    if median is not None:
        axes.axvline(median, color=colour, linewidth=1, linestyle=":")
