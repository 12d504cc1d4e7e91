"""The configuration file: every fault is told at once, with its line, and nothing else happens."""

import json
import os
import re
import tomllib

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hackles.configuration import check, example, load
from hackles.configuration.form import FORM
from hackles.configuration.positions import Positions
from hackles.errors import UsageError
from hackles.settings import Device, Settings, host_port
from tests.program import hackles

COMPLIANCE = '[compliance]\nnotice = "told at the start"\nbasis = "consent"\n'
WAY_IN = '[audiosocket]\nlisten = "127.0.0.1:9092"\n'
WELL = COMPLIANCE + WAY_IN
AFTER = 1 + WELL.count("\n")
"""The line of what is put after what is well."""


@pytest.fixture
def checked(tmp_path):
    """Return what is wrong with a text: errors, then warnings, as (line, sentence)."""

    def check_text(text):
        path = tmp_path / "hackles.toml"
        path.write_text(text, encoding="utf-8")
        faults = check(path).faults
        return [[(f.line, f.text) for f in faults if f.is_warning == which] for which in (0, 1)]

    return check_text


@pytest.fixture
def files(tmp_path):
    """Put files beside the configuration, readable by their owner alone."""
    for name in ("cert.pem", "key.pem", "token"):
        (tmp_path / name).write_text("something")
        (tmp_path / name).chmod(0o600)
    (tmp_path / "empty").write_text(" \n")
    (tmp_path / "calls").mkdir()
    return tmp_path


def test_what_must_be_there_is_enough(checked):
    assert checked(WELL) == [[], []]


AT_ONCE = """\
listen = "127.0.0.1:1"

[compliance]
notice = "…"

[engine]
calls = "many"
worker = 4
behind_s = nan

[media]
listen = "127.0.0.1:9093"
certificat = "a.pem"

[[pipe]]
path = "-"
call = '''
[media]
listen = "x"
'''
[[pipe]]
role = "agent"
path = "-"
call = "a"
[folder]
path = "x"
"""


def test_every_fault_is_told_at_once_with_its_line(checked):
    errors, _ = checked(AT_ONCE)
    assert [(line, text[:40]) for line, text in errors] == [
        (1, "listen is a key outside any section; put"),
        (3, "[compliance] lacks basis; add it (a stat"),
        (4, "[compliance] notice must be a statement "),
        (7, "[engine] calls must be a whole number fr"),
        (8, "[engine] worker is not a key of this sec"),
        (9, "[engine] behind_s must be a number from "),
        (13, "[media] certificat is not a key of this "),
        (15, '[[pipe]] lacks role; add it ("customer")'),
        (22, '[[pipe]] role must be "customer", not "a'),
        (23, '[[pipe]] path = "-" is given twice; each'),
        (25, "[folder] must be written [[folder]], wit"),
    ]


ONE_FAULT = {
    "[controll]\n": (0, "did you mean control"),
    "[engine]\ncallls = 3\n": (1, "did you mean calls?"),
    '[engine]\n"a\\nb\\u001b" = 3\n': (1, "a\nb\x1b is not a key"),
    "[engine]\nzzz = 3\n": (1, "there are calls, workers, model, sensitivity, behind_s"),
    "[engine]\ncalls = 0\n": (1, "a whole number from 1 to 20000, not 0"),
    "[engine]\ncalls = true\n": (1, "not true"),
    "[engine]\ncalls = 0x" + "f" * 5000: (1, "very many digits"),
    "[engine]\nbehind_s = 0x" + "f" * 5000: (1, "a number from 0.5 to 60"),
    "[alerts]\nshadow = 1979-05-27\n": (1, 'true or false, not "1979-05-27"'),
    "[thresholds]\nrising = inf\n": (1, "a number above 0, at most 1e+06"),
    '[log]\nlevel = "all"\n': (1, '"debug" or "error" or "info" or "warning", not "all"'),
    '[metrics]\nlisten = "9301"\n': (1, 'an address and a port, such as "127.0.0.1:9092"'),
    '[metrics]\nlisten = "127.0.0.1:99999"\n': (1, "no port 99999"),
    '[metrics]\nlisten = "[::::]:9301"\n': (1, "no IPv6 address"),
    '[metrics]\nlisten = "127.0.0.1:9092"\n': (1, "the port of [audiosocket]"),
    '[metrics]\nlisten = "0.0.0.0:9092"\n': (1, "the port of [audiosocket]"),
    '[metrics]\nlisten = "localhost:9300"\n': (1, "the port of [control]"),
    '[metrics]\nlistn = "127.0.0.1:9301"\n': (1, "did you mean listen?"),
    "metrics.listen = 5\n": (0, "an address and a port"),
    "[[control]]\n": (0, "must be written [control], with one bracket"),
    "[[folder]]\npath = 'calls'\n": (0, "lacks customer; add it"),
    "[[folder]]\npath = 'calls'\ncustomer = 'both'\n": (2, 'mono, not "both"'),
    "[[pipe]]\npath='calls'\ncall='a'\nrole='customer'\n": (1, "path is a folder"),
    '[control]\n\nlisten = "0.0.0.0:9300"\n': (2, "must be a loopback address"),
    '[control]\nlisten = "pbx.example:9300"\n': (1, "must be a loopback address"),
    '[media]\nlisten = "127.0.0.1:1"\nkey = "key.pem"\n': (2, "key needs certificate beside it"),
    '[media]\nlisten = "127.0.0.1:1"\ntwilio_token_file = "token"\n': (2, "needs public_url"),
    '[media]\nlisten = "127.0.0.1:1"\npublic_url = "x"\n': (2, 'must begin with "wss://"'),
    '[media]\nlisten = "127.0.0.1:1"\ntoken_file = "none"\n': (2, "cannot be read (No such file"),
    '[media]\nlisten = "127.0.0.1:1"\ntoken_file = "/dev/zero"\n': (2, "not a regular file"),
    '[media]\nlisten = "127.0.0.1:1"\ntoken_file = "a\\u0000"\n': (2, "null byte"),
    '[media]\nlisten = "127.0.0.1:1"\ntoken_file = "empty"\n': (2, "holds nothing"),
    '[media]\nlisten = "127.0.0.1:1"\nallow_from = ["10.0.0.5/8"]\n': (2, '"10.0.0.0/8"'),
    '[media]\nlisten = "127.0.0.1:1"\nallow_from = ["pbx"]\n': (2, "is no network"),
    "[device]\n": (0, "needs either output or customer_microphone, and not both"),
    '[device]\noutput = "a"\ncustomer_microphone = "b"\n': (1, "and not both"),
    '[device]\ncustomer_microphone = "a"\nagent_microphone = "a"\n': (2, "name another"),
    '[device]\noutput = "a"\nbaresip = "127.0.0.1:4444"\n': (2, 'needs calls = "told"'),
    '[device]\noutput = "a"\nwait_for_consent = true\n': (2, 'needs calls = "told"'),
    '[device]\noutput = "a"\ncalls = "told"\nbaresip = "127.0.0.1:0"\n': (3, "a port that"),
    '[device]\noutput = "a"\nsilence_s = 1\n': (2, "silence_s must be"),
    "[board]\n": (0, "needs either url or broker, and not both"),
    '[board]\nurl = "http://127.0.0.1:1"\nbroker = "redis://127.0.0.1"\n': (1, "and not both"),
    '[board]\nurl = "ws://board"\n': (1, 'a URL such as "https://board.example:9310"'),
    '[board]\nurl = "https://"\n': (1, "url must be"),
    '[board]\nurl = "https://:9310"\n': (1, "url names no host"),
    '[board]\nurl = "https://a:99999"\n': (1, "url names no host, or a port"),
    '[board]\nurl = "https://me:secret@a"\n': (1, "name the secret in token_file"),
    '[board]\nbroker = "rediss://a"\ntoken_file = "none"\n': (2, "cannot be read (No such file"),
    '[engine]\nmodel = "none.onnx"\n': (1, "model cannot be read"),
    "[engine]\ncalls = [1,\n2\n": (3, "This is not TOML"),
    "[engine]\ncalls = = 1\n": (1, "This is not TOML at column 9"),
    "[engine]\ncalls = 1\ncalls = 2\n": (2, "This is not TOML"),
}


@pytest.mark.parametrize("text", ONE_FAULT, ids=range(len(ONE_FAULT)))
def test_one_fault_is_one_sentence_on_its_line(checked, files, text):
    line, said = ONE_FAULT[text]
    is_dotted = text.startswith("metrics.")
    errors, _ = checked(text + WELL if is_dotted else WELL + text)
    assert [at for at, _ in errors] == [1 if is_dotted else AFTER + line]
    assert said in errors[0][1]


def test_beyond_loopback_somebody_must_say_who_may_come_in(checked, files):
    errors, _ = checked(COMPLIANCE + '[audiosocket]\nlisten = "0.0.0.0:9092"\n')
    assert [line for line, _ in errors] == [5]
    assert "add allow_from" in errors[0][1]
    media = COMPLIANCE + '[media]\nlisten = "[::]:9093"\n'
    errors, warnings = checked(media)
    assert "add token_file, twilio_token_file or allow_from" in errors[0][1]
    assert "without encryption" in warnings[0][1]
    for more in ('allow_from = ["2001:db8::/32"]', 'token_file = "token"'):
        assert checked(media + more)[0] == []
    tls = 'token_file = "token"\ncertificate = "cert.pem"\nkey = "key.pem"'
    assert checked(media + tls) == [[], []]


def test_without_a_notice_and_a_basis_it_says_why_and_which_lines_to_add(checked):
    errors, _ = checked(WAY_IN)
    assert len(errors) == 1
    for part in ("[compliance] is missing", "the law asks", 'notice = "', 'basis = "'):
        assert part in errors[0][1]


def test_without_a_way_in_it_says_which_there_are(checked):
    errors, _ = checked("pipe = []\n" + COMPLIANCE)
    assert [text[:32] for _, text in errors] == ["There is no way in for calls; ad"]


def test_a_device_that_was_chosen_elsewhere_is_a_way_in_and_goes_before_the_files(tmp_path):
    path = tmp_path / "hackles.toml"
    path.write_text(COMPLIANCE)
    chosen = {"output": "headset", "customer_microphone": ""}
    assert load(path, chosen).device == Device(output="headset")
    path.write_text(COMPLIANCE + '[device]\ncustomer_microphone = "counter"\nagent = "a7"\n')
    assert load(path).device == Device(customer_microphone="counter", agent="a7")
    assert load(path, chosen).device == Device(output="headset", agent="a7")


def test_a_secret_that_everybody_may_read_is_a_warning(checked, files):
    text = WELL + '[media]\nlisten = "127.0.0.1:1"\ntoken_file = "token"\n'
    assert checked(text) == [[], []]
    (files / "token").chmod(0o644)
    errors, warnings = checked(text)
    assert errors == []
    assert warnings[0][0] == AFTER + 2
    assert "chmod 600" in warnings[0][1]


def test_what_goes_to_a_board_in_clear_beyond_this_machine_is_a_warning(checked, files):
    for url, word in (
        ('url = "http://board.example:9310"', "https://"),
        ('broker = "redis://board.example"', "rediss://"),
        ('broker = "rediss://:s3cret@board.example"', "token_file"),
    ):
        errors, warnings = checked(f"{WELL}[board]\n{url}\n")
        assert (errors, len(warnings), warnings[0][0]) == ([], 1, AFTER + 1)
        assert word in warnings[0][1]
        assert "s3cret" not in warnings[0][1]
    for url in ("http://127.0.0.1:9310", "https://board.example/hackles"):
        assert checked(f'{WELL}[board]\nurl = "{url}"\n') == [[], []]
    (files / "token").chmod(0o644)
    _, warnings = checked(f'{WELL}[board]\nurl = "https://a"\ntoken_file = "token"\n')
    assert "chmod 600" in warnings[0][1]


def test_a_secret_put_where_its_file_should_be_named_is_not_repeated(checked):
    _, said = checked(WELL + '[media]\nlisten = "127.0.0.1:1"\ntoken_file = "s3cret"\n')[0][0]
    assert "s3cret" not in said


def test_paths_begin_at_the_file(files, monkeypatch):
    text = (
        '[media]\nlisten = "127.0.0.1:1"\ncertificate = "cert.pem"\nkey = "./key.pem"\n'
        '[[folder]]\npath = "calls"\ncustomer = "right"\n'
        '[[pipe]]\npath = "-"\ncall = "a"\nrole = "customer"\n[output]\njsonl = "/x/y"\n'
    )
    (files / "hackles.toml").write_text(WELL + text)
    monkeypatch.chdir(files.parent)
    found = load(os.path.join(files.name, "hackles.toml"))
    assert found.media.certificate == str(files / "cert.pem")
    assert os.path.samefile(found.media.key, files / "key.pem")
    assert found.media.token_file == ""
    assert found.folder[0].path == str(files / "calls")
    assert (found.pipe[0].path, found.output.jsonl) == ("-", "/x/y")


def test_the_settings_are_what_the_file_says(tmp_path):
    path = tmp_path / "a.toml"
    more = "[[pipe]]\npath='a'\ncall='{0}'\nrole='customer'\n"
    path.write_text(WELL + more.format("a") + more.format("b").replace("'a'", "'b'"))
    found = load(path)
    expected = msgspec.convert(tomllib.loads(path.read_text()), Settings)
    pipes = tuple(msgspec.structs.replace(pipe, path=pipe.path[-1]) for pipe in found.pipe)
    assert msgspec.structs.replace(found, pipe=pipes) == expected


def test_loading_says_all_faults_in_one_error_and_prints_nothing(tmp_path, capfd):
    path = tmp_path / "hackles.toml"
    path.write_text(AT_ONCE)
    with pytest.raises(UsageError) as raised:
        load(path)
    lines = str(raised.value).splitlines()
    assert lines[0] == f"{path} has 11 faults:"
    assert [line.split(": ")[0] for line in lines[1:4]] == [f"{path}:{at}" for at in (1, 3, 4)]
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"[engine]\n\xff = 1", r":2: is not UTF-8"),
        (b"a = " + b"[" * 50_000, r": has brackets too deep|:1: This is not TOML"),
        (b"a = " + b"9" * 5000, r":1: This is not TOML"),
        (b"\xef\xbb\xbf" + WELL.replace("\n", "\r\n").encode() + b"[engine]\r\ncalls = 0", r":7: "),
    ],
)
def test_what_is_no_text_or_no_toml_is_told_so(tmp_path, content, said):
    path = tmp_path / "a.toml"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=re.escape(str(path)) + f"(?:{said})"):
        load(path)


@pytest.mark.parametrize(("path", "said"), [("none.toml", "is not there"), ("/", "cannot be read")])
def test_a_file_that_cannot_be_read_is_told_so(path, said):
    with pytest.raises(UsageError, match=said):
        load(path)


VALUES = [
    "1",
    "1979-05-27T07:32:00Z",
    '"# [x]"',
    '"a \\" b = 1"',
    "'\\'",
    '""',
    "'''\n[media]\nlisten = 1\n'''",
    '"""\na = \\"""\n[b]\n\\\\"""',
    '"""x"""""',
    "''''x'''''",
    '[\n  1, # ]\n  "]",\n  [[2]],\n]',
    '{ a = 1, b = "}\'" }',
]
NAMES = ["a", "b-1", '"c.d"', "'e = [f]'", '"g\\"h"', "3"]
BETWEEN = st.lists(st.sampled_from(["", "# [x]", "  # y = '''", "\t"]), max_size=3)


def plain_name(name):
    return next(iter(tomllib.loads(f"{name} = 1")))


@st.composite
def documents(draw):
    """Yield a TOML text, and the line of each section and key in it."""
    lines, places, count = [], {}, 0
    for header in draw(st.lists(st.sampled_from(["", "[[ list ]]", *NAMES]), unique=True)):
        if header == "" and lines:
            continue
        section = ()
        for _ in range(1 if "[[" not in header else draw(st.integers(1, 3))):
            lines += draw(BETWEEN)
            if "[[" in header:
                section, count = ("list", count), count + 1
                lines.append(f"{header}  # a comment")
            elif header:
                section = ("top", plain_name(header))
                lines.append(f"[ top . {header}]")
            places[section] = sum(line.count("\n") + 1 for line in lines)
            for name in draw(st.lists(st.sampled_from(NAMES), unique=True)):
                lines += draw(BETWEEN)
                dotted = draw(st.booleans())
                places[(*section, plain_name(name), *(["z"] if dotted else []))] = 1 + sum(
                    line.count("\n") + 1 for line in lines
                )
                value = draw(st.sampled_from(VALUES))
                lines.append(f"  {name}{' . z' if dotted else ''} ={value} # c = 1")
    return "\n".join(lines), places


@given(documents())
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_each_section_and_key_is_found_on_its_line(document):
    text, places = document
    tomllib.loads(text)
    positions = Positions(text)
    for path, line in places.items():
        if path:
            assert positions.line(path) == line, path
            assert positions.line((*path, "of inline", 0)) == line


def test_a_section_within_one_of_several_is_found_too():
    positions = Positions("[[a]]\n[a.b]\nc=1\n[[a]]\n[a.b]\nc=2\n[[a.d]]\nx=1\n[[a.d]]\nx=2")
    assert [positions.line(("a", at, "b", "c")) for at in (0, 1)] == [3, 6]
    assert [positions.line(("a", 1, "d", at, "x")) for at in (0, 1)] == [8, 10]


@st.composite
def damaged(draw):
    """Yield the example with a piece of it replaced."""
    text = re.sub(r"^#(?=[\[\w])", "", example(), flags=re.MULTILINE)
    start = draw(st.integers(0, len(text)))
    end = draw(st.integers(start, min(len(text), start + 40)))
    piece = draw(st.text(max_size=5) | st.sampled_from(['"', "'''", "[", "]]", "=", "\n", "-1"]))
    return text[:start] + piece + text[end:]


@given(st.text() | damaged())
@settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_any_text_gives_settings_or_a_usage_error(tmp_path, text):
    path = tmp_path / "any.toml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    n_lines = 1 + text.count("\n") + text.count("\r")
    found = check(path)
    assert all(0 <= fault.line <= n_lines for fault in found.faults)
    assert all(line.isprintable() for line in found.lines(are_warnings=False))
    try:
        assert isinstance(load(path), Settings)
    except UsageError as error:
        assert str(path) in str(error)  # noqa: PT017


def named(text):
    """Return the example once its user has named notice and basis."""
    return re.sub(r'^(notice|basis) = ""$', r'\1 = "a test"', text, flags=re.MULTILINE)


def test_the_example_lacks_what_nobody_can_say_for_its_user_and_nothing_else(checked):
    faults, warnings = checked(example())
    assert [text.split(" must")[0] for _, text in faults] == [
        "[compliance] notice",
        "[compliance] basis",
    ]
    assert warnings == []
    assert checked(named(example())) == [[], []]


def uncommented(text):
    """Return the example with the lines that show what holds without them."""
    return re.sub(r"^#(?=[\[\w])", "", text, flags=re.MULTILINE)


def test_the_example_has_every_key_and_the_defaults_are_the_real_ones():
    shown = tomllib.loads(uncommented(named(example())))
    sections = {name: (part[0] if isinstance(part, list) else part) for name, part in shown.items()}
    assert list(sections) == list(FORM.kinds)
    for name, field in FORM.every_key():
        assert field.name in sections[name], f"{name}.{field.name}"
        if not field.required and field.default is not None:
            default = json.loads(msgspec.json.encode(field.default))
            assert sections[name][field.name] == default, f"{name}.{field.name}"
    assert isinstance(msgspec.convert(shown, Settings), Settings)


def test_the_example_shows_the_thresholds_of_the_model():
    from hackles.classifier import default_classifier

    shown = tomllib.loads(uncommented(example()))["thresholds"]
    tracker = default_classifier().metadata.tracker
    assert shown == {name: getattr(tracker, name) for name in shown}


@pytest.mark.parametrize(
    ("listen", "expected"),
    [("127.0.0.1:80", ("127.0.0.1", 80)), ("[::1]:80", ("::1", 80)), ("pbx:1", ("pbx", 1))],
)
def test_an_address_is_a_host_and_a_port(listen, expected):
    assert host_port(listen) == expected


def test_the_program_checks_its_own_example(tmp_path):
    printed = hackles("config", "example")
    assert (printed.code, printed.err) == (0, "")
    path = tmp_path / "hackles.toml"
    path.write_text(printed.out)
    unnamed = hackles("config", "check", path)
    assert unnamed.code == 2
    assert "notice" in unnamed.err
    path.write_text(named(printed.out))
    done = hackles("config", "check", path)
    assert (done.code, done.err) == (0, "")
    assert done.out == f"{path} is well: 1 way in (AudioSocket on 127.0.0.1:9092).\n"
    assert hackles("config", "check", cwd=tmp_path).out.startswith("hackles.toml is well")


def test_the_program_tells_every_fault_and_ends_with_2(tmp_path):
    (tmp_path / "hackles.toml").write_text(AT_ONCE)
    done = hackles("config", "check", "hackles.toml", cwd=tmp_path)
    assert (done.code, done.out) == (2, "")
    said = re.findall(r"^hackles\.toml:(\d+): ", done.err, re.MULTILINE)
    assert len(said) == 11 == done.err.count("\n")


def test_a_key_of_several_lines_is_told_in_one(tmp_path):
    (tmp_path / "hackles.toml").write_text(WELL + '[engine]\n"a\\nb\\u001b[2J" = 3\n')
    assert hackles("config", "check", cwd=tmp_path).err.count("\n") == 1


def test_the_program_tells_warnings_and_all_ways_in(tmp_path):
    path = tmp_path / "hackles.toml"
    path.write_text(WELL + "[[folder]]\npath = '/none'\ncustomer = 'mono'\n")
    done = hackles("config", "check", path)
    assert done.code == 0
    assert done.err.startswith(f"{path}:{AFTER + 1}: warning: [[folder]] path is no folder")
    assert "2 ways in (AudioSocket on 127.0.0.1:9092, recordings in /none)." in done.out
