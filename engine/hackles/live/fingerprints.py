"""Hashes by which an alert says what decided it: the model, and the settings."""

import hashlib
from importlib import resources
from pathlib import Path

import msgspec

from hackles.errors import ModelError
from hackles.settings import Settings


def model(path: str) -> str:
    """Return the hash of a model's file, "" for the one that travels with hackles.

    Raises:
        ModelError: if it cannot be read.
    """
    file = Path(path) if path else resources.files("hackles_models") / "default.onnx"
    try:
        return hashlib.blake2b(file.read_bytes(), digest_size=16).hexdigest()
    except OSError as error:
        raise ModelError(f"There is no model at {path}; name an .onnx file.") from error


def configuration(settings: Settings) -> str:
    """Return the hash of the settings."""
    return hashlib.blake2b(msgspec.json.encode(settings), digest_size=16).hexdigest()
