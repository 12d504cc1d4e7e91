"""`hackles live` beside a softphone: real telephone calls, a real sound server, a real page."""

import os
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import soundfile

from hackles.types import Alert
from tests.browser import browser
from tests.conftest import customer
from tests.events import BRISK_TOML, brisk, run
from tests.program import HACKLES, PATIENCE_S, started, wait_until
from tests.softphones import sipp_call, softphones
from tests.sound import AGENT, CUSTOMER, NOBODY, sound_server
from tests.test_agent_page import looking
from tests.test_daemon import Daemon, answers, free_ports

SETTINGS = """
[compliance]
notice = "announcement"
basis = "consent"
[control]
listen = "127.0.0.1:{control}"
[output]
jsonl = "{folder}/calls.jsonl"
[device]
{section}
"""

RISING_FROM = 40 * 8000
"""A sample caller from here on is irritated within half a minute."""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with sound_server(tmp_path_factory.mktemp("s")) as server:
        yield server


@contextmanager
def listening(folder, server, section, *options):
    """Run the daemon on a sink's monitor, and end it however it stands."""
    (control,) = free_ports(1)
    text = SETTINGS.format(control=control, folder=folder, section=section)
    (folder / "hackles.toml").write_text(text + BRISK_TOML)
    environment = [f"{name}={value}" for name, value in server.environment.items()]
    command = [HACKLES, "live", "--config", folder / "hackles.toml", *options]
    with started("env", *environment, *command) as process:
        running = Daemon(process, folder, 0, 0, control)
        wait_until(lambda: process.poll() is not None or answers(running))
        assert process.poll() is None, process.stderr.read()
        yield running


def records(running, kind, call=None):
    if not (running.folder / "calls.jsonl").exists():
        return []
    return [one for one in running.records(call) if one["type"] == kind]


def is_under_way(running):
    return [one["call"] for one in running.calls()]


def test_a_customer_on_the_softphone_is_warned_of_while_the_call_goes_on_and_the_page_shows_it(
    server, tmp_path
):
    from playwright.sync_api import expect

    voice = customer("en_rising_1")[RISING_FROM:]
    soundfile.write(tmp_path / "voice.wav", voice, 8000, subtype="PCM_16")
    with (
        browser() as chromium,
        softphones(tmp_path, server, tmp_path / "voice.wav") as phones,
        listening(
            tmp_path,
            server,
            f'calls = "told"\nbaresip = "{phones.agent_ctrl}"',
            "--device",
            CUSTOMER,
        ) as running,
        looking(chromium, running) as seen,
    ):
        phones.call()
        expect(seen.page.locator("#state")).to_contain_text("rising", timeout=1000 * PATIENCE_S)
        under_way = is_under_way(running)
        phones.hang_up()
        wait_until(lambda: records(running, "summary"))
        running.stop()
        (alert, *_) = records(running, "alert")
        (summary,) = records(running, "summary")
    assert [alert["call"]] == under_way == [summary["call"]]
    assert alert["state"] == "rising"
    expected = next(one for one in run(voice, classifier=brisk()) if isinstance(one, Alert))
    assert alert["time"] == pytest.approx(expected.time, abs=3.0)
    assert summary["error"] is None
    assert summary["duration_s"] > alert["time"]
    assert [seen.complaints] == [[]]


def test_a_customer_whom_sipp_plays_is_heard_from_the_answer_to_the_end(server, tmp_path):
    voice = customer("en_rising_1")[RISING_FROM:]
    with (
        softphones(tmp_path, server) as phones,
        listening(
            tmp_path,
            server,
            f'output = "{CUSTOMER}"\ncalls = "told"\nbaresip = "{phones.agent_ctrl}"',
        ) as running,
        sipp_call(tmp_path, phones.agent, voice, 6.0) as sipp,
    ):
        assert sipp.wait(timeout=60) == 0
        wait_until(lambda: records(running, "summary"))
        (summary,) = records(running, "summary")
        readings = records(running, "reading")
        running.stop()
    assert summary["error"] is None
    assert summary["duration_s"] == pytest.approx(6.0, abs=1.5)
    assert summary["speech_s"] > 2
    assert readings


def spoken(path, call, seconds=60):
    samples = np.resize(customer(call)[RISING_FROM:], seconds * 8000)
    soundfile.write(path, 0.5 * samples / np.abs(samples).max(), 8000)
    return path


@pytest.mark.parametrize("what", ["sink", "server"])
def test_when_the_sound_goes_away_in_mid_call_the_microphone_is_not_scored_and_it_goes_on_after(
    tmp_path_factory, what
):
    folder = tmp_path_factory.mktemp("s")
    angry = spoken(folder / "angry.wav", "en_rising_1")
    with (
        sound_server(folder) as server,
        listening(folder, server, f'output = "{CUSTOMER}"\ncalls = "told"') as running,
    ):
        assert running.post("/device/start", {"call": "one"})[0] == 201
        server.play(AGENT, angry)
        wait_to_hear(running)
        if what == "sink":
            server.unload(CUSTOMER)
        else:
            server.kill()
            server.start({AGENT: "", NOBODY: ""})
            server.play(AGENT, angry)
        time.sleep(3.0)
        server.load(CUSTOMER)
        caller = spoken(folder / "caller.wav", "en_rising_2")
        before = records(running, "reading")
        server.play(CUSTOMER, caller)
        wait_until(lambda: len(records(running, "reading")) > 2)
        assert running.post("/device/end", {})[0] == 200
        wait_until(lambda: records(running, "summary"))
        running.stop()
        gaps = records(running, "gap")
    assert before == []
    assert any(gap["reason"] == "lost_audio" and gap["time"] - gap["since"] > 2 for gap in gaps)


def test_the_agents_microphone_times_the_turns_and_is_not_scored(tmp_path_factory):
    folder = tmp_path_factory.mktemp("s")
    with sound_server(folder) as server:
        microphone = ("source_name=headset_mic", f"master={AGENT}.monitor")
        server.pactl("load-module", "module-remap-source", *microphone)
        section = f'output = "{CUSTOMER}"\nagent_microphone = "headset_mic"\ncalls = "told"'
        with listening(folder, server, section) as running:
            wait_until(lambda: server.listeners(CUSTOMER))
            assert running.post("/device/start", {"call": "one"})[0] == 201
            wait_to_hear(running)
            # First the agent alone, and then the customer.
            server.play(AGENT, spoken(folder / "agent.wav", "es_rising_1", seconds=6)).wait()
            assert records(running, "reading") == []
            server.play(CUSTOMER, spoken(folder / "caller.wav", "en_rising_2", seconds=6)).wait()
            assert running.post("/device/end", {})[0] == 200
            wait_until(lambda: records(running, "summary"))
            running.stop()
            (timing,) = records(running, "timing")
    assert timing["agent_s"] > 2
    assert timing["customer_s"] > 2
    assert timing["talk_over_s"] < 0.5
    assert timing["is_loud"] is False


DEVICE_GOES, CALLS = 50, 40
HEARD = (0, 9, 19, 29, 39)
"""In these calls something is heard before the device goes; then it is looked at what is held."""


def heard_s(running):
    return running.metric("hackles_audio_seconds_total")


def wait_to_hear(running):
    most = heard_s(running) + 0.2
    wait_until(lambda: heard_s(running) > most)


def held(running):
    """Return what a process holds: memory in MB, open files, threads."""
    process = Path(f"/proc/{running.process.pid}")
    pages = int((process / "statm").read_text().split()[1])
    threads = len(list((process / "task").iterdir()))
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6, len(list((process / "fd").iterdir())), threads


def test_a_working_day_of_calls_and_headsets_pulled_out_leaves_nothing_behind(tmp_path_factory):
    folder = tmp_path_factory.mktemp("s")
    caller = spoken(folder / "caller.wav", "en_rising_1", seconds=300)
    with (
        sound_server(folder) as server,
        listening(folder, server, f'output = "{CUSTOMER}"\ncalls = "told"') as running,
    ):
        stands = []
        for goes in range(DEVICE_GOES):
            server.play(CUSTOMER, caller)
            if goes < CALLS:
                assert running.post("/device/start", {"call": f"call-{goes}"})[0] == 201
            wait_until(lambda: server.listeners(CUSTOMER))
            if goes in HEARD:
                wait_to_hear(running)
                stands.append(held(running))
            server.unload(CUSTOMER)
            if goes < CALLS:
                assert running.post("/device/end", {})[0] == 200
            server.silence()
            server.load(CUSTOMER)
        wait_until(lambda: len(records(running, "summary")) == CALLS)
        running.stop()
    memory, files, threads = zip(*stands, strict=True)
    assert all(summary["error"] is None for summary in records(running, "summary"))
    assert max(memory[1:]) < memory[1] + 3.0
    # One more may be there for a moment: who asks how much was heard is just hanging up.
    assert max(files) <= files[1] + 2
    assert max(threads) <= threads[1] + 1
