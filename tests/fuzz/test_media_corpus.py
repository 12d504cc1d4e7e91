"""What the fuzzer found worth keeping is heard without complaint."""

from pathlib import Path

import pytest

from tests.fuzz.fuzz_media import one

CORPUS = sorted((Path(__file__).parent / "corpus" / "media").iterdir())


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.name)
def test_every_input_that_was_kept_is_heard(path):
    one(path.read_bytes())


def test_there_are_some():
    assert len(CORPUS) >= 5
