"""Models as people read them: a short paragraph each, or all that one says of itself."""

import re
from collections.abc import Iterator

from rich.text import Text

from hackles.classifier import Metadata
from hackles.errors import HacklesError
from hackles.models import DEFAULT, SHOWN, Model, Models
from hackles.sinks.output import screen
from hackles.wording.worth import worth

_INDENT = "  "
_TRACKER = ("rising", "irritated", "eased")


def show_all(models: Models) -> int:
    """Show all models, and return the exit code: 1 if one of them, or the one in use, is broken.

    Raises:
        UsageError: if it cannot be told which there are, or which is in use.
        OutputError: if nothing can be written.
    """
    console = screen()
    in_use, names = models.in_use(), models.names()
    faults = []
    for name in names:
        try:
            model = models.model(name)
            lines = list(_short(model, model.load().metadata))
        except HacklesError as error:
            faults.append(name)
            lines = [name, f"{_INDENT}{error}"]
        mark = "* " if name == in_use else "  "
        head = Text(mark + lines[0], style="red" if name in faults else "bold")
        console.print(head, soft_wrap=True, highlight=False)
        for line in lines[1:]:
            console.print(Text(_INDENT + line), soft_wrap=True, highlight=False)
    console.print()
    console.print(Text(f"* is in use. Installed ones lie in {models.folder}."), soft_wrap=True)
    if in_use not in names:
        faults.append(in_use)
        said = f"The model in use, {in_use}, is not there; `hackles models use NAME` takes another."
        console.print(Text(said, style="red"), soft_wrap=True, highlight=False)
    return 1 if faults else 0


def show(model: Model) -> None:
    """Show all that a model says of itself.

    Raises:
        ModelError: if it cannot be run.
        OutputError: if nothing can be written.
    """
    about = model.load().metadata
    console = screen()
    for line in _whole(model, about):
        console.print(Text(line), soft_wrap=True, highlight=False)


def _short(model: Model, about: Metadata) -> Iterator[str]:
    whence = ", came with hackles" if model.name == DEFAULT else ""
    yield f"{model.name} ({model.digest[:SHOWN]}{whence})"
    yield f"{_INDENT}{about.name}"
    yield f"{_INDENT}trained on {_data(about)}"
    yield f"{_INDENT}{re.split(r'; |[.] ', about.licence)[0].rstrip('.')}."
    for name, its in about.sensitivities.items():
        yield f"{_INDENT}{name + ':':8}{worth(its)}"


def _whole(model: Model, about: Metadata) -> Iterator[str]:
    yield f"{model.name}: {about.name}"
    yield f"digest: {model.digest}"
    if about.made:
        yield f"made: {about.made}"
    yield f"trained on: {_data(about)}"
    yield f"never heard, of these: {', '.join(about.held_out) or 'nobody is named'}"
    yield f"terms: {' '.join(about.licence.split())}"
    yield f"hears: {len(about.functionals)} functionals of each window, at {about.sample_rate} Hz"
    yield f"calibrated at a prior of {about.prior:g}"
    yield f"sensitivities, measured on {about.measured_on or 'nothing that is told'}:"
    for name, its in about.sensitivities.items():
        settings = ", ".join(f"{key} {getattr(its.tracker, key):g}" for key in _TRACKER)
        yield f"{_INDENT}{name + ':':8}{worth(its)} ({settings})"


def _data(about: Metadata) -> str:
    return ", ".join(about.training_data) or "data that it does not name"
