"""Which model and sensitivity the daemon decides by, and what a reload changes."""

import msgspec
import pytest

from hackles.bank import Bank
from hackles.capture.sockets import Door
from hackles.classifier import default_classifier
from hackles.models import chosen
from hackles.settings import Compliance, Engine, Settings, Thresholds

pytest.importorskip("resource", reason="the daemon needs Linux or macOS")

from hackles.live import daemon
from hackles.live.engine import Engine as Worker
from hackles.live.engine import reload_of
from hackles.live.news import Stop

SETTINGS = Settings(
    compliance=Compliance(notice="a test", basis="a test"),
    engine=Engine(calls=2, sensitivity="low"),
    thresholds=Thresholds(irritated=9.0),
)


def at(sensitivity, **engine):
    engine = msgspec.structs.replace(SETTINGS.engine, sensitivity=sensitivity, **engine)
    return msgspec.structs.replace(SETTINGS, engine=engine)


def test_thresholds_lie_over_the_sensitivity_which_a_reload_changes(monkeypatch):
    seen = []
    monkeypatch.setattr(Bank, "set_tracker", lambda _, settings: seen.append(settings))
    doors: dict[str, Door] = {}
    worker = Worker(SETTINGS, chosen(), doors)
    worker.run(lambda: [reload_of(at("high")), Stop()], lambda _: None)
    wanted = [default_classifier().at(name).tracker.rising for name in ("low", "high")]
    assert [settings.rising for settings in seen] == wanted
    assert [settings.irritated for settings in seen] == [9.0, 9.0]


def test_a_reload_takes_the_sensitivity_and_leaves_the_model():
    after = at("high", model="other.onnx")
    renewed = daemon._renewed(SETTINGS, after)
    assert renewed.engine == at("high").engine
    assert daemon._waiting(SETTINGS, after) == ["engine"]
    assert daemon._waiting(SETTINGS, at("high")) == []


def test_the_command_line_overrules_the_settings():
    given = daemon.chosen(SETTINGS, True, workers=3, model="m.onnx", sensitivity=None)
    assert given.engine == at("low", workers=3, model="m.onnx").engine
    assert given.alerts.shadow
