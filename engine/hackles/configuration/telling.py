"""What a configuration comes to, in words; and an example of one."""

from collections.abc import Iterator
from importlib import resources

from hackles.settings import Settings


def ways_in(settings: Settings) -> list[str]:
    """Return what calls come in by, each in a few words."""
    return list(_ways_in(settings))


def _ways_in(settings: Settings) -> Iterator[str]:
    if settings.audiosocket:
        yield f"AudioSocket on {settings.audiosocket.listen}"
    if settings.media:
        scheme = "wss" if settings.media.certificate else "ws"
        yield f"media streams on {scheme}://{settings.media.listen}{settings.media.path}"
    for pipe in settings.pipe:
        where = "standard input" if pipe.path == "-" else pipe.path
        yield f"pipe {where} as call {pipe.call}"
    for folder in settings.folder:
        yield f"recordings in {folder.path}"
    if settings.device and settings.device.output:
        yield f"what {settings.device.output} plays"
    elif settings.device:
        yield f"the customer's microphone {settings.device.customer_microphone}"


def summary(settings: Settings) -> str:
    """Return the ways in, counted."""
    ways = ways_in(settings)
    return f"{len(ways)} way{'s' if len(ways) > 1 else ''} in ({', '.join(ways)})"


def example() -> str:
    """Return a file with every key there is, and what it means."""
    source = resources.files("hackles.configuration") / "example.toml"
    return source.read_text(encoding="utf-8")
