"""Calls that were measured once, judged again: by other models, or at other thresholds."""

from collections.abc import Sequence
from dataclasses import replace

import msgspec
import numpy as np

from hackles.bank import Bank
from hackles.classifier import Classifier
from hackles.decisions import ALERT, GAP, READING, Decisions
from hackles.listening import Measured
from hackles.tracker import Settings
from hackles.types import Alert


def judge(measured: Sequence[Measured], classifier: Classifier) -> list[list[Alert]]:
    """Return the alerts of each of some calls, all in one bank."""
    decided = decisions(measured, classifier)
    alerts: list[list[Alert]] = [[] for _ in measured]
    # Of the readings nobody asks: they need not become events.
    for slot, event in replace(decided, readings=decided.readings[:0]).events():
        if isinstance(event, Alert):
            alerts[slot].append(event)
    return alerts


def decisions(measured: Sequence[Measured], classifier: Classifier) -> Decisions:
    """Return the readings and alerts of some calls, all in one bank, a slot per call."""
    if not any(len(one.slot) for one in measured):
        return Decisions(np.empty(0, READING), np.empty(0, ALERT), np.empty(0, GAP))
    return Bank(len(measured), classifier).decide(_together(measured), np.empty(0, GAP))


def at_threshold(settings: Settings, rising: float) -> Settings:
    """Return settings with another threshold of `rising`, and `irritated` as far above it."""
    irritated = settings.irritated / settings.rising * rising
    return msgspec.structs.replace(settings, rising=float(rising), irritated=irritated)


def _together(measured: Sequence[Measured]) -> Measured:
    """Return the windows of several calls as one batch: each one's first, then its second."""
    some = [(slot, m) for slot, m in enumerate(measured) if len(m.slot)]
    columns = {
        name: np.concatenate([getattr(m, name) for _, m in some]) for name in Measured.__slots__
    }
    columns["slot"] = np.concatenate([np.full(len(m.slot), slot) for slot, m in some])
    columns["round"] = np.concatenate([np.arange(len(m.slot)) for _, m in some])
    return Measured(**columns).rows(np.argsort(columns["round"], kind="stable"))
