"""What is installed: the program, the model and its terms, and optional parts."""

import platform
from importlib import metadata, util
from typing import Final

from hackles import __version__
from hackles.classifier import Metadata
from hackles.doctor.told import Telling, Told, doubt, fault, well
from hackles.errors import HacklesError
from hackles.models import DEFAULT, SHOWN, chosen
from hackles.settings import Engine, Settings
from hackles.wording.worth import worth

_CONTROL: Final = ("starlette", "uvicorn", "prometheus_client")
_RECORD: Final = ("sqlalchemy", "alembic")
_TRAIN: Final = "for any other use train your own (python -m models.training, models/README.md)"
_RESTRICTED: Final = ("non-commercial", "noncommercial", "research")


def program() -> Telling:
    """Tell the versions of hackles and of what runs it."""
    python = f"{platform.python_implementation()} {platform.python_version()}"
    yield well("hackles", f"{__version__}, {python}, {platform.system()} {platform.machine()}")


def model(settings: Settings | None) -> Telling:
    """Tell which model is used, what it was trained on, and for what it may be used."""
    engine = settings.engine if settings else Engine()
    try:
        judge = chosen(engine.model, engine.sensitivity)
        found = judge.load().metadata
    except HacklesError as error:
        yield fault("model", str(error))
        return
    whence = "named in [engine]" if engine.model else "in use"
    whence = "came with hackles" if judge.name == DEFAULT else f"{judge.name}, {whence}"
    yield well("model", f"{found.name} ({whence}), blake2b {judge.digest[:SHOWN]}")
    yield well("training data", ", ".join(found.training_data) or "the model names none")
    yield _sensitivity(found, judge.sensitivity)
    yield _terms(found)


def _sensitivity(found: Metadata, name: str) -> Told:
    """Return what the sensitivity is worth, as far as the model says it."""
    chosen_one = found.sensitivities[name]
    if chosen_one.false_per_hour is None and chosen_one.recall is None:
        return doubt("sensitivity", f"{name}; the model does not say what that is worth")
    on = f"; measured on {found.measured_on}" if found.measured_on else ""
    return well("sensitivity", f"{name}: {worth(chosen_one)}{on}")


def _terms(found: Metadata) -> Told:
    """Return for what the weights may be used, said plainly."""
    licence = " ".join(found.licence.split())
    if any(word in licence.lower() for word in _RESTRICTED):
        return doubt("weights", f"NOT for commercial use; {_TRAIN}. Their terms: {licence}")
    return well("weights", licence or "the model states no terms")


def parts(settings: Settings | None) -> Telling:
    """Tell which optional parts are installed, and which the configuration needs."""
    yield _part("picows", "live", "media streams", bool(settings and settings.media))
    for name in _CONTROL:
        yield _part(name, "live", "the control API and metrics", settings is not None)
    store = settings.store if settings else None
    for name in _RECORD:
        yield _part(name, "live", "the record", store is not None)
    is_shared = bool(store and store.database)
    yield _part("psycopg", "postgresql", "a record in PostgreSQL", is_shared)
    yield _part("av", "av", "m4a, mp4, webm and wma", is_needed=False)


def _part(module: str, extra: str, use: str, is_needed: bool) -> Told:
    if util.find_spec(module) is not None:
        return well("part", f"{module} {_version(module)}, for {use}")
    text = f"{module} is not installed, and is needed for {use}; pip install 'hackles[{extra}]'"
    return (fault if is_needed else doubt)("part", text)


def _version(module: str) -> str:
    try:
        return metadata.version(module)
    except metadata.PackageNotFoundError:
        return "of an unknown version"
