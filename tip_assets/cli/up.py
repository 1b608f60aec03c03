"""`tip up`: everything tip runs in the background, in one terminal."""

import os
import time

import click

from tip_assets.cli.console import reports_failures, say
from tip_resources.home import project_home

_WATCH_SECONDS = 3600


@click.command("up")
@click.option("--port", type=click.IntRange(1, 65535), default=3000, show_default=True, help="Port of the web UI.")
@click.option("--no-web", is_flag=True, help="Without the web UI: requests are worked on all the same.")
@reports_failures
def up(port: int, no_web: bool) -> None:
    """Start database, code server, daemon and web UI; Ctrl-C stops all of it.

    The web UI answers on this machine only. Runs that are under way when the services stop go on by themselves.
    After a change to the code, start again.
    """
    from tip_resources.launch.supervisor import running_services, running_workers
    from tip_resources.settings.layers import load_settings
    from tip_resources.upkeep.production import refuse_unsafe

    home = project_home()
    refuse_unsafe(home, load_settings(home), os.environ)
    say("starting; the first start takes longest ...")
    try:
        with running_services(home, web_port=None if no_web else port, on_log=say) as services:
            say()
            if services.web_url:
                say(f"web UI:   {services.web_url}")
            say(f"project:  {services.home}")
            say(f"logs:     {services.logs}")
            say("Ctrl-C stops all of it.")
            while True:
                time.sleep(_WATCH_SECONDS)
    except KeyboardInterrupt:
        say("stopped.")
    for process_id, run_id in running_workers(home):
        say(f"run {run_id} goes on as process {process_id}; `tip up` shows it again, `tip cancel` stops its data set.")
