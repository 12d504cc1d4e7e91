"""Thresholds for a site's own calls: the arithmetic, and the command on the sample calls."""

import io
import os
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta, chi2

from hackles import cli
from hackles.calibration import FEW, THRESHOLDS, Answers, Rate, Sweep
from hackles.classifier import default_classifier
from hackles.configuration import check
from hackles.models import chosen
from hackles.records import Acknowledgement
from hackles.settings import Store
from hackles.store.acknowledged import answers
from hackles.store.database import open_database
from hackles.store.rows import row
from hackles.store.writing import Writer
from hackles.types import Alert, State
from tests.conftest import SAMPLES
from tests.store.asked import Told

OWN = default_classifier().tracker.rising


class Counted(Sweep):
    """A sweep of which somebody says how often each threshold alerts."""

    def __init__(self, hours, count):
        super().__init__(default_classifier())
        self.speech_s = hours * 3600
        self._alerts = {threshold: count(threshold) for threshold in self._alerts}


@given(st.integers(1, 500), st.floats(0.01, 1000))
def test_a_rate_s_range_is_the_exact_one_of_poisson(alerts, hours):
    low, high = Rate(alerts, hours).range
    assert low == pytest.approx(chi2.ppf(0.025, 2 * alerts) / 2 / hours)
    assert high == pytest.approx(chi2.ppf(0.975, 2 * alerts + 2) / 2 / hours)
    assert low < alerts / hours < high


@given(st.floats(0.01, 1000))
def test_without_an_alert_there_are_at_most_three_in_as_many_hours(hours):
    assert Rate(0, hours).range == (0.0, pytest.approx(3 / hours))


@given(st.integers(0, 200), st.integers(0, 200))
def test_a_share_s_range_is_the_exact_one_of_the_binomial(false, seen):
    low, high = Answers(false, seen).range
    assert 0 <= low <= Answers(false, seen).share <= high <= 1
    if false and seen:
        assert low == pytest.approx(beta.ppf(0.025, false, seen + 1))
        assert high == pytest.approx(beta.ppf(0.975, false + 1, seen))


@given(st.floats(0.001, 1000), st.floats(0.01, 100), st.integers(0, 1000), st.floats(0.3, 3))
def test_what_is_found_alerts_no_more_often_than_is_wanted(wanted, hours, most, slope):
    sweep = Counted(hours, lambda threshold: int(most * (THRESHOLDS[0] / threshold) ** slope))
    found = sweep.find(wanted)
    assert found.irritated / found.rising == pytest.approx(1.7)
    assert found.is_reached == (found.rate.per_hour <= wanted + 1e-9)
    assert found.can_show == (wanted * hours >= FEW)
    if not found.can_show:
        assert found.rising >= OWN
    bolder = [t for t in sweep.alerts if t < found.rising]
    if found.can_show and found.is_reached and bolder:
        assert sweep.alerts[bolder[-1]] / hours > wanted


def test_where_several_alerts_become_one_no_threshold_is_sought():
    """So bold that each call is one long alert: seldom, but not what anybody wants."""
    sweep = Counted(10.0, lambda threshold: 5 if threshold < 2 else int(100 / threshold))
    assert sweep.find(1.0).rising > 9
    assert sweep.find(10.0).rising >= 2


def test_where_nothing_ever_alerts_it_is_plain_arithmetic():
    found = Counted(100.0, lambda _: 0).find(1.0)
    assert found.is_reached
    assert found.rate.range == (0.0, pytest.approx(0.03))
    assert found.rising == THRESHOLDS[0]


def test_few_answers_count_for_little_and_many_for_what_they_say():
    sweep = Counted(10.0, lambda threshold: int(200 / threshold))
    rising = [sweep.find(2.0, Answers(n, n)).rising for n in (0, 1, 10, 1000)]
    assert rising == sorted(rising, reverse=True)
    assert rising[0] == sweep.find(2.0).rising > rising[-1]
    assert sweep.find(2.0, Answers(0, 0, 50)).rising == rising[0]


def told(database, count, verdicts, model):
    """Write a call of so many alerts that a model gave, and what was said of them."""
    call = Told(f"call {model}", f"{model:.8}")
    call.begin(database.names)
    for number in range(count):
        alert = call.tell(Alert(10.0 * number, 0.0, State.RISING, 0.5, 1.0, 0.9, ()), number)
        for verdict in verdicts.get(number, ()):
            call.tell(Acknowledgement(10.0 * number + 1, alert, verdict), 50 + number)
            call.begun += 0.001
    rows = [row(one, database.names, model, "settings") for one in call.records]
    Writer(database).write([one for one in rows if one])


@pytest.fixture
def record(tmp_path):
    """A folder of a record with answers: 2 of 3 alerts false, and 1 of another model."""
    section = Store(folder=str(tmp_path / "record"))
    database = open_database(section)
    said = {0: ["false_alarm"], 2: ["seen", "false_alarm"], 3: ["false_alarm", "seen"]}
    told(database, 5, said, chosen().digest)
    told(database, 1, {0: ["seen"]}, "another model")
    found = answers(database, chosen().digest)
    database.close()
    assert found == Answers(2, 1, 1)
    return tmp_path / "record"


@pytest.fixture
def run(tmp_path, capfd, monkeypatch):
    """Calibrate in this process; return exit code, output and errors."""
    monkeypatch.chdir(tmp_path)

    def run_here(*arguments):
        argv = ["hackles", "calibrate", *map(str, arguments), "--jobs", "1"]
        monkeypatch.setattr(sys, "argv", argv)
        monkeypatch.setattr(sys, "stdin", io.StringIO())
        capfd.readouterr()
        with pytest.raises(SystemExit) as exit_:
            cli.main()
        return exit_.value.code or 0, *capfd.readouterr()

    return run_here


CALLS = (SAMPLES / "es_calm_1.wav", SAMPLES / "en_rising_1.wav")
WISH = ("--customer", "right", "--false-alerts-per-hour")


def test_what_is_written_is_a_section_of_the_settings_that_says_what_to_expect(run):
    code, out, err = run(*CALLS, *WISH, 60)
    assert (code, err) == (0, "")
    found = tomllib.loads(out)["thresholds"]
    assert found["irritated"] == pytest.approx(1.7 * found["rising"], rel=1e-3)
    said = " ".join(line.lstrip("# ") for line in out.splitlines())
    assert "For at most 60 false alerts per hour" in said
    assert "Heard: 2 calls with 2 minutes of the customers' speech." in said
    assert "CAUTION: 2 minutes of speech is too little to rely on" in said
    assert f"({chosen().digest[:12]})" in said
    assert max(map(len, out.splitlines())) <= 100
    settings = '[compliance]\nnotice = "a"\nbasis = "b"\n[audiosocket]\nlisten = "127.0.0.1:9"\n'
    Path("hackles.toml").write_text(settings + out)
    assert check("hackles.toml").settings.thresholds.rising == found["rising"]


def test_a_rate_that_so_little_cannot_show_is_said_and_not_refused(run):
    code, out, _ = run(*CALLS, *WISH, 1)
    assert code == 0
    said = " ".join(line.lstrip("# ") for line in out.splitlines())
    assert "1 per hour cannot be shown by so little speech" in said
    assert "It takes 3 hours." in said
    assert tomllib.loads(out)["thresholds"]["rising"] >= OWN


@pytest.mark.parametrize("by_settings", [True, False])
def test_what_people_said_of_alerts_counts(run, record, by_settings):
    path = record
    if by_settings:
        path = record.parent / "hackles.toml"
        named = '[compliance]\nnotice = "a"\nbasis = "b"\n[audiosocket]\n'
        path.write_text(named + 'listen = "127.0.0.1:9"\n[store]\n')
    code, out, err = run(*CALLS, *WISH, 60, "--record", path)
    assert (code, err) == (0, "")
    said = " ".join(line.lstrip("# ") for line in out.splitlines())
    assert "People answered 3 alerts of this model, and called 2 of them false: 67 %" in said
    assert "1 answer in the record was left out: about alerts of other models." in said
    assert "So to expect: " in said


def test_a_file_is_written_once_and_the_figures_are_said(run):
    code, out, _ = run(*CALLS[:1], *WISH, 60, "--out", "thresholds.toml")
    assert code == 0
    assert "Written to thresholds.toml. Put its lines into" in out
    assert "rising" in tomllib.loads(Path("thresholds.toml").read_text())["thresholds"]
    code, _, err = run(*CALLS[:1], *WISH, 60, "--out", "thresholds.toml")
    assert (code, err) == (2, "hackles: thresholds.toml is there already; name another file.\n")


def test_what_cannot_be_read_is_named_and_the_rest_is_taken(run, tmp_path):
    (tmp_path / "bad.wav").write_text("no audio")
    code, out, err = run(CALLS[0], tmp_path / "bad.wav", tmp_path / "none.wav", *WISH, 60)
    assert code == 1
    assert "Heard: 1 call " in out
    assert sorted(line.split(": ")[0].rsplit(os.sep)[-1] for line in err.splitlines()) == [
        "bad.wav",
        "none.wav",
    ]


def test_without_any_speech_it_says_so(run, tmp_path):
    soundfile.write(tmp_path / "silent.wav", np.zeros((80000, 2)), 8000)
    code, out, err = run(tmp_path / "silent.wav", *WISH, 60)
    assert (code, out) == (2, "")
    assert err.startswith("hackles: No customer's speech was heard in these recordings")
