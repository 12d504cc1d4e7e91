"""How entries are linked, so that nobody can alter, add or take away one unseen.

An entry's digest is made of its contents by its call's own key. Its link is made by the key of the
whole record from the link before it, the entry's place, its call's number and its digest. When a
call is deleted its key goes with it: from the digests that stay nothing can be guessed, and every
link still follows from the one before.
"""

from hashlib import blake2b
from typing import Final

import msgspec

from hackles.store.names import Names

KEY_BYTES: Final = 32
START: Final = bytes(KEY_BYTES)
"""The link before the first."""

_canonical: Final = msgspec.json.Encoder()


class Links:
    """Makes digests and links by the keys of one record."""

    def __init__(self, names: Names) -> None:
        """Derive the keys."""
        self._link_key = names.subkey("links")
        self.own_key = names.subkey("entries of no call")
        self.check = blake2b(key=names.subkey("check"), digest_size=16).digest()

    def link(self, before: bytes, seq: int, call: int | None, digest: bytes) -> bytes:
        """Return the link of the entry at a place."""
        said = _canonical.encode([seq, call])
        return _keyed(self._link_key, b"link", before + digest + said)


def digest(key: bytes, kind: str, id_: str, at: float, time: float | None, payload: str) -> bytes:
    """Return the digest of an entry's contents.

    Args:
        key: of its call, or `Links.own_key` if it speaks of none.
        kind: of entry.
        id_: its own.
        at: when it was told.
        time: in seconds since the call began, if it has such a time.
        payload: JSON.
    """
    return _keyed(key, b"entry", _canonical.encode([kind, id_, at, time, payload]))


def _keyed(key: bytes, person: bytes, data: bytes) -> bytes:
    return blake2b(data, digest_size=KEY_BYTES, key=key, person=b"hackles " + person).digest()
