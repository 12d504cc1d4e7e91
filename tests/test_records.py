"""The lines of JSON: exactly the contract that other programs rely on, schema 1."""

import json
import math
import os
import sys
from dataclasses import fields
from itertools import pairwise

import pytest

from hackles import batch
from hackles.capture.files import Channels
from hackles.records import event_id, line
from hackles.types import Alert, Evidence, Gap, Reading, Reason, State, Summary
from tests import program
from tests.conftest import NAMES, SAMPLES, customer
from tests.events import run

READING = Reading(time=12.34, irritation=0.5, arousal=0.25, confidence=1.0)
ALERT = Alert(
    time=66.0,
    since=48.5,
    state=State.RISING,
    level=0.41,
    trend_per_min=2.5,
    confidence=0.6,
    evidence=(
        Evidence("pitch", "semitones", 22.5, 29.0),
        Evidence("tempo", "syllables/s", None, 5.5),
    ),
)
GAP = Gap(time=20.0, since=8.25, reason=Reason.MUSIC)
SUMMARY = Summary(90.0, 45.5, 0.68, 0.2, 1, None)

NUMBER = (int, float)
CONTRACT = {
    "reading": {"time": NUMBER, "irritation": NUMBER, "arousal": NUMBER, "confidence": NUMBER},
    "alert": {
        "time": NUMBER,
        "since": NUMBER,
        "state": str,
        "level": NUMBER,
        "trend_per_min": NUMBER,
        "confidence": NUMBER,
        "evidence": list,
    },
    "gap": {"time": NUMBER, "since": NUMBER, "reason": str},
    "summary": {
        "duration_s": NUMBER,
        "speech_s": NUMBER,
        "irritation_max": (*NUMBER, type(None)),
        "irritation_mean": (*NUMBER, type(None)),
        "alerts": int,
        "error": (str, type(None)),
    },
}
EVIDENCE = {"measure": str, "unit": str, "baseline": (*NUMBER, type(None)), "now": NUMBER}


@pytest.fixture(scope="module")
def lines():
    """The lines of all the sample calls."""
    done = program.hackles("score", SAMPLES, "--customer", "right", "--format", "jsonl")
    assert (done.code, done.err) == (0, "")
    return done.out


@pytest.fixture(scope="module")
def found(lines):
    return program.records(lines)


def by_file(found):
    """Return each file's records, in order."""
    files = {}
    for record in found:
        files.setdefault(record["file"], []).append(record)
    return files


# Each kind, written out


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (
            READING,
            '{"schema":1,"type":"reading","id":"ID","file":"a b.wav","time":12.34,'
            '"irritation":0.5,"arousal":0.25,"confidence":1.0}',
        ),
        (
            ALERT,
            '{"schema":1,"type":"alert","id":"ID","file":"a b.wav","time":66.0,"since":48.5,'
            '"state":"rising","level":0.41,"trend_per_min":2.5,"confidence":0.6,"evidence":['
            '{"measure":"pitch","unit":"semitones","baseline":22.5,"now":29.0},'
            '{"measure":"tempo","unit":"syllables/s","baseline":null,"now":5.5}]}',
        ),
        (
            GAP,
            '{"schema":1,"type":"gap","id":"ID","file":"a b.wav","time":20.0,"since":8.25,'
            '"reason":"music"}',
        ),
        (
            SUMMARY,
            '{"schema":1,"type":"summary","file":"a b.wav","duration_s":90.0,"speech_s":45.5,'
            '"irritation_max":0.68,"irritation_mean":0.2,"alerts":1,"error":null}',
        ),
    ],
)
def test_each_kind_is_written_as_the_contract_has_it(event, expected):
    if not isinstance(event, Summary):
        expected = expected.replace("ID", event_id("a b.wav", event))
    assert line("a b.wav", event).decode() == expected + "\n"


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_number_that_is_not_finite_is_null(value):
    record = json.loads(line("x.wav", Reading(1.0, value, 0.5, 0.5)))
    assert record["irritation"] is None


@pytest.mark.parametrize("name", ["żółw.wav", 'a"b\\c.wav', "a\nb\t.wav", "日本.wav", "😠.wav"])
def test_any_name_is_one_line_and_reads_back_as_it_was(name):
    text = line(name, SUMMARY)
    assert text.count(b"\n") == 1
    assert json.loads(text)["file"] == name


def test_a_name_that_is_no_text_is_still_json_in_utf_8():
    name = os.fsdecode(b"caf\xe9.wav") if sys.platform == "linux" else "caf\udce9.wav"
    assert json.loads(line(name, READING).decode())["file"] == "caf\ufffd.wav"


# Ids


def test_an_id_is_the_same_again_and_differs_with_file_kind_time_and_state():
    assert event_id("a.wav", READING) == event_id("a.wav", READING)
    others = [
        event_id("a.wav", READING),
        event_id("b.wav", READING),
        event_id("a.wav", Reading(12.35, 0.5, 0.25, 1.0)),
        event_id("a.wav", Gap(12.34, 12.0, Reason.MUSIC)),
        event_id("a.wav", Gap(12.34, 12.0, Reason.TONE)),
        event_id("a.wav", Alert(12.34, 12.0, State.RISING, 0.5, 0.0, 1.0, ())),
        event_id("a.wav", Alert(12.34, 12.0, State.EASED, 0.5, 0.0, 1.0, ())),
    ]
    assert len(set(others)) == len(others)


def test_the_ids_of_many_calls_are_unique(found):
    ids = [record["id"] for record in found if record["type"] != "summary"]
    assert len(set(ids)) == len(ids) > 400
    assert all(len(id_) == 24 and set(id_) <= set("0123456789abcdef") for id_ in ids)


def test_a_second_run_gives_the_same_lines_and_so_the_same_ids(lines):
    name = f"{NAMES[0]}.wav"
    again = batch.score_whole(str(SAMPLES / name), Channels(1)).lines.decode()
    assert again == "".join(one for one in lines.splitlines(keepends=True) if name in one)


# Everything that the program writes


def test_every_line_has_the_keys_of_its_kind_in_their_order(found):
    assert {record["type"] for record in found} == set(CONTRACT)
    for record in found:
        own = list(CONTRACT[record["type"]])
        head = ["schema", "type", *(["id"] if record["type"] != "summary" else []), "file"]
        assert list(record) == head + own
        assert record["schema"] == 1
        for evidence in record.get("evidence", []):
            assert list(evidence) == list(EVIDENCE)


def test_every_value_is_of_its_type_and_every_number_finite(found):
    for record in found:
        for key, type_ in CONTRACT[record["type"]].items():
            assert isinstance(record[key], type_), (key, record)
            assert not isinstance(record[key], bool)
            assert not isinstance(record[key], float) or math.isfinite(record[key])
        for evidence in record.get("evidence", []):
            assert all(isinstance(evidence[key], type_) for key, type_ in EVIDENCE.items())


def test_every_value_is_in_its_range(found):
    for record in found:
        shares = ("irritation", "arousal", "confidence", "level", "irritation_max")
        assert all(0 <= record[k] <= 1 for k in shares if record.get(k) is not None)
        if "since" in record:
            assert 0 <= record["since"] <= record["time"]
        assert record.get("state", "rising") in {"rising", "irritated", "eased"}
        assert record.get("reason", "tone") in set(Reason)


def test_a_file_is_called_as_it_was_given_and_a_folder_s_files_come_sorted(found):
    assert list(by_file(found)) == [str(SAMPLES / f"{name}.wav") for name in NAMES]


def test_each_file_s_lines_end_with_its_only_summary(found):
    for records in by_file(found).values():
        assert [r["type"] == "summary" for r in records] == [False] * (len(records) - 1) + [True]


def test_lines_come_in_the_order_of_their_times_within_the_call(found):
    for records in by_file(found).values():
        times = [record["time"] for record in records[:-1]]
        assert times == sorted(times)
        assert times[-1] <= records[-1]["duration_s"]


def test_lines_come_in_the_order_in_which_a_live_call_decides_them(found):
    name = "en_rising_1"
    samples = customer(name)
    live = run(samples, cuts=range(160, len(samples), 1600))
    written = by_file(found)[str(SAMPLES / f"{name}.wav")][:-1]
    assert [(e.type, e.time) for e in live] == [(r["type"], r["time"]) for r in written]


def test_alerts_are_counted_by_episode_in_every_summary(found):
    rising = 0
    for *records, summary in by_file(found).values():
        states = ["calm", *(r["state"] for r in records if r["type"] == "alert")]
        outside = [state in {"calm", "eased"} for state in states]
        episodes = sum(a and not b for a, b in pairwise(outside))
        assert summary["alerts"] == episodes
        rising += episodes
    assert rising > 0


def test_the_contract_has_every_field_of_every_kind_of_event():
    for kind in (Reading, Alert, Gap, Summary):
        own = [field.name for field in fields(kind) if field.name != "type"]
        (type_,) = (field.default for field in fields(kind) if field.name == "type")
        assert own == list(CONTRACT[type_])
