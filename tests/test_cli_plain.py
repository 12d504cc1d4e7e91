"""The daemon's command line, read twice: plainly, and by typer. Both must read the same."""

import inspect
import subprocess
import sys

import typer
from hypothesis import given
from hypothesis import strategies as st

from hackles.cli import plain
from hackles.cli.commands import app
from hackles.cli.listening import listen

LIVE = typer.main.get_command(app).commands["live"]
OPTIONS = ("--config", "--model", "--device", "--customer-device", "--workers", "--sensitivity")
WORDS = st.one_of(
    st.sampled_from([*OPTIONS, "--shadow", "--help", "--", "-", "", "low", "2", "a b.toml"]),
    st.builds("{}={}".format, st.sampled_from([*OPTIONS, "--shadow"]), st.text("a=- ", max_size=4)),
)


def read_by_typer(arguments):
    """Return what typer makes of arguments that are well, by the names of `listen`."""
    read = LIVE.make_context("live", list(arguments)).params
    return {name: str(value) if name == "config" else value for name, value in read.items()}


def read_plainly(arguments):
    """Return all that `listen` is called with, or None if typer is to read the arguments."""
    options = plain.live(["live", *arguments])
    if options is None:
        return None
    bound = inspect.signature(listen).bind(**options)
    bound.apply_defaults()
    return bound.arguments


@given(arguments=st.lists(WORDS, max_size=5))
def test_what_is_read_plainly_is_what_typer_reads(arguments):
    found = read_plainly(arguments)
    if found is not None:
        assert found == read_by_typer(arguments)


def test_what_a_service_says_is_read_plainly():
    assert plain.live(["live"]) == {}
    assert plain.live(["live", "--config", "a.toml"]) == {"config": "a.toml"}
    assert plain.live(["live", "--device=My headset"]) == {"device": "My headset"}


def test_other_commands_and_faults_are_typer_s():
    for arguments in ([], ["score", "--config", "a"], ["live", "a"], ["live", "--config"]):
        assert plain.live(arguments) is None


def test_the_daemon_does_without_the_library_that_reads_command_lines(tmp_path):
    code = f"""
import sys
from hackles.cli import main
sys.argv = ["hackles", "live", "--config", {str(tmp_path / "none.toml")!r}]
try:
    main()
except SystemExit as ended:
    print(ended.code, "hackles.configuration" in sys.modules)
print({{"typer", "pydantic"}} & set(sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["2", "True", "set()"]
    assert "none.toml" in done.stderr
