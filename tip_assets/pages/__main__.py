"""`python -m tip_assets.pages` (`make docs`): writes the generated parts of the pages in docs/ anew."""

import click

from tip_assets.cli.console import reports_failures, say
from tip_assets.pages.blocks import write_pages


@click.command("python -m tip_assets.pages")
@reports_failures
def main() -> None:
    """Write the generated parts of docs/ anew: settings, commands, columns, the mission's numbers."""
    written = write_pages()
    for path in written:
        say(f"written: docs/{path.name}")
    if not written:
        say("docs/ is as it should be.")


if __name__ == "__main__":
    main()
