"""The `tip` command: a table of commands, each imported only when it is used."""

import importlib
import os

import click

# Nothing of tip or Dagster phones home; the switch in dagster.yaml alone does not stop the log upload.
os.environ.setdefault("DAGSTER_DISABLE_TELEMETRY", "1")

# Command -> "module:object" and its one line of help, so that `tip --help` imports nothing heavy.
COMMANDS: dict[str, tuple[str, str]] = {
    "demo": ("tip_assets.cli.demo:demo", "Make 50 calls end to end and show what comes out."),
    "up": ("tip_assets.cli.up:up", "Run the database, code server, daemon and web UI; Ctrl-C stops all."),
    "request": ("tip_assets.cli.request:request", "Ask for data sets in plain words."),
    "list": ("tip_assets.cli.datasets:list_datasets", "List the data sets that were asked for."),
    "status": ("tip_assets.cli.datasets:status", "Show how a data set is coming along."),
    "cancel": ("tip_assets.cli.datasets:cancel", "Stop making a data set; what is finished is kept."),
    "config": ("tip_assets.cli.config:config", "Read and change settings, with history and rollback."),
    "endpoints": ("tip_assets.cli.endpoints:endpoints", "Show the model servers, who uses them, and why one is idle."),
    "nodes": ("tip_assets.cli.nodes:nodes", "Show the machines of the fleet; pause, drain, invite, revoke one."),
    "doctor": ("tip_assets.cli.doctor:doctor", "Check this machine and say how to mend what is wrong."),
    "rehearsal": ("tip_assets.cli.rehearsal:rehearsal", "Run the scripted model server for trying things out."),
    "llama-server": ("tip_assets.cli.llama_server:llama_server", "Serve a GGUF file with llama.cpp, watched."),
    "generate": ("tip_assets.cli.generate:generate", "Write the calls of a spec file, without Dagster."),
    "dedupe": ("tip_assets.cli.dedupe:dedupe", "Remove duplicate calls from a JSONL file."),
    "grade": ("tip_assets.cli.grade:grade", "Grade the calls of a JSONL file."),
    "judge": ("tip_assets.cli.judge:judge", "Hold graders against people's labels."),
    "scrub": ("tip_assets.cli.scrub:scrub", "Replace personal data in a JSONL file."),
    "export": ("tip_assets.cli.export:export", "Export a JSONL file for Lex, as CSV or as JSONL."),
    "trace": ("tip_assets.cli.trace:trace", "Show where a line of an exported file came from."),
    "analyze": ("tip_assets.cli.analyze:analyze", "Measure diversity and style of calls against reference calls."),
    "bench": ("tip_assets.cli.bench:bench", "Measure the engine and the ways of writing calls."),
    "prompt-test": ("tip_assets.cli.prompt_test:prompt_test", "Compare prompts over the same scenarios."),
    "improve": ("tip_assets.cli.improve:improve", "Rounds of feedback toward calls that sound real."),
    "bakeoff": ("tip_assets.cli.bakeoff:bakeoff", "Compare models over the same scenarios."),
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called, not when help is printed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order a newcomer meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command's own object."""
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        return getattr(importlib.import_module(module), name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The table's own lines, without importing the commands."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="transcript-intelligence-platform", prog_name="tip")
def main() -> None:
    """Call transcripts to train, test and tune bots, written on the machines you own.

    \b
    Start with:   tip demo
    Then:         tip up
                  tip request "Generate 500 healthcare transcripts with frustrated callers"
    """
    _read_env_file()


def _read_env_file() -> None:
    """Variables of the project's .env, below those of the shell: the services read it the same way."""
    from dotenv import load_dotenv

    from tip_resources.home import project_home

    load_dotenv(project_home() / ".env", override=False)
