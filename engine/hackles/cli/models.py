"""Models beside the one that travels with hackles: `models`."""

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

models = typer.Typer(
    help="Models: which there are, which is in use, and what each is worth.",
    invoke_without_command=True,
)

Folder: TypeAlias = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="Where they are.", show_default="this user's data"),
]
_NEXT = "`hackles live` takes it at its next start, all other commands from now on."


@models.callback()
def models_list(context: typer.Context, folder: Folder = None) -> None:
    """List the models, and say which is in use."""
    if context.invoked_subcommand is not None:
        context.obj = folder
        return
    from hackles.cli import modelling
    from hackles.models import Models

    raise typer.Exit(modelling.show_all(Models(folder)))


@models.command("install")
def models_install(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="An .onnx file.")],
    use: Annotated[bool, typer.Option("--use", help="Take it into use as well.")] = False,
    folder: Folder = None,
) -> None:
    """Try a model, and copy it to the others. None is ever written over."""
    from hackles.models import Models

    installed = Models(folder or context.obj)
    name, is_new = installed.install(file)
    typer.echo(f"{'Installed' if is_new else 'Installed already'}: {name}.")
    if use:
        typer.echo(f"In use: {installed.use(name)}. {_NEXT}")


@models.command("use")
def models_use(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help='As `hackles models` shows it, or "default".')],
    folder: Folder = None,
) -> None:
    """Take another model into use."""
    from hackles.models import Models

    typer.echo(f"In use: {Models(folder or context.obj).use(name)}. {_NEXT}")


@models.command("rollback")
def models_rollback(context: typer.Context, folder: Folder = None) -> None:
    """Take the model into use again that was before the one in use."""
    from hackles.models import Models

    installed = Models(folder or context.obj)
    before = installed.in_use()
    typer.echo(f"In use again: {installed.rollback()}, instead of {before}. {_NEXT}")


@models.command("show")
def models_show(
    context: typer.Context,
    name: Annotated[
        str, typer.Argument(metavar="FILE|NAME", help="A file, or a name of `hackles models`.")
    ],
    folder: Folder = None,
) -> None:
    """Say all that a model tells of itself."""
    from hackles.cli import modelling
    from hackles.models import Models, chosen

    modelling.show(chosen(name, among=Models(folder or context.obj)))
