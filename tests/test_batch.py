"""Many recordings on several processes: nothing is lost, nothing mixed up, nothing left running."""

import multiprocessing
import os
import shutil
import signal
import threading
from pathlib import Path

import numpy as np
import pytest
import soundfile

from hackles import batch
from hackles.capture.files import Channels
from hackles.types import Alert, Gap, Reading, Reason, State, Summary
from tests import program
from tests.conftest import SAMPLES, customer
from tests.program import started, summaries

RIGHT = ("--customer", "right", "--format", "jsonl")
NAMES = ("en_rising_1", "es_calm_1", "pl_rising_2")

posix = pytest.mark.skipif(os.name == "nt", reason="it has no signals")
needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="there is no /proc")


@pytest.fixture(scope="module")
def calls(tmp_path_factory):
    """Three calls in a folder of two floors, and a file that is none; not in sorted order."""
    folder = tmp_path_factory.mktemp("batch") / "calls"
    (folder / "more").mkdir(parents=True)
    shutil.copy(SAMPLES / f"{NAMES[2]}.wav", folder / "z.wav")
    shutil.copy(SAMPLES / f"{NAMES[0]}.wav", folder / "more" / "call.wav")
    shutil.copy(SAMPLES / f"{NAMES[1]}.wav", folder / "b.wav")
    (folder / "empty.wav").write_bytes(b"")
    return folder


@pytest.fixture(scope="module")
def on_one(calls):
    return program.hackles(
        "score", "calls", "calls/empty.wav", *RIGHT, "--jobs", 1, cwd=calls.parent
    )


@pytest.fixture(scope="module")
def on_two(calls):
    return program.hackles(
        "score", "calls", "calls/empty.wav", *RIGHT, "--jobs", 2, cwd=calls.parent
    )


def short_calls(folder, *names):
    """Write the first ten seconds of a call under each name."""
    stereo = np.repeat(customer("en_rising_1")[: 10 * 8000, None], 2, axis=1)
    for name in names:
        soundfile.write(folder / f"{name}.wav", stereo, 8000)
    return [str(folder / f"{name}.wav") for name in names]


def test_two_processes_write_the_same_lines_as_one(on_one, on_two):
    assert on_one.code == on_two.code == 1
    assert on_one.out.count('"type":"summary"') == 4
    assert on_two.out == on_one.out


def test_files_come_in_sorted_order_and_are_called_as_they_were_given(on_one):
    order = list(dict.fromkeys(record["file"] for record in program.records(on_one.out)))
    assert order == [
        f"calls/{name}.wav".replace("/", os.sep) for name in ("b", "empty", "more/call", "z")
    ]


def test_a_file_given_twice_is_scored_once(on_one):
    assert on_one.out.count('"file":"calls/empty.wav"'.replace("/", os.sep)) == 1


def test_a_process_that_dies_loses_only_its_own_file(tmp_path):
    short_calls(tmp_path, "a", "b", "dies", "z")
    chosen = ("score", tmp_path, *RIGHT, "--jobs", 2)
    done = program.run(*program.hooked(tmp_path), *chosen)
    said = summaries(done.out)
    assert done.code == 1
    assert done.err == ""
    error = said["dies.wav"].pop("error")
    assert error == "its process was ended from outside; is there enough memory?"
    assert said["dies.wav"]["duration_s"] == 0.0
    for name in ("a", "b", "z"):
        assert said[f"{name}.wav"]["error"] is None
        assert said[f"{name}.wav"]["speech_s"] > 3


@posix
def test_a_file_whose_process_was_killed_once_is_scored_again(tmp_path):
    short_calls(tmp_path, "a", "once")
    pid = tmp_path / "once.wav.pid"
    with started(*program.hooked(tmp_path), "score", tmp_path, *RIGHT, "--jobs", 2) as process:
        program.wait_until(pid.exists)
        os.kill(int(pid.read_text()), signal.SIGKILL)
        done = program.finish(process)
    assert (done.code, done.err) == (0, "")
    assert [s["error"] for s in summaries(done.out).values()] == [None, None]


def test_processes_that_die_between_two_files_lose_none(tmp_path, monkeypatch):
    monkeypatch.setattr(batch, "_AHEAD", 1)
    paths = short_calls(tmp_path, *"abcde")
    scored = batch.score_many(paths, Channels(1), 2)
    found = [next(scored)]
    for process in multiprocessing.active_children():
        process.kill()
        process.join()
    found += scored
    assert [s.path for s in found] == paths
    assert [s.summary.error for s in found] == [None] * 5


def test_leaving_early_ends_the_processes_and_the_threads_that_look_after_them(tmp_path):
    paths = short_calls(tmp_path, *"abcdef")
    before = set(threading.enumerate())
    scored = batch.score_many(paths, Channels(1), 2)
    next(scored)
    processes = multiprocessing.active_children()
    assert len(processes) == 2
    assert set(threading.enumerate()) > before
    scored.close()
    assert set(threading.enumerate()) <= before
    program.wait_until(lambda: not any(process.is_alive() for process in processes))


def test_a_pool_whose_process_died_leaves_no_thread_behind(tmp_path):
    paths = short_calls(tmp_path, *"ab")
    before = set(threading.enumerate())
    scored = batch.score_many(paths, Channels(1), 2)
    next(scored)
    for process in multiprocessing.active_children():
        process.kill()
    assert len(list(scored)) == 1
    assert set(threading.enumerate()) <= before


@posix
@needs_proc
@pytest.mark.parametrize("moment", ["starting", "scoring"])
def test_ctrl_c_on_two_processes_gives_130_and_leaves_none_running(tmp_path, moment):
    short_calls(tmp_path, "a", "sleeps_1", "sleeps_2")
    pids = [tmp_path / f"sleeps_{n}.wav.pid" for n in (1, 2)]
    command = (*program.hooked(tmp_path), "score", tmp_path, *RIGHT, "--jobs", 2)
    with started(*command) as process:
        if moment == "starting":
            # The program, multiprocessing's own tracker, and the first of the two.
            program.wait_until(lambda: len(program.group(process.pid)) >= 3)
        else:
            program.wait_until(lambda: all(pid.exists() for pid in pids))
        os.killpg(process.pid, signal.SIGINT)
        done = program.finish(process)
        program.wait_until(lambda: not program.group(process.pid))
    assert (done.code, done.err) == (130, "")
    scored = {Path(record["file"]).name for record in program.records(done.out)}
    assert scored == ({"a.wav"} if moment == "scoring" else set())


@posix
@needs_proc
def test_processes_do_not_outlive_a_program_that_is_killed(tmp_path):
    short_calls(tmp_path, "sleeps_1", "sleeps_2")
    pids = [tmp_path / f"sleeps_{n}.wav.pid" for n in (1, 2)]
    command = (*program.hooked(tmp_path), "score", tmp_path, *RIGHT, "--jobs", 2)
    with started(*command) as process:
        program.wait_until(lambda: all(pid.exists() for pid in pids))
        process.kill()
        program.wait_until(lambda: not program.group(process.pid))


# What a recording comes to


def reading(irritation):
    return Reading(time=1.0, irritation=irritation, arousal=0.5, confidence=1.0)


def alert(state, time=1.0):
    return Alert(time, time, state, level=0.5, trend_per_min=0.0, confidence=1.0, evidence=())


@pytest.mark.parametrize(
    ("states", "episodes"),
    [
        ("", 0),
        ("rising", 1),
        ("irritated", 1),
        ("rising irritated eased", 1),
        ("rising eased rising eased", 2),
        ("rising irritated eased irritated eased rising", 3),
        ("eased", 0),
    ],
)
def test_alerts_are_counted_by_episode(states, episodes):
    tally = batch.Tally()
    for state in states.split():
        tally.count(alert(State(state)))
    assert tally.alerts == episodes


def test_the_first_alert_is_the_one_that_opened_the_first_episode():
    tally = batch.Tally()
    for n, state in enumerate((State.RISING, State.IRRITATED, State.EASED, State.RISING)):
        tally.count(alert(state, time=float(n)))
    assert tally.first_alert == alert(State.RISING, time=0.0)


def test_the_highest_and_the_mean_are_those_of_the_readings():
    tally = batch.Tally()
    for event in (reading(0.1), reading(0.6), Gap(1.0, 0.0, Reason.TONE), reading(0.2)):
        assert tally.count(event) is event
    summary = tally.summary(0.0, 0.0, "why")
    assert (summary.irritation_max, summary.irritation_mean) == (0.6, 0.3)
    assert summary.error == "why"


def test_a_recording_s_last_event_is_its_summary_and_it_has_one():
    events = list(batch.score(str(SAMPLES / "en_rising_1.wav"), Channels(1)))
    assert [n for n, e in enumerate(events) if isinstance(e, Summary)] == [len(events) - 1]


def test_a_summary_tells_what_the_lines_before_it_tell(on_one):
    said = summaries(on_one.out)
    for name, summary in said.items():
        mine = [r for r in program.records(on_one.out) if Path(r["file"]).name == name]
        levels = [r["irritation"] for r in mine if r["type"] == "reading"]
        states = [r["state"] for r in mine if r["type"] == "alert"]
        inside = [state != "eased" for state in states]
        episodes = sum(now and not was for was, now in zip([False, *inside], inside, strict=False))
        assert summary["alerts"] == episodes
        assert summary["irritation_max"] == (max(levels) if levels else None)
        mean = pytest.approx(np.mean(levels), abs=1e-4) if levels else None
        assert summary["irritation_mean"] == mean
    assert said["call.wav"]["alerts"] >= 1


def test_as_many_are_scored_at_a_time_as_there_are_cores():
    assert 1 <= batch.cores() <= (os.cpu_count() or 1)


@posix
def test_ctrl_c_waits_until_a_process_is_born():
    born = []

    class Pool:
        def submit(self, *_):
            # What another thread is told reaches Python's main thread at once, blocked or not.
            signal.raise_signal(signal.SIGINT)
            born.append(True)

    with pytest.raises(KeyboardInterrupt):
        batch._submit(Pool(), print, "call.wav")
    assert born
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
