"""The board's settings: what is wrong is told at once, and nothing is open by mistake."""

import json
import re
import tomllib

import msgspec
import pytest

from hackles.errors import UsageError
from hackles.wallboard.configuration import FORM, check, example, load, without_file
from hackles.wallboard.settings import Settings
from tests.program import hackles

SAFE = """
[board]
listen = "0.0.0.0:9310"
public_url = "https://board.example"
proxies = ["192.0.2.10"]

[feed]
token_file = "token"

[sign_in]
by = "password"
"""


@pytest.fixture
def faults(tmp_path):
    """Return what is wrong with a text, as sentences."""
    for name in ("token", "cert.pem", "key.pem"):
        (tmp_path / name).write_text("something")
        (tmp_path / name).chmod(0o600)

    def of(text):
        path = tmp_path / "wallboard.toml"
        path.write_text(text, encoding="utf-8")
        return [fault.text for fault in check(str(path)).faults if not fault.is_warning]

    return of


def test_an_empty_file_is_well_and_says_what_holds_without_one(tmp_path):
    path = tmp_path / "wallboard.toml"
    path.write_text("")
    found = load(str(path))
    here = msgspec.structs.replace(found.board, folder="wallboard")
    assert msgspec.structs.replace(found, board=here) == Settings() == without_file()


@pytest.mark.parametrize("text", ["", "[board]\n", '[board]\nfolder = "wallboard"\n'])
def test_the_boards_folder_lies_beside_its_file(tmp_path, text):
    path = tmp_path / "wallboard.toml"
    path.write_text(text)
    assert load(str(path)).board.folder == str(tmp_path / "wallboard")


def test_a_board_for_others_is_well_with_sign_in_tls_and_a_secret_for_engines(faults):
    assert faults(SAFE) == []


@pytest.mark.parametrize(
    ("taken_out", "says"),
    [
        ('by = "password"', "add [sign_in]"),
        ('proxies = ["192.0.2.10"]', "add certificate and key, or proxies"),
        ('public_url = "https://board.example"', "add public_url"),
        ('token_file = "token"', "add [feed] with token_file"),
    ],
)
def test_beyond_loopback_each_of_four_things_must_be_there(faults, taken_out, says):
    assert taken_out in SAFE
    found = faults(SAFE.replace(taken_out, ""))
    assert len(found) == 1
    assert "can be reached from elsewhere" in found[0]
    assert says in found[0]


@pytest.mark.parametrize("listen", ["192.0.2.1:9310", "[::]:9310", "board.example:9310"])
def test_an_open_board_is_refused_with_exit_code_2_before_anything_listens(tmp_path, listen):
    path = tmp_path / "wallboard.toml"
    path.write_text(f'[board]\nlisten = "{listen}"\n')
    done = hackles("wallboard", "--config", path, cwd=tmp_path)
    assert (done.code, done.out) == (2, "")
    assert "can be reached from elsewhere" in done.err
    assert not (tmp_path / "wallboard").exists()


def test_plain_http_is_no_public_url_beyond_loopback(faults):
    assert "add public_url" in faults(SAFE.replace("https://", "http://"))[0]


@pytest.mark.parametrize(
    "url",
    ["board.example", "https://board.example/x", "https://a@b.example", "ftp://x", "https://[x"],
)
def test_a_public_url_names_a_site_and_nothing_within(faults, url):
    assert "public_url must be as people type it" in faults(f'[board]\npublic_url = "{url}"\n')[0]


def test_whom_a_header_names_is_believed_of_declared_proxies_alone(faults):
    assert "needs proxies" in faults('[sign_in]\nby = "header"\n')[0]
    assert faults('[sign_in]\nby = "header"\n[board]\nproxies = ["127.0.0.1"]\n') == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[board]\ncertificate = "cert.pem"\n', "certificate needs key beside it"),
        ('[board]\nproxies = ["10.0.0.1/8"]\n', 'proxies has "10.0.0.1/8"; write "10.0.0.0/8"'),
        ('[feed]\ntoken_file = "gone"\n', "token_file cannot be read"),
        ('[feed]\nbroker = "http://x"\n', 'broker must be a URL such as "redis://'),
        ('[[team]]\nname = "A"\n[[team]]\nname = "A"\n', 'name = "A" is given twice'),
        (
            '[[escalation]]\nafter_s = 5\ndo = "hand_over"\nteams = ["B"]\n',
            'teams has "B", which no [[team]] is called',
        ),
        (
            '[[escalation]]\nafter_s = 5\ndo = "hang_up"\n',
            'do must be "hand_over" or "notify_supervisor" or',
        ),
        ("[boards]\n", "did you mean board?"),
    ],
)
def test_each_fault_is_a_sentence_that_says_what_to_do(faults, text, says):
    assert any(says in fault for fault in faults(text)), faults(text)


def test_redis_elsewhere_without_encryption_is_a_warning(tmp_path):
    path = tmp_path / "wallboard.toml"
    path.write_text('[feed]\nbroker = "redis://redis.example:6379"\n')
    assert [fault.is_warning for fault in check(str(path)).faults] == [True]


def test_what_is_said_of_a_broker_does_not_repeat_its_password(tmp_path, faults):
    said = faults('[feed]\nbroker = "http://u:passw0rd@x"\n')
    with pytest.raises(UsageError) as refused:
        without_file("redis//u:passw0rd@x")
    assert said
    assert "passw0rd" not in f"{said} {refused.value}"


def test_what_is_no_broker_is_told(tmp_path):
    with pytest.raises(UsageError, match="broker must be"):
        without_file("redis.example:6379")
    done = hackles("wallboard", "--broker", "nonsense", cwd=tmp_path)
    assert (done.code, done.out) == (2, "")


def test_the_example_has_every_key_and_the_defaults_are_the_real_ones():
    shown = tomllib.loads(re.sub(r"^#(?=[\[\w])", "", example(), flags=re.MULTILINE))
    sections = {name: (part[0] if isinstance(part, list) else part) for name, part in shown.items()}
    assert list(sections) == list(FORM.kinds)
    for name, field in FORM.every_key():
        assert field.name in sections[name], f"{name}.{field.name}"
        if not field.required and field.default is not None:
            default = json.loads(msgspec.json.encode(field.default))
            assert sections[name][field.name] == default, f"{name}.{field.name}"
    assert isinstance(msgspec.convert(shown, Settings), Settings)


def test_the_program_checks_its_own_example(tmp_path):
    printed = hackles("wallboard", "example")
    (tmp_path / "wallboard.toml").write_text(printed.out)
    done = hackles("wallboard", "check", cwd=tmp_path)
    told = (
        "wallboard.toml is well: the page on 127.0.0.1:9310, engines by their own feed, "
        "nobody signs in; webhooks tell nobody.\n"
    )
    assert (done.code, done.err, done.out) == (0, "", told)


def test_a_file_that_is_not_there_is_begun_by_the_board_s_own_example(tmp_path):
    done = hackles("wallboard", "check", cwd=tmp_path)
    assert (done.code, done.out) == (2, "")
    assert "`hackles wallboard example` prints one" in done.err


def test_a_fault_of_the_command_line_is_not_said_to_be_in_the_file(tmp_path):
    path = tmp_path / "wallboard.toml"
    path.write_text("[board]\n")
    with pytest.raises(UsageError, match="The broker must be a URL"):
        load(str(path), "http://x")


def test_a_secret_that_cannot_be_read_is_told_once(faults):
    hook = '[[webhook]]\nname = "a"\nurl = "https://a.example/"\nsecret_file = "none"\n'
    assert len(faults(hook)) == 1
