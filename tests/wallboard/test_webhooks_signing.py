"""Signatures as Standard Webhooks describes them, checked by a receiver of our own."""

import base64

import pytest

from hackles.errors import UsageError
from hackles.wallboard.webhooks.signing import new_secret, read_secrets, signed
from tests.wallboard.webhook_receivers import NOON, Got, verified

SECRET = "whsec_7ZWmmRANLJBfTrzl1mHavUE6WHO01IE/TRc97S1YVdo="


def got(body=b'{"a":1}', secrets=(SECRET,), at=NOON, id_="one"):
    return Got(signed(secrets, id_, at, body), body)


def test_the_specifications_own_example_comes_out():
    """The library's README: secret, id, time, body and signature."""
    headers = signed(
        ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330.7,
        b'{"test": 2432232314}',
    )
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_who_has_the_secret_can_tell_that_it_was_us():
    assert verified(got(), SECRET, NOON + 299)
    assert not verified(got(), new_secret(), NOON)


def test_what_was_changed_on_the_way_is_not_ours():
    assert not verified(got()._replace(body=b'{"a":2}'), SECRET, NOON)
    for name, value in (("webhook-id", "two"), ("webhook-timestamp", str(int(NOON) + 1))):
        changed = got()
        changed.headers[name] = value
        assert not verified(changed, SECRET, NOON)


def test_what_is_five_minutes_old_is_refused():
    assert not verified(got(), SECRET, NOON + 301)
    assert not verified(got(), SECRET, NOON - 301)


def test_while_a_secret_is_changed_both_sign(tmp_path):
    old, new = new_secret(), new_secret()
    path = tmp_path / "secrets"
    path.write_text(f"{new}\n{old}\n")
    both = got(secrets=read_secrets(str(path)))
    assert len(both.headers["webhook-signature"].split(" ")) == 2
    assert verified(both, old, NOON)
    assert verified(both, new, NOON)
    assert not verified(both, SECRET, NOON)


def test_new_secrets_are_as_long_as_the_specification_asks_and_all_different():
    secrets = {new_secret() for _ in range(20)}
    assert len(secrets) == 20
    for secret in secrets:
        assert 24 <= len(base64.b64decode(secret.removeprefix("whsec_"), validate=True)) <= 64


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n",
        b"hunter2",
        b"whsec_",
        b"whsec_c2hvcnQ=",
        b"whsec_" + base64.b64encode(bytes(65)),
        b"whsec_!" + base64.b64encode(bytes(32)),
        SECRET.encode() * 2,
        b"\n".join([SECRET.encode()] * 3),
        "whsec_żółw".encode(),
    ],
)
def test_what_is_no_secret_is_refused_without_telling_it(tmp_path, content):
    path = tmp_path / "hidden"
    path.write_bytes(content)
    with pytest.raises(UsageError, match="must hold a secret as") as refused:
        read_secrets(str(path))
    assert "hunter2" not in str(refused.value)
    assert "hidden" not in str(refused.value)


def test_a_file_that_cannot_be_read_is_told_in_one_sentence(tmp_path):
    for path in (tmp_path, tmp_path / "none", "nul\0"):
        with pytest.raises(UsageError, match=r"secret_file cannot be read \(.+\); name a file"):
            read_secrets(str(path))
