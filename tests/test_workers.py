"""Where engines run: whoever dies is missed, and whoever hangs holds up nobody."""

import os
import signal
import socket
import sys
import threading

import pytest

from hackles.capture.pipes import Pipes
from hackles.errors import UsageError
from hackles.live import room
from hackles.live.news import Stop, Withdrawn
from hackles.live.workers import ProcessWorker, ThreadWorker
from hackles.models import chosen
from hackles.settings import Compliance, Engine, Pipe, Settings

SETTINGS = Settings(compliance=Compliance(notice="a test", basis="a test"), engine=Engine(calls=2))


class Reports:
    """Takes reports, and wakes up whoever waits for the last one."""

    def __init__(self):
        self.said = []
        self.has_begun, self.is_over = threading.Event(), threading.Event()

    def __call__(self, report):
        self.said.append(report)
        self.has_begun.set()
        if report is None or report.has_stopped:
            self.is_over.set()


def test_an_engine_on_a_thread_says_its_last_word_when_told_to_stop():
    reports = Reports()
    worker = ThreadWorker(SETTINGS, chosen(), reports)
    worker.order(Stop())
    assert reports.is_over.wait(60)
    assert reports.said[-1].has_stopped


def test_an_order_is_obeyed_at_once_however_long_a_tick_is(monkeypatch):
    monkeypatch.setattr(room, "DESKTOP_TICK_S", 120.0)
    reports = Reports()
    worker = ThreadWorker(SETTINGS, chosen(), reports)
    assert reports.has_begun.wait(60)  # the next tick is due in two minutes
    for call in ("first", "second"):
        worker.order(Withdrawn(call))
    worker.order(Stop())
    assert reports.is_over.wait(60)
    assert reports.said[-1].has_stopped


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("error", [UsageError("of ours"), ValueError("anybody's")])
def test_an_engine_that_breaks_is_missed_whatever_it_broke_of(error, monkeypatch, tmp_path):
    def broken(self, open_call):
        raise error

    os.mkfifo(tmp_path / "pipe")
    monkeypatch.setattr(Pipes, "receive", broken)
    pipe = Pipe(path=str(tmp_path / "pipe"), call="a", role="customer")
    reports = Reports()
    ThreadWorker(Settings(compliance=SETTINGS.compliance, pipe=(pipe,)), chosen(), reports)
    assert reports.is_over.wait(60)
    assert reports.said == [None]
    for thread in threading.enumerate():
        if thread.name == "engine":
            thread.join(60)  # what it broke of is this test's to overlook


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="several workers need Linux")
def test_a_process_that_hangs_holds_up_nobody_who_orders_and_no_call_overtakes_an_order():
    worker = ProcessWorker(SETTINGS, chosen(), 0)
    assert worker.reports.recv().news == ()  # it has begun
    os.kill(worker.process.pid, signal.SIGSTOP)
    has_ordered = threading.Event()

    def order():
        for number in range(5000):
            worker.order(Withdrawn(f"call {number}"))
        has_ordered.set()

    threading.Thread(target=order, daemon=True).start()
    try:
        assert has_ordered.wait(60)
        ours, theirs = socket.socketpair()
        with ours, theirs:
            assert not worker.pass_on("audiosocket", ours, "127.0.0.1")
        os.kill(worker.process.pid, signal.SIGCONT)
        worker.order(Stop())
        while not worker.reports.recv().has_stopped:
            pass
    finally:
        worker.close()
