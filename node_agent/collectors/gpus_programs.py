"""Whether a program that uses a card is a model server. Its name is looked at here and goes nowhere."""

import re
from pathlib import PureWindowsPath

import psutil

# Names of executables, in lower case and without .exe. vLLM's workers call themselves VLLM::EngineCore.
_SERVERS = re.compile(
    r"ollama([_-].*)?|llama-server|llama-cli|llama_server|llamafile.*|koboldcpp.*|local-ai|text-generation.*"
    r"|lm[ -]studio.*|lmstudio.*|lms|llmster|vllm.*|sglang.*|tabbyapi|mistralrs.*|exo"
)
# These run other people's programs: what they run is asked for.
_INTERPRETERS = re.compile(r"(python|pypy)[\d.]*w?|node")
# LM Studio runs its models in an interpreter of its own, in a folder of its own.
_FOLDERS = re.compile(r"\.?lm[ -]?studio")
# Packages that serve a model, as a whole word of what an interpreter runs.
_PACKAGES = re.compile(r"(?<![a-z0-9])(llama_cpp|vllm|sglang|mlx_lm|tabbyapi|exllamav\d)(?![a-z0-9])")
# Options of Python with a word of their own.
_OPTIONS_WITH_WORD = ("-X", "-W")


def is_model_server(pid: int) -> bool | None:
    """Whether the program serves models; None where nobody lets us see what it is."""
    try:
        process = psutil.Process(pid)
        name = process.name().lower().removesuffix(".exe")
        if is_server_name(name):
            return True
        if not _INTERPRETERS.fullmatch(name):
            return False
        command = process.cmdline()
        return is_server_command(_executable(process, command), command)
    except psutil.Error:
        return None


def _executable(process: psutil.Process, command: list[str]) -> str:
    try:
        return process.exe()
    except psutil.AccessDenied:
        # Linux shows everybody the command line of another user's program, but not its file.
        return "".join(command[:1])


def is_server_name(name: str) -> bool:
    """Whether an executable of this name, in lower case and without .exe, serves models."""
    return _SERVERS.fullmatch(name) is not None


def is_server_command(executable: str, command: list[str]) -> bool:
    """Whether an interpreter at this path with this command line serves models."""
    # Paths of Windows are split at both kinds of slashes, which reads paths of all systems.
    folders = PureWindowsPath(executable.lower()).parts[:-1]
    if any(_FOLDERS.fullmatch(folder) for folder in folders):
        return True
    return _PACKAGES.search(_program(command[1:]).lower()) is not None


def _program(words: list[str]) -> str:
    """The module, script or code that an interpreter runs: the rest of the words is for that program."""
    options = iter(words)
    for word in options:
        if word in ("-m", "-c"):
            return next(options, "")
        if word in _OPTIONS_WITH_WORD:
            next(options, "")
        elif not word.startswith("-"):
            return word
    return ""
