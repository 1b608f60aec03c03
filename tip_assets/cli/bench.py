"""`tip bench`: measurements that a user can repeat."""

import click

from tip_assets.cli.bench_engine import engine
from tip_assets.cli.bench_modes import modes


@click.group()
def bench() -> None:
    """Measure the engine and the ways of writing calls."""


bench.add_command(engine)
bench.add_command(modes)
