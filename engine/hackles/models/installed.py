"""Models beside the one that travels with hackles.

They lie in a folder of the user's data, each under its digest, and are never written over; so a
swap can be taken back.
"""

import os
import re
import sys
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Final

from hackles.classifier import DEFAULT_SENSITIVITY, Classifier, digest, model_bytes
from hackles.errors import ModelError, UsageError
from hackles.models import in_use
from hackles.models.model import DEFAULT, SHOWN, Model

_SUFFIX: Final = ".onnx"
_NAME: Final = re.compile(rf"[\w.-]+-[0-9a-f]{{{SHOWN}}}", re.ASCII)
_LEAST: Final = 4
_LONGEST: Final = 40
_REMEDY: Final = "install it again, or run `hackles models use default`"


def chosen(
    name: str = "", sensitivity: str = DEFAULT_SENSITIVITY, among: "Models | None" = None
) -> Model:
    """Return the model that somebody chose.

    Args:
        name: a path, "default", or an installed one's; "" for the one in use.
        sensitivity: at which it is to judge.
        among: the installed ones; this user's if None.

    Raises:
        UsageError: if there is no file of this name, and none of that name is installed.
        ModelError: if it cannot be read.
    """
    is_path = os.path.exists(name) or name.endswith(_SUFFIX)
    if is_path and name != DEFAULT:
        return Model(name, Path(name), model_bytes(Path(name)), sensitivity)
    return replace((among or Models()).model(name), sensitivity=sensitivity)


def data_folder() -> Path:
    """Return the folder of this user's data that is hackles' own."""
    name = "LOCALAPPDATA" if sys.platform == "win32" else "XDG_DATA_HOME"
    above = os.environ.get(name, "")
    if not os.path.isabs(above):  # which the XDG specification says to disregard
        above = os.path.join(os.path.expanduser("~"), ".local", "share")
    return Path(above) / "hackles"


class Models:
    """The installed models, and the one that travels with hackles."""

    def __init__(self, folder: Path | None = None) -> None:
        """Look at a folder; None for that of this user."""
        self.folder = data_folder() / "models" if folder is None else folder

    def names(self) -> list[str]:
        """Return the names of all models, "default" first.

        Raises:
            UsageError: if the folder cannot be read.
        """
        try:
            found = sorted(path.stem for path in self.folder.glob(f"*{_SUFFIX}"))
        except OSError as error:
            raise in_use.refusal(self.folder, "read", error) from error
        return [DEFAULT, *(name for name in found if _NAME.fullmatch(name))]

    def find(self, text: str) -> str:
        """Return the name that a text means: a name, its readable part, or how a digest begins.

        Raises:
            UsageError: if it means none, or several.
        """
        names = self.names()
        wanted = text.removesuffix(_SUFFIX)
        if wanted in names:
            return wanted
        found = [name for name in names[1:] if _is_meant(name, wanted)]
        if len(found) == 1:
            return found[0]
        if found:
            raise UsageError(f"{text} may be {' or '.join(found)}; give the whole name.")
        raise UsageError(
            f'There is no file "{text}", and no model of that name is installed; '
            "`hackles models` lists them."
        )

    def model(self, text: str = "") -> Model:
        """Return a model by its name, or the one in use.

        Raises:
            UsageError: if there is none of this name, or it cannot be told which is in use.
            ModelError: if it is not there, or no longer what it was.
        """
        if text:
            return self._read(self.find(text), text)
        name = self.in_use()
        return self._read(name, f"The model in use, {name},")

    def install(self, file: Path) -> tuple[str, bool]:
        """Copy a model into the folder, once it is known that it can be run.

        Returns:
            Its name, and whether it is new there.

        Raises:
            ModelError: if it cannot be run.
            UsageError: if the folder cannot be written.
        """
        content = model_bytes(file)
        Classifier(file, content)
        own = digest(content)[:SHOWN]
        known = [name for name in self.names() if name.endswith(f"-{own}")]
        if known:
            return self._read(known[0], known[0]).name, False
        readable = re.sub(r"[^\w.]+", "-", file.stem, flags=re.ASCII).strip("-.")[:_LONGEST]
        name = f"{readable or 'model'}-{own}"
        in_use.write_whole(self._path(name), content)
        return name, True

    def in_use(self) -> str:
        """Return the name of the model in use.

        Raises:
            UsageError: if that cannot be told.
        """
        return in_use.read(self.folder).in_use

    def use(self, text: str) -> str:
        """Take another model into use, once it is known that it can be run; return its name.

        Raises:
            UsageError: if there is none of this name.
            ModelError: if it cannot be run.
        """
        model = self.model(text)
        model.load()
        try:
            uses = in_use.read(self.folder)
        except UsageError:
            uses = in_use.Uses()  # what nobody can read any more is written anew
        if model.name != uses.in_use:
            before = (*uses.before, uses.in_use)
            in_use.note(self.folder, in_use.Uses(in_use=model.name, before=before))
        return model.name

    def rollback(self) -> str:
        """Take the model into use again that was before this one; return its name.

        Raises:
            UsageError: if there was none.
            ModelError: if it cannot be run any more.
        """
        uses = in_use.read(self.folder)
        if not uses.before:
            raise UsageError(
                f"No model was in use before {uses.in_use}; "
                "`hackles models use NAME` takes another."
            )
        *before, name = uses.before
        self._read(name, f"{name}, which was in use before,").load()
        in_use.note(self.folder, in_use.Uses(in_use=name, before=tuple(before)))
        return name

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}{_SUFFIX}"

    def _read(self, name: str, who: str) -> Model:
        """Return a model that is what its name says; `who` begins the sentence if it is not."""
        if name == DEFAULT:
            with resources.as_file(resources.files("hackles_models") / "default.onnx") as path:
                return Model(name, path, path.read_bytes())
        path = self._path(name)
        try:
            content = model_bytes(path)
        except ModelError as error:
            raise ModelError(f"{who} cannot be read in {self.folder}; {_REMEDY}.") from error
        if not name.endswith(f"-{digest(content)[:SHOWN]}"):
            raise ModelError(
                f"{path} was changed since it was installed; delete it, and {_REMEDY}."
            )
        return Model(name, path, content)


def _is_meant(name: str, wanted: str) -> bool:
    readable, _, begins = name.rpartition("-")
    return wanted == readable or (len(wanted) >= _LEAST and begins.startswith(wanted))
