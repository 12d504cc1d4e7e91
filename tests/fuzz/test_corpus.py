"""What fuzzing has found, and where it begins, is understood."""

from pathlib import Path

import pytest

from tests.fuzz import fuzz_audiosocket

CORPUS = Path(__file__).parent / "corpus"


@pytest.mark.parametrize("path", sorted((CORPUS / "audiosocket").iterdir()), ids=lambda p: p.name)
def test_audiosocket_is_understood_however_it_is_cut(path):
    fuzz_audiosocket.one(path.read_bytes())
