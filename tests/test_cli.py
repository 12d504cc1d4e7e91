"""The program's promises on bad input: exit codes, sentences, and that what was read is kept."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

import hackles
from hackles import cli
from tests import program
from tests.conftest import SAMPLES, customer
from tests.program import HACKLES, Terminal, plain, started, summaries

CALL = SAMPLES / "en_rising_1.wav"
FULL = Path("/dev/full")

needs_terminal = pytest.mark.skipif(os.name == "nt", reason="there are no pseudo-terminals")
needs_full = pytest.mark.skipif(not FULL.exists(), reason="there is no /dev/full")
needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="there is no /proc")


def stereo(seconds=30.0):
    """Return the beginning of a call: silence on the left, the customer on the right."""
    right = customer("en_rising_1")[: int(seconds * 8000)]
    return np.stack([np.zeros_like(right), right], axis=1)


def write(path, samples, rate=8000, subtype="PCM_16"):
    soundfile.write(path, samples, rate, subtype=subtype)
    return path


def spoilt(value):
    """Return a call in which the customer's sample at 20 s is no number."""
    samples = stereo().copy()
    samples[20 * 8000, 1] = value
    return samples


def long_call(path, minutes=25):
    """Write a call whose lines are more than any pipe holds."""
    once = customer("en_rising_1")
    return write(path, np.tile(once, int(minutes * 60 * 8000 / len(once))), subtype="ULAW")


# Bad files and odd ones, all in one folder, scored as a table and as lines

ODD = ("clipped", "offset", "silent", "well", "wide")
KEPT_UNTIL_S = {"cut": 18.0, "inf": 20.0, "nan": 20.0}
SAID = {
    "cut": "is cut short: only 18.00 s of 30.00 s are there; copy it again",
    "empty": "is empty (0 bytes); copy it again",
    "inf": "has a sample that is no finite number (NaN, infinite) at 20.000 s; export it again",
    "mono": "if it holds the customer alone, score it with --customer mono",
    "nan": "has a sample that is no finite number (NaN, infinite) at 20.000 s; export it again",
    "rate_10_mhz": "is sampled at 10000000 Hz; hackles needs 8000 to 384000 Hz",
    "rate_1_hz": "is sampled at 1 Hz; hackles needs 8000 to 384000 Hz",
    "text": "convert it to WAV",
    "unreadable": "may not be read by this user; change its permissions",
}


def make_files(folder):
    write(folder / "clipped.wav", np.clip(20 * stereo(), -1, 1))
    write(folder / "offset.wav", 0.5 * stereo() + 0.4)
    write(folder / "silent.wav", 0 * stereo())
    write(folder / "well.wav", stereo())
    write(folder / "wide.wav", np.repeat(stereo(5.0)[:, 1:], 64, axis=1))
    write(folder / "cut.wav", stereo())
    os.truncate(folder / "cut.wav", 44 + 18 * 8000 * 4)
    (folder / "empty.wav").write_bytes(b"")
    write(folder / "inf.wav", spoilt(-np.inf), subtype="FLOAT")
    write(folder / "mono.wav", stereo()[:, 1])
    write(folder / "nan.wav", spoilt(np.nan), subtype="FLOAT")
    write(folder / "rate_10_mhz.wav", stereo(1.0), 10_000_000)
    write(folder / "rate_1_hz.wav", stereo(1.0), 1)
    (folder / "text.wav").write_text("Good morning, Parcel Line, how can I help?\n" * 100)
    write(folder / "unreadable.wav", stereo(1.0)).chmod(0)
    if os.access(folder / "unreadable.wav", os.R_OK):  # to root, nothing is
        (folder / "unreadable.wav").unlink()


@pytest.fixture(scope="module")
def calls(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bad") / "calls"
    folder.mkdir()
    make_files(folder)
    (folder.parent / "without").mkdir()
    (folder.parent / "without" / "notes.txt").write_text("x")
    return folder


@pytest.fixture(scope="module")
def paths(calls):
    return [calls, calls.parent / "without", calls.parent / "missing.wav"]


@pytest.fixture(scope="module")
def lines(paths):
    return program.hackles("score", *paths, "--customer", "right", "--format", "jsonl")


@pytest.fixture(scope="module")
def table(paths):
    wide = program.ENVIRONMENT | {"COLUMNS": "300"}
    return program.hackles("score", *paths, "--customer", "right", "--jobs", 1, env=wide)


@pytest.fixture(params=SAID)
def bad(request, calls):
    path = calls / f"{request.param}.wav"
    if not path.exists():
        pytest.skip("to root, no file is unreadable")
    return path


def score_here(capfd, monkeypatch, *arguments):
    """Run the program in this process, which is quicker, and return exit code, output, errors."""
    monkeypatch.setattr(sys, "argv", ["hackles", "score", *map(str, arguments)])
    with pytest.raises(SystemExit) as exit_:
        cli.main()
    out, err = capfd.readouterr()
    return exit_.value.code or 0, out, err


def test_bad_files_among_good_ones_give_exit_code_1_in_both_formats(lines, table):
    assert (lines.code, table.code) == (1, 1)


def test_every_file_ends_in_a_summary_whatever_is_wrong_with_it(lines, calls):
    wanted = {path.name for path in calls.iterdir()} | {"without", "missing.wav"}
    assert set(summaries(lines.out)) == wanted


def test_a_bad_file_is_told_in_one_line_that_says_what_to_do(bad, lines, table):
    error = summaries(lines.out)[bad.name]["error"]
    assert SAID[bad.stem] in error
    assert "\n" not in error
    assert f"{bad}: {error}" in table.err.splitlines()
    assert lines.err == ""


def test_a_bad_file_alone_gives_exit_code_1(bad, capfd, monkeypatch):
    code, out, err = score_here(capfd, monkeypatch, bad, "--customer", "right")
    assert code == 1
    assert err.startswith(f"{bad}: ")
    assert err.count("\n") == 1
    assert bool(out) == (bad.stem in KEPT_UNTIL_S)


@pytest.mark.parametrize("name", KEPT_UNTIL_S)
def test_what_comes_before_a_fault_is_scored_and_kept(lines, table, name):
    said = summaries(lines.out)
    assert said[f"{name}.wav"]["duration_s"] == pytest.approx(KEPT_UNTIL_S[name], abs=0.01)

    def readings(file):
        found = [r for r in program.records(lines.out) if Path(r["file"]).name == f"{file}.wav"]
        return {r["time"]: r["irritation"] for r in found if r["type"] == "reading"}

    whole = {t: i for t, i in readings("well").items() if t < KEPT_UNTIL_S[name] - 1}
    assert len(whole) >= 5
    assert readings(name).items() >= whole.items()
    assert f"{name}.wav" in table.out


@pytest.mark.parametrize("name", ODD)
def test_an_odd_file_is_no_error(lines, name):
    assert summaries(lines.out)[f"{name}.wav"]["error"] is None


def test_odd_files_alone_give_exit_code_0_and_no_word_of_complaint(calls, tmp_path):
    for name in ODD:
        shutil.copy(calls / f"{name}.wav", tmp_path)
    done = program.hackles("score", tmp_path, "--customer", "right", "--jobs", 1)
    assert (done.code, done.err) == (0, "")


def test_silence_is_neither_speech_nor_irritation(lines):
    summary = summaries(lines.out)["silent.wav"]
    assert summary["duration_s"] == 30.0
    assert (summary["speech_s"], summary["irritation_max"], summary["alerts"]) == (0, None, 0)


def test_a_path_that_is_not_there_and_a_folder_without_audio_say_so(lines, table):
    said = summaries(lines.out)
    assert said["missing.wav"]["error"] == "is not there; check the path"
    assert said["without"]["error"].startswith("holds no audio files; looked for .wav")
    for name in ("missing.wav", "without"):
        (line,) = [line for line in table.err.splitlines() if f"{name}: " in line]
        assert line.endswith(said[name]["error"])


def test_only_a_missing_path_gives_exit_code_1_and_no_table(tmp_path):
    done = program.hackles("score", tmp_path / "missing.wav", "--customer", "right")
    assert (done.code, done.out) == (1, "")
    assert done.err == f"{tmp_path / 'missing.wav'}: is not there; check the path\n"


def test_any_of_64_channels_can_be_the_customer(calls, capfd, monkeypatch):
    arguments = (calls / "wide.wav", "--customer", 64, "--format", "jsonl")
    code, out, _ = score_here(capfd, monkeypatch, *arguments)
    assert code == 0
    assert summaries(out)["wide.wav"]["speech_s"] > 0


def test_a_channel_that_a_file_has_not_is_that_file_s_error(calls, capfd, monkeypatch):
    code, out, err = score_here(capfd, monkeypatch, calls / "well.wav", "--customer", 3)
    assert (code, out) == (1, "")
    assert "has 2 channels; name one of them with --customer, not 3" in err


def test_a_one_channel_file_is_refused_and_the_others_are_scored(lines):
    said = summaries(lines.out)
    assert "cannot be scored, because the agent's voice must not be" in said["mono.wav"]["error"]
    assert said["mono.wav"]["speech_s"] == 0
    assert said["well.wav"]["speech_s"] > 10


def test_two_channels_are_refused_as_mono_and_the_others_are_scored(calls, capfd, monkeypatch):
    chosen = (calls / "well.wav", calls / "mono.wav", "--jobs", 1, "--format", "jsonl")
    code, out, _ = score_here(capfd, monkeypatch, *chosen, "--customer", "mono")
    said = summaries(out)
    assert code == 1
    assert "has 2 channels; name the customer's with --customer" in said["well.wav"]["error"]
    assert said["mono.wav"]["error"] is None
    assert said["mono.wav"]["speech_s"] > 10


# Files that change under the reader's hands


def test_a_file_that_grows_or_vanishes_is_told_and_the_others_are_scored(calls, tmp_path):
    for name in ("a_well", "grows", "vanishes", "z_well"):
        shutil.copy(calls / "well.wav", tmp_path / f"{name}.wav")
    command = program.hooked(tmp_path)
    chosen = ("score", tmp_path, "--customer", "right", "--format", "jsonl", "--jobs", 1)
    done = program.run(*command, *chosen)
    said = summaries(done.out)
    assert done.code == 1
    assert said["grows.wav"]["error"].startswith("grew while it was read; score it again when")
    assert said["vanishes.wav"]["error"] == "is not there; check the path"
    assert said["grows.wav"]["speech_s"] == said["a_well.wav"]["speech_s"] > 10
    assert said["a_well.wav"]["error"] is said["z_well.wav"]["error"] is None


# Who is who


@pytest.mark.parametrize("agent", [(), ("--agent", "left")])
def test_without_a_customer_nothing_is_done_and_the_sentence_says_why(agent):
    done = program.hackles("score", "missing.wav", *agent)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("hackles: Say whose voice is where: add --customer left, right")
    assert "A mono recording of both people cannot be scored" in done.err
    assert "missing.wav" not in done.err
    assert done.err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("x.wav", "--customer", "middle"), "--customer 'middle' names no channel; give left"),
        (("x.wav", "--customer", "0"), "--customer '0' names no channel"),
        (("x.wav", "--customer", ""), "--customer '' names no channel"),
        (("x.wav", "--customer", "left", "--agent", "mono"), "--agent 'mono' names no channel"),
        (("x.wav", "--customer", "left", "--agent", "1"), "cannot both be in channel 1"),
        (("x.wav", "--customer", "right", "--agent", "right"), "cannot both be in channel right"),
        (("x.wav", "--customer", "mono", "--agent", "left"), "leave out --agent"),
        (("x.wav", "--customer", "left", "--jobs", "0"), "--jobs"),
        (("x.wav", "--customer", "left", "--jobs", "many"), "--jobs"),
        (("x.wav", "--customer", "left", "--format", "xml"), "--format"),
        (("x.wav", "--customer", "left", "--agnet", "right"), "--agnet"),
        (("x.wav", "--customer"), "--customer"),
        (("--customer", "left"), "Missing argument 'PATH'"),
    ],
)
def test_what_cannot_be_meant_gives_exit_code_2(arguments, said, capfd, monkeypatch):
    code, out, err = score_here(capfd, monkeypatch, *arguments)
    assert (code, out) == (2, "")
    assert said in err


@pytest.mark.parametrize("speed", ["0", "-1", "1001", "nan", "fast"])
def test_a_speed_that_cannot_be_meant_gives_exit_code_2(speed, capfd, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["hackles", "demo", "--speed", speed])
    with pytest.raises(SystemExit) as exit_:
        cli.main()
    assert exit_.value.code == 2
    assert "--speed" in capfd.readouterr().err


# Where the results go


@needs_full
@pytest.mark.parametrize("format_", ["table", "jsonl"])
def test_a_full_disk_is_one_line_and_exit_code_1(calls, format_):
    with FULL.open("wb") as full:
        chosen = ("score", calls / "well.wav", "--customer", "right", "--format", format_)
        done = program.hackles(*chosen, stdout=full)
    assert done.code == 1
    reason = "No space left on device"
    assert (
        done.err == f"hackles: the results cannot be written ({reason}); make room and score "
        "again.\n"
    )


@pytest.mark.skipif(os.name == "nt", reason="there is no shell that closes it")
@pytest.mark.parametrize(
    "command", ["score 'x.wav' --customer right", "score x --customer 1 --format jsonl", "demo"]
)
def test_a_closed_output_is_one_line_and_exit_code_1(command):
    done = program.run("sh", "-c", f"'{HACKLES}' {command} >&-")
    assert (done.code, done.err.count("\n")) == (1, 1)
    assert done.err.startswith("hackles: there is no standard output")


@pytest.mark.skipif(os.name == "nt", reason="pipes break in another way there")
def test_a_reader_who_leaves_after_a_line_is_told_in_one_line(tmp_path):
    path = long_call(tmp_path / "long.wav")
    with started(HACKLES, "score", path, "--customer", "mono", "--format", "jsonl") as process:
        assert process.stdout.readline().endswith(b"}\n")
        process.stdout.close()
        err = process.stderr.read().decode()
        assert process.wait(program.PATIENCE_S) == 1
    assert err == "hackles: whoever read the results has gone; not all were written.\n"


@pytest.mark.skipif(os.name == "nt", reason="pipes break in another way there")
def test_a_reader_who_leaves_before_the_table_is_told_in_one_line(calls):
    with started(HACKLES, "score", calls / "well.wav", "--customer", "right") as process:
        process.stdout.close()
        err = process.stderr.read().decode()
        assert process.wait(program.PATIENCE_S) == 1
    assert err == "hackles: whoever read the results has gone; not all were written.\n"


@pytest.mark.skipif(sys.platform != "linux", reason="a name must be able to be no text")
def test_a_name_that_is_no_text_is_scored_in_both_formats(tmp_path, monkeypatch, capfd):
    path = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.wav")
    os.rename(write(tmp_path / "cafe.wav", stereo(5.0)), path)
    done = program.hackles("score", path, "--customer", "right")
    assert (done.code, done.err) == (0, "")
    code, out, _ = score_here(capfd, monkeypatch, path, "--customer", "right", "--format", "jsonl")
    assert code == 0
    assert list(summaries(out)) == ["caf\ufffd.wav"]


def test_a_locale_without_the_signs_of_the_table_is_no_error(calls):
    latin = program.ENVIRONMENT | {"PYTHONIOENCODING": "ascii"}
    done = program.hackles("score", calls / "well.wav", "--customer", "right", env=latin)
    assert (done.code, done.err) == (0, "")


# Interruptions


@pytest.mark.skipif(os.name == "nt", reason="it has no SIGINT")
@pytest.mark.parametrize("reader", ["quick", "slow"])
def test_ctrl_c_in_a_long_file_leaves_whole_lines_and_gives_130(tmp_path, reader):
    path = long_call(tmp_path / "long.wav")
    with started(HACKLES, "score", path, "--customer", "mono", "--format", "jsonl") as process:
        first = process.stdout.readline()
        if reader == "slow":
            program.wait_until(lambda: is_full(process.stdout))
        process.send_signal(signal.SIGINT)
        rest, err = process.communicate(timeout=program.PATIENCE_S)
    done = program.ended(process.returncode, first + rest, err)
    assert (done.code, done.err) == (130, "")
    found = program.records(done.out)
    assert found[0]["type"] == "reading"
    assert "summary" not in {record["type"] for record in found}


def is_full(pipe):
    """Return whether a pipe holds all that it can, so that its writer waits."""
    fcntl = pytest.importorskip("fcntl")
    import termios

    if not hasattr(fcntl, "F_GETPIPE_SZ"):
        pytest.skip("a pipe's size cannot be asked for")
    held = int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)), sys.byteorder)
    return held > fcntl.fcntl(pipe, fcntl.F_GETPIPE_SZ) - 4096


# In a terminal


def test_a_table_in_a_pipe_has_a_row_per_file_and_no_colours(table, calls):
    assert table.out.splitlines()[0].split() == [
        *("call", "length", "speech", "warnings", "first", "peak", "what", "moved")
    ]
    assert "\x1b" not in table.out + table.err
    scored = {f"{calls}/{name}.wav" for name in (*ODD, *KEPT_UNTIL_S)}
    assert {line.split()[0] for line in table.out.splitlines()[1:]} == scored


@needs_terminal
def test_a_table_fits_a_terminal_of_100_columns_and_its_errors_stand_below(tmp_path):
    shutil.copy(CALL, tmp_path / "call.wav")
    (tmp_path / "empty.wav").write_bytes(b"")
    done = Terminal("score", tmp_path, "--customer", "right", "--jobs", 1).end()
    assert done.code == 1
    shown = plain(done.out)
    heads = [n for n, line in enumerate(shown) if line.split()[:2] == ["call", "length"]]
    errors = [n for n, line in enumerate(shown) if "empty.wav: is empty (0 bytes)" in line]
    assert len(heads) == len(errors) == 1
    assert heads < errors
    assert max(map(len, shown[: errors[0]])) <= 100
    assert done.out.count("\x1b[?25h") >= done.out.count("\x1b[?25l")  # the cursor is back


def test_the_demo_warns_in_a_pipe():
    done = program.hackles("demo", "--speed", 1000)
    assert (done.code, done.err) == (0, "")
    assert "irritation rising: " in done.out
    assert "the warning came at" in done.out
    assert "\x1b" not in done.out


@needs_terminal
def test_the_demo_warns_in_a_terminal():
    done = Terminal("demo", "--speed", 1000).end()
    assert done.code == 0
    shown = plain(done.out)
    assert any("▲ irritation rising" in line for line in shown)
    assert max(map(len, shown)) <= 100
    assert done.out.count("\x1b[?25h") >= done.out.count("\x1b[?25l") > 0


@needs_terminal
def test_ctrl_c_ends_the_demo_with_130_and_gives_the_cursor_back():
    terminal = Terminal("demo")
    terminal.read_until("customer")
    terminal.press_ctrl_c()
    done = terminal.end()
    assert done.code == 130
    assert done.out.rindex("\x1b[?25h") > done.out.rindex("\x1b[?25l")


# Itself


def test_the_help_names_commands_and_options():
    done = program.hackles("--help")
    assert done.code == 0
    assert all(word in done.out for word in ("score", "demo", "--version"))
    done = program.hackles("score", "--help")
    assert done.code == 0
    options = ("--customer", "--agent", "--format", "--jobs")
    assert all(word in done.out for word in options)
    assert "score [OPTIONS] {PATH}..." in done.out


def test_without_a_command_the_help_is_shown_and_the_exit_code_is_2():
    done = program.hackles()
    assert done.code == 2
    assert "score" in done.out + done.err


def test_the_version_is_the_package_s():
    done = program.hackles("--version")
    assert (done.code, done.out) == (0, f"hackles {hackles.__version__}\n")


def test_the_command_line_is_there_before_numpy_is_loaded():
    heavy = "{'numpy', 'scipy', 'onnxruntime', 'soundfile', 'soxr', 'av', 'rich', 'msgspec'}"
    code = f"import sys, hackles.cli; print(sorted({heavy} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert result.stdout.decode().strip() == "[]"
