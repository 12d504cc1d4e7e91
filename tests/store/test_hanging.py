"""A database that answers nothing at all, and a daemon that has asked it something."""

import os
import signal
import time
from contextlib import contextmanager

from tests.program import wait_until
from tests.test_agent import looking
from tests.test_daemon import daemon, name_of

CUSTOMER = {"role": "customer", "customer": "+48 600 100 200"}


@contextmanager
def hanging(server):
    """Let all processes of a server stand still."""
    stopped = server.pids()
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)


def test_a_database_that_hangs_does_not_keep_the_daemon_from_ending(tmp_path, server):
    store = f'[store]\ndatabase = "{server.database()}"\n'
    with daemon(tmp_path, more=store) as running:
        running.post("/calls", CUSTOMER | {"id": name_of(0)})
        running.phone(0)
        wait_until(running.calls)
        time.sleep(1)  # nothing more is being written: what is asked next hangs by itself
        with hanging(server), looking(running) as view:
            assert view()["calls"]
            time.sleep(0.5)
            running.process.send_signal(signal.SIGTERM)
            assert running.process.wait(20) == 0
