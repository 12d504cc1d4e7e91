"""The sample calls: a smoke test of the whole, since the same people made rise and detector."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import soundfile

from hackles.classifier import default_classifier
from hackles.pipeline import CallPipeline
from hackles.types import Alert, Block, Gap, Reading, Reason, State
from tests.conftest import NAMES, SAMPLES, customer, truth
from tests.events import run

PACKAGED = Path(__file__).parents[1] / "engine" / "hackles" / "samples"


def test_there_are_escalating_and_calm_calls_in_three_languages():
    told = {(truth(name)["language"], truth(name)["escalates"]) for name in NAMES}
    assert told == {(language, rises) for language in ("en", "pl", "es") for rises in (True, False)}


def alerts_of(sample, sensitivity):
    pipeline = CallPipeline(default_classifier().at(sensitivity))
    events = pipeline.push(Block(customer(sample), 0)) + pipeline.flush()
    return [event for event in events if isinstance(event, Alert)]


def test_an_escalating_call_is_warned_after_its_onset_and_a_calm_one_not_at_all(sample):
    """At `high`: synthetic voices move less than people do, and medium warns of one in six."""
    alerts = alerts_of(sample, "high")
    if not truth(sample)["escalates"]:
        assert alerts == []
        return
    assert alerts[0].state in (State.RISING, State.IRRITATED)
    assert truth(sample)["onset_s"] < alerts[0].time < truth(sample)["end_s"]
    # A window and a reading, 4 s of the customer's own speech, is as near as an onset is told.
    onset_s = truth(sample)["onset_s"]
    calm = [(a, b) for a, b, _ in truth(sample)["segments"] if a < onset_s]
    assert sum(max(0.0, b - max(a, alerts[0].since)) for a, b in calm) < 4


def test_an_alert_says_what_moved_against_the_caller_s_own_voice():
    alert = next(e for e in run(customer("en_rising_1")) if isinstance(e, Alert))
    moved = {evidence.measure: evidence for evidence in alert.evidence}
    assert moved["pitch"].now - moved["pitch"].baseline > 3
    assert moved["tension"].now > moved["tension"].baseline


def test_hold_music_is_a_gap_and_gives_no_reading():
    ((start, end, _),) = [d for d in truth("en_calm_1")["distractors"] if d[2] == "hold music"]
    events = run(customer("en_calm_1"))
    assert not [e for e in events if isinstance(e, Reading) and start + 1 < e.time < end]
    gaps = [e for e in events if isinstance(e, Gap) and e.reason in (Reason.MUSIC, Reason.TONE)]
    covered = sum(min(g.time, end) - max(g.since, start) for g in gaps if g.time > start)
    assert covered > 0.7 * (end - start)


def test_the_samples_are_stereo_g711_with_their_truth(sample):
    info = soundfile.info(SAMPLES / f"{sample}.wav")
    assert (info.samplerate, info.channels, info.subtype) == (8000, 2, "ULAW")
    assert truth(sample)["synthetic"] == "espeak-ng"


def test_the_packaged_sample_is_the_one_of_the_folder():
    for suffix in ("wav", "json"):
        folder = (SAMPLES / f"en_rising_1.{suffix}").read_bytes()
        assert (PACKAGED / f"call.{suffix}").read_bytes() == folder


def test_the_script_makes_the_samples_again(tmp_path):
    if shutil.which("espeak-ng") is None:
        if os.environ.get("HACKLES_REQUIRE_ALL") == "1":
            pytest.fail("espeak-ng is missing")
        pytest.skip("espeak-ng is not installed")
    script = SAMPLES / "make.py"
    subprocess.run([sys.executable, script, "--out", tmp_path], check=True, capture_output=True)
    for name in NAMES:
        made = json.loads((tmp_path / f"{name}.json").read_text(encoding="utf-8"))
        assert made["turns"] == truth(name)["turns"]
        assert (tmp_path / f"{name}.wav").read_bytes() == (SAMPLES / f"{name}.wav").read_bytes()
