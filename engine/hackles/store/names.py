"""Who is who, without saying so: keyed digests of calls' names and of customers' numbers.

Without the key nobody can tell from a digest whose it is, not even by trying all numbers.
"""

import re
from hashlib import blake2b
from typing import Final

_ODD: Final = "surrogateescape"
_FEWEST_DIGITS: Final = 5
_SIGNS: Final = re.compile(r"[\s().\-/\u2010-\u2015]+")


class Names:
    """Makes digests by one key; each kind of thing has its own, so that none can be mistaken."""

    def __init__(self, key: bytes) -> None:
        """Digest by a key of 32 bytes."""
        self._key = key

    def call(self, name: str) -> str:
        """Return the digest of a call's name."""
        return self._text(b"call", name)

    def customer(self, number: str) -> str:
        """Return the digest of a customer's number, however it is written; "" for none."""
        plain = normalised(number)
        return self._text(b"customer", plain) if plain else ""

    def entry(self, record_id: str) -> str:
        """Return the id of an entry whose own id was made with the call's name."""
        return self._text(b"entry", record_id)

    def subkey(self, purpose: str) -> bytes:
        """Return a key of 32 bytes that is good for one purpose alone."""
        return blake2b(purpose.encode(), key=self._key, person=b"hackles subkey").digest()[:32]

    def _text(self, kind: bytes, said: str) -> str:
        person = b"hackles " + kind[:8]
        data = said.encode(errors=_ODD)
        return blake2b(data, digest_size=16, key=self._key, person=person).hexdigest()


def normalised(number: str) -> str:
    """Return a telephone number in the one way in which it is digested.

    "sip:+48 22 123-45-67@example.org", "0048221234567" and "+48 (22) 1234567" are the same;
    "22 123 45 67", which leaves its country out, is another.

    Returns:
        "" for what is no number, such as "anonymous": or all who withhold theirs would be one.
    """
    text = number.strip().strip("<>")
    text = re.sub(r"^(sips?|tel):", "", text, flags=re.IGNORECASE)
    text = re.split(r"[@;?]", text, maxsplit=1)[0]
    text = _SIGNS.sub("", text).casefold()
    is_number = sum(map(str.isdigit, text)) >= _FEWEST_DIGITS
    return re.sub(r"^00(?=\d)", "+", text) if is_number else ""
