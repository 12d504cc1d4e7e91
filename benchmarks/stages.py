"""Where the engine's time goes: its stages, wrapped as attributes while it runs."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from statistics import median
from time import process_time
from typing import Any, TypeAlias
from unittest import mock

from benchmarks.record import Figures
from hackles import (
    activity,
    baseline,
    classifier,
    following,
    foreground,
    framing,
    gaps,
    listening,
    tracker,
    windowing,
)

Stages: TypeAlias = tuple[tuple[str, Any, str], ...]
STAGES: Stages = (
    ("ring: write", framing.SampleRing, "write"),
    ("ring: write", framing.SampleRing, "write_all"),
    ("frames", framing.SampleRing, "take"),
    ("frames", framing.Frames, "__getitem__"),
    ("spectra", listening, "spectra"),
    ("levels", activity.Levels, "update"),
    ("descriptors", listening, "low_level_descriptors"),
    ("pitch path, flux", following.Following, "finish"),
    ("activity", activity.SpeechActivity, "update"),
    ("foreground", foreground.Foreground, "update"),
    ("gaps", gaps.Stretches, "update"),
    ("windows", windowing.Windows, "update"),
    ("gather", windowing.Windows, "gather"),
    ("functionals", listening, "functionals"),
    ("contours", listening, "contours"),
    ("contour codes", listening, "contour_codes"),
    ("model run", classifier.Classifier, "run"),
    ("tracker", tracker.Tracker, "update"),
    ("baseline", baseline.Baseline, "shrunk"),
    ("baseline", baseline.Baseline, "relative"),
    ("baseline", baseline.Baseline, "learn"),
)
"""Stage, and where its function is looked up under which name."""
_PER_READING = {"gather", "functionals", "contours", "model run", "tracker", "baseline"}


@contextmanager
def watched(stages: Stages = STAGES) -> Iterator[dict[str, float]]:
    """Give the CPU seconds that each stage takes, without those of stages inside it.

    What is outside of all of them is not counted; clear the dictionary to begin anew.
    """
    spent: dict[str, float] = defaultdict(float)
    inner = [0.0]

    def timed(stage: str, function: Callable[..., object]) -> Callable[..., object]:
        def call(*args: object, **kwargs: object) -> object:
            inner.append(0.0)
            began = process_time()
            result = function(*args, **kwargs)
            whole = process_time() - began
            spent[stage] += whole - inner.pop()
            inner[-1] += whole
            return result

        return call

    with ExitStack() as stack:
        for stage, owner, name in stages:
            wrapped = timed(stage, getattr(owner, name))
            stack.enter_context(mock.patch.object(owner, name, wrapped))
        yield spent


def in_stages(run: Callable[[], object]) -> dict[str, float]:
    """Return the CPU seconds that each stage took, and the rest."""
    with watched() as spent:
        began = process_time()
        run()
        whole = process_time() - began
    return spent | {"rest": whole - sum(spent.values())}


def stage_figures(runs: list[dict[str, float]], frames: int, readings: int) -> dict[str, Figures]:
    """Return each stage's time per frame or per reading, and its share of the whole."""
    names = dict.fromkeys([stage for stage, *_ in STAGES] + ["rest"])
    seconds = {name: median(run[name] for run in runs) for name in names}
    total = sum(seconds.values())
    return {
        name: {
            "us_per_frame": round(1e6 * spent / frames, 3),
            "us_per_reading": round(1e6 * spent / max(readings, 1), 1),
            "share": round(spent / total, 3),
        }
        if name in _PER_READING
        else {"us_per_frame": round(1e6 * spent / frames, 3), "share": round(spent / total, 3)}
        for name, spent in seconds.items()
    }
