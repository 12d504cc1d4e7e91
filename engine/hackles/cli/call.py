"""What a softphone's hooks tell the daemon: `call start`, `end`, `consent`, `withdraw`.

A hook may run while the telephone rings: what these commands need is little, and soon there.
"""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer

from hackles.errors import HacklesError, UsageError

_PATIENCE_S: Final = 10.0
_LISTENS: Final = "127.0.0.1:9300"
_LARGEST: Final = 65_536

call = typer.Typer(
    help="Tell the daemon where a call on this machine begins and ends (a softphone's hooks).",
    no_args_is_help=True,
)


class Consent(StrEnum):
    """What is told of the caller's consent."""

    YES = "yes"
    NO = "no"


Config = Annotated[
    Path | None,
    typer.Option(
        metavar="PATH", help="The daemon's settings.", show_default="hackles.toml, if it is here"
    ),
]
Control = Annotated[
    str, typer.Option(metavar="URL", help="Where the daemon's API is, instead of what they say.")
]
Name = Annotated[str, typer.Argument(metavar="CALL", show_default="the one under way")]


@call.command()
def start(
    name: Annotated[
        str, typer.Option("--call", help="Its name.", show_default="made from the time")
    ] = "",
    agent: Annotated[
        str, typer.Option(help="Who has it.", show_default="as the settings say")
    ] = "",
    queue: Annotated[str, typer.Option(help="In which it waited.")] = "",
    customer: Annotated[str, typer.Option(help="The customer's number.")] = "",
    consent: Annotated[
        Consent | None, typer.Option(help="Whether the caller agreed, if that was asked.")
    ] = None,
    config: Config = None,
    control: Control = "",
) -> None:
    """Say that a call begins; prints its name."""
    said = {"call": name, "agent": agent, "queue": queue, "customer": customer}
    agreed = None if consent is None else consent is Consent.YES
    _tell(config, control, "/device/start", {**said, "consent": agreed})


@call.command()
def end(name: Name = "", config: Config = None, control: Control = "") -> None:
    """Say that the call is over; prints its name."""
    _tell(config, control, "/device/end", {"call": name})


@call.command("consent")
def consent_(
    answer: Annotated[Consent, typer.Argument(help="What the caller says.")],
    name: Name = "",
    config: Config = None,
    control: Control = "",
) -> None:
    """Say whether the caller agrees to be analysed; "no" is as `withdraw`."""
    said = {"call": name, "consent": answer is Consent.YES}
    _tell(config, control, "/device/consent", said)


@call.command()
def withdraw(name: Name = "", config: Config = None, control: Control = "") -> None:
    """Stop listening for good and delete the call; with a name, any daemon's call."""
    from urllib.parse import quote

    road = f"/calls/{quote(name, safe='')}/consent" if name else "/device/consent"
    _tell(config, control, road, {"consent": False})


def _tell(config: Path | None, control: str, road: str, said: dict[str, object]) -> None:
    """Tell the daemon, and print which call it was.

    Raises:
        UsageError: if what is said makes no sense.
        HacklesError: if no daemon answers, or it cannot do that as things stand.
    """
    import json

    status, answer = _posted(_address(config, control), road, json.dumps(said).encode())
    try:
        told = json.loads(answer)
        text = told["call"] if status < 300 else told["error"]
    except (ValueError, KeyError, TypeError):
        raise HacklesError(
            f"What answers is no hackles daemon, or an old one (HTTP {status}); "
            "name its [control] listen with --control."
        ) from None
    if status >= 300:
        raise (HacklesError if status in (409, 500) else UsageError)(text)
    typer.echo(text)


def _posted(address: str, road: str, body: bytes) -> tuple[int, bytes]:
    """Return what is answered: the status, and the body."""
    # Not urllib.request, which takes long to import and asks the environment for proxies.
    from http.client import HTTPConnection, HTTPException

    host, port = _host_port(address)
    connection = HTTPConnection(host, port, timeout=_PATIENCE_S)
    try:
        connection.request("POST", road, body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        return answer.status, answer.read(_LARGEST)
    except (OSError, HTTPException) as error:
        raise HacklesError(
            f"No hackles daemon answers at http://{address} ({_reason(error)}); "
            "start it with `hackles live`."
        ) from error
    finally:
        connection.close()


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or "it says nothing that can be read"


def _host_port(address: str) -> tuple[str, int]:
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(f"//{address}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if not host or not port or parts.path:
        raise UsageError(f"{address} is no address of a daemon; give one as http://{_LISTENS}.")
    return host, port


def _address(config: Path | None, control: str) -> str:
    """Return where the daemon's API listens.

    The settings are not checked as a whole: that is for whoever starts the daemon, and takes long.
    """
    if control:
        return control.removeprefix("http://").rstrip("/")
    import tomllib

    path = config or Path("hackles.toml")
    try:
        settings = tomllib.loads(path.read_text(encoding="utf-8"))
        listen = settings.get("control", {}).get("listen", _LISTENS)
    except FileNotFoundError as error:
        if config is None:
            return _LISTENS
        raise UsageError(f"There is no file {path}; name the daemon's settings.") from error
    except (OSError, ValueError, AttributeError) as error:
        raise UsageError(f"{path} cannot be read ({error}); see `hackles config check`.") from error
    if not isinstance(listen, str):
        raise UsageError(f"{path} names no address in [control]; see `hackles config check`.")
    return listen
