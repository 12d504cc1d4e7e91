"""The hash by which an alert says what settings decided it; the model brings its own."""

import hashlib

import msgspec

from hackles.settings import Settings


def configuration(settings: Settings) -> str:
    """Return the hash of the settings."""
    return hashlib.blake2b(msgspec.json.encode(settings), digest_size=16).hexdigest()
