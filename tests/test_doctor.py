"""`hackles doctor`, the real program on this machine."""

import errno
import hashlib
import http.server
import os
import shutil
import socket
import subprocess
import threading
from contextlib import contextmanager
from importlib import resources

import pytest

from hackles.doctor.machine import clock
from hackles.doctor.network import certificate, refusal
from hackles.settings import Media
from tests.program import ENVIRONMENT, HACKLES, hackles, plain, run

WELL = """\
[compliance]
notice = "told at the start"
basis = "consent"
[audiosocket]
listen = "127.0.0.1:{audiosocket}"
[control]
listen = "127.0.0.1:{control}"
"""


@pytest.fixture
def configured(tmp_path):
    """Return a file with a configuration that is well, and its two ports, free just now."""
    with (
        socket.create_server(("127.0.0.1", 0)) as one,
        socket.create_server(("127.0.0.1", 0)) as two,
    ):
        ports = {"audiosocket": one.getsockname()[1], "control": two.getsockname()[1]}
    path = tmp_path / "hackles.toml"
    path.write_text(WELL.format(**ports))
    return path, ports


def lines(done, topic=""):
    """Return the lines about a topic."""
    return [line for line in done.out.splitlines() if topic in line]


def test_all_is_told_a_line_each_without_colours_in_a_pipe(configured):
    path, _ = configured
    done = hackles("doctor", "--config", path)
    assert (done.code, done.err) == (0, "")
    assert plain(done.out) == done.out.split("\n")
    *told, total = done.out.splitlines()
    assert all(line[:2] in ("✓ ", "! ") for line in told)
    assert total.startswith("0 things will not work, ")


def test_the_weights_are_said_to_be_for_no_commercial_use():
    (said,) = lines(hackles("doctor"), " weights: ")
    assert "NOT for commercial use" in said
    assert "python -m models.training" in said


def test_the_model_is_named_with_its_hash_and_training_data():
    done = hackles("doctor")
    content = (resources.files("hackles_models") / "default.onnx").read_bytes()
    assert hashlib.blake2b(content, digest_size=16).hexdigest()[:12] in lines(done, " model: ")[0]
    assert "ravdess" in lines(done, " training data: ")[0]


def test_notice_and_basis_are_repeated_and_what_is_not_guarded_is_said(configured):
    done = hackles("doctor", "--config", configured[0])
    assert lines(done, " notice: ") == ["✓ notice: told at the start"]
    assert lines(done, " legal basis: ") == ["✓ legal basis: consent"]
    assert any("sidetone" in line and line[0] == "!" for line in lines(done, " not guarded: "))


def test_without_a_configuration_it_says_what_it_did_not_look_at(tmp_path):
    done = hackles("doctor", cwd=tmp_path)
    assert done.code == 0
    assert lines(done, " configuration: ")[0].endswith("add --config PATH")


def test_the_configuration_that_lies_here_is_taken(configured):
    path, _ = configured
    assert lines(hackles("doctor", cwd=path.parent), "✓ configuration: hackles.toml is well")


def test_every_fault_of_the_configuration_is_told_and_ends_with_1(configured):
    path, _ = configured
    path.write_text(path.read_text() + "[engine]\ncalls = 0\nworker = 1\n")
    done = hackles("doctor", "--config", path)
    assert done.code == 1
    faults = lines(done, "✗ configuration: ")
    assert [line.split(":")[2] for line in faults] == ["9", "10"]
    assert done.out.splitlines()[-1].startswith("2 things will not work")


def test_a_named_file_that_is_not_there_is_a_fault(tmp_path):
    done = hackles("doctor", "--config", tmp_path / "none.toml")
    assert done.code == 1
    assert "is not there" in lines(done, "✗")[0]


def test_a_port_of_another_program_is_a_fault(configured):
    path, ports = configured
    with socket.create_server(("127.0.0.1", ports["audiosocket"])):
        done = hackles("doctor", "--config", path)
    assert done.code == 1
    assert lines(done, "✗ port: [audiosocket]")[0].endswith("end it or take another port")


@contextmanager
def answering(port):
    """Answer every question with 200, as the control API does on /health."""

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200 if self.path == "/health" else 404)
            self.end_headers()

        def log_message(self, *_):
            pass

    with http.server.HTTPServer(("127.0.0.1", port), Answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


def test_the_ports_of_a_hackles_that_runs_are_well(configured):
    path, ports = configured
    with answering(ports["control"]), socket.create_server(("127.0.0.1", ports["audiosocket"])):
        done = hackles("doctor", "--config", path)
    assert done.code == 0
    assert len(lines(done, "and a hackles is running")) == 2


def test_an_address_of_no_interface_is_a_fault(configured):
    path, _ = configured
    more = '[metrics]\nlisten = "203.0.113.7:9301"\n'
    path.write_text(path.read_text() + more)
    done = hackles("doctor", "--config", path)
    assert done.code == 1
    assert "cannot be listened on" in lines(done, "✗ port: [metrics]")[0]


def test_looking_at_a_port_lets_nobody_in(configured):
    """A call that came just then would be lost."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        host, port = server.getsockname()
        assert refusal(host, port).errno == errno.EADDRINUSE
        server.setblocking(False)
        with pytest.raises(BlockingIOError):
            server.accept()


def made(folder, *options):
    """Return a certificate and its key, made by openssl."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    folder.mkdir()
    named = Media(
        listen="127.0.0.1:1",
        certificate=str(folder / "certificate.pem"),
        key=str(folder / "key.pem"),
    )
    subject = ["-subj", "/CN=hackles", "-keyout", named.key, "-out", named.certificate]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", *subject, *options]
    subprocess.run(command, check=True, capture_output=True)
    return named


def told(media):
    return [f"{one.mark} {one.text}" for one in certificate(media)]


@pytest.mark.parametrize(("days", "mark"), [(100, "✓"), (5, "!")])
def test_how_long_a_certificate_holds_is_told(tmp_path, days, mark):
    media = made(tmp_path / "a", "-nodes", "-days", str(days))
    assert told(media)[0] == "✓ the key belongs to it"
    assert told(media)[1].startswith(f"{mark} holds for {days - 1} more days")


def test_a_certificate_that_a_client_would_refuse_is_a_fault(tmp_path):
    elsewhere = made(tmp_path / "a", "-nodes", "-addext", "extendedKeyUsage=clientAuth")
    assert told(elsewhere)[1].startswith("✗ clients will refuse it: ")


AUTHORITY = """
[ca]
default_ca = own
[own]
database = {0}/index.txt
serial = {0}/serial
new_certs_dir = {0}
default_md = sha256
policy = any
[any]
commonName = supplied
"""


def test_an_expired_certificate_is_a_fault(tmp_path):
    media = made(tmp_path / "a", "-nodes")
    (tmp_path / "index.txt").touch()
    (tmp_path / "serial").write_text("01\n")
    (tmp_path / "ca.conf").write_text(AUTHORITY.format(tmp_path))
    for command in (
        ["req", "-new", "-key", media.key, "-subj", "/CN=old", "-out", tmp_path / "request"],
        [
            *("ca", "-batch", "-selfsign", "-config", tmp_path / "ca.conf", "-notext"),
            *("-in", tmp_path / "request", "-keyfile", media.key, "-out", media.certificate),
            *("-startdate", "20200101000000Z", "-enddate", "20210101000000Z"),
        ],
    ):
        subprocess.run(["openssl", *command], check=True, capture_output=True)
    assert told(media)[1] == "✗ clients will refuse it: certificate has expired; have it renewed"


def test_the_key_of_another_certificate_is_a_fault(tmp_path):
    one, other = made(tmp_path / "a", "-nodes"), made(tmp_path / "b", "-nodes")
    wrong = Media(listen="127.0.0.1:1", certificate=one.certificate, key=other.key)
    assert told(wrong) == ["✗ the key does not belong to it; give the key that it was made with"]


def test_a_key_with_a_password_is_a_fault_and_none_is_asked_for(tmp_path):
    media = made(tmp_path / "a", "-passout", "pass:secret")
    assert told(media) == [
        "✗ the key has a password; store it without one, readable by hackles alone"
    ]


def test_what_is_no_certificate_is_a_fault(tmp_path):
    path = tmp_path / "a"
    path.write_text("nothing of the kind")
    (said,) = told(Media(listen="127.0.0.1:1", certificate=str(path), key=str(path)))
    assert said.startswith("✗ certificate and key cannot be used (")


def test_too_few_open_files_are_a_fault(configured):
    path, _ = configured
    path.write_text(path.read_text() + "[engine]\ncalls = 500\nworkers = 256\n")
    limit = ["bash", "-c", 'ulimit -n 256; exec "$0" "$@"']
    done = run(*limit, HACKLES, "doctor", "--config", path)
    assert done.code == 1
    assert "256, 500 calls need 600" in lines(done, "✗ open files: ")[0]
    assert "256 workers on" in lines(done, "! cores: ")[0]


def test_where_the_signs_cannot_be_shown_there_are_words():
    done = hackles("doctor", env=ENVIRONMENT | {"PYTHONIOENCODING": "ascii"})
    assert done.out.startswith("ok hackles: ")


def test_the_clock_is_told_of_whatever_the_machine_says():
    assert len(list(clock())) == 2


def test_a_folder_that_is_not_there_is_a_fault(configured):
    path, _ = configured
    path.write_text(path.read_text() + '[[folder]]\npath = "none"\ncustomer = "mono"\n')
    done = hackles("doctor", "--config", path)
    assert done.code == 1
    assert lines(done, "✗ permissions: [[folder]]")[0].endswith("is not there; make it")


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may do anything")
def test_a_folder_that_may_not_be_written_is_a_fault(configured):
    path, _ = configured
    (path.parent / "closed").mkdir(mode=0o500)
    path.write_text(path.read_text() + '[output]\njsonl = "closed/events.jsonl"\n')
    done = hackles("doctor", "--config", path)
    assert "cannot be written" in lines(done, "✗ permissions: [output]")[0]
