import pytest

from tests.wallboard.world import World


@pytest.fixture
def world(tmp_path):
    """A board with nobody on it."""
    world = World(tmp_path)
    yield world
    world.book.close()
