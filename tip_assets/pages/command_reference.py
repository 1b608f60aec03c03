"""docs/cli.md: what `--help` says of every command, as it says it."""

from collections.abc import Iterator

import click

from tip_assets.cli.main import COMMANDS, main

_WIDTH = 110


def command_reference() -> str:
    """A list of the commands, then the help of each; imports all of them once."""
    groups: list[str] = []
    for name, (_, line) in COMMANDS.items():
        context = _context("tip", main)
        command = main.get_command(context, name)
        if command is None:
            raise LookupError(f"the table of commands names {name!r}, which is none")
        groups.append(f"## tip {name}\n\n{line}\n\n" + "\n\n".join(_helps(name, command, context)))
    return "\n\n".join([_contents(), *groups])


def _contents() -> str:
    return "\n".join(f"- [tip {name}](#tip-{name}): {line}" for name, (_, line) in COMMANDS.items())


def _helps(name: str, command: click.Command, parent: click.Context) -> Iterator[str]:
    """The help of the command, then of the commands in it."""
    context = _context(name, command, parent)
    yield f"```\n{_without_trailing(command.get_help(context))}\n```"
    if isinstance(command, click.Group):
        for below in command.list_commands(context):
            inner = command.get_command(context, below)
            if inner is not None and not inner.hidden:
                yield f"### {context.command_path} {below}"
                yield from _helps(below, inner, context)


def _context(name: str, command: click.Command, parent: click.Context | None = None) -> click.Context:
    # Click keeps the --help option of whoever ran the command first in this process, below `tip` or alone.
    command._help_option = None
    # The width is said, so that the page does not depend on somebody's terminal.
    width = {"terminal_width": _WIDTH, "max_content_width": _WIDTH}
    return click.Context(command, parent, info_name=name, **width, **command.context_settings)


def _without_trailing(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.splitlines())
