"""`tip llama-server`: serves a GGUF file with llama.cpp in the foreground, watched."""

import time
from pathlib import Path

import click

from tip_assets.cli.console import reports_failures, say
from tip_resources.home import project_home, state_folder

_WATCH_SECONDS = 3600


@click.command("llama-server")
@click.argument("model", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--port", type=click.IntRange(0, 65535), default=8090, show_default=True, help="0 takes any free one.")
@click.option("--name", default="", help="Of the model; made from the file's name when left out.")
@click.option("--threads", type=click.IntRange(1), help="One for each physical core when left out.")
@click.option("--context", type=click.IntRange(1), help="Tokens; the largest useful one that fits when left out.")
@reports_failures
def llama_server(model: Path, port: int, name: str, threads: int | None, context: int | None) -> None:
    """Serve a GGUF file with llama.cpp on this machine's CPU; Ctrl-C stops it.

    Threads, context and memory are chosen from the hardware, and the reasons are printed. It is started again when
    it dies. To have `tip up` do this, name the file in models.llama_servers.
    """
    from pydantic import ValidationError

    from tip_resources.domain.failures import BadInput
    from tip_resources.launch.ports import free_ports
    from tip_resources.launch.supervisor import service_environment
    from tip_resources.llama.keeping import running_llama_server
    from tip_resources.llama.plan import check_installed, llama_plan
    from tip_resources.settings.models import LlamaServerSettings

    check_installed()
    home = project_home()
    try:
        entry = LlamaServerSettings(
            model_path=str(model.resolve()),
            name=name,
            port=port or free_ports(1)[0],
            threads=threads,
            context_window_tokens=context,
        )
    except ValidationError as error:
        raise BadInput(error.errors()[0]["msg"], where="--name") from error
    plan = llama_plan(entry, 0, home)
    for reason in plan.options.reasons:
        say(reason)
    state = state_folder(home)
    say(f"loading; its log is {state / 'logs' / f'llama-{plan.name}.log'}")
    try:
        with running_llama_server(plan, state, service_environment(home, {}), on_log=say):
            say(f"model {plan.name} at {plan.url}   (this machine only)")
            say(f"  Linux, macOS:  export TIP_LLM_URL={plan.url}")
            say(f"  PowerShell:    $env:TIP_LLM_URL = '{plan.url}'")
            say("Ctrl-C stops it.")
            while True:
                time.sleep(_WATCH_SECONDS)
    except KeyboardInterrupt:
        say("stopped.")
