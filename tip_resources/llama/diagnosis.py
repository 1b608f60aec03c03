"""The llama.cpp part of `tip doctor`: whether the GGUF files of the settings can be served here, and how."""

from pathlib import Path

from tip_resources.domain.failures import BadInput
from tip_resources.llama.addresses import server_name, server_port, server_url
from tip_resources.llama.plan import check_installed, is_serving, llama_plan
from tip_resources.llm.diagnosis import Finding
from tip_resources.settings.models import Settings


def diagnose_llama_servers(settings: Settings, home: Path) -> list[Finding]:
    """One finding for each configured file; a server that runs is not reckoned again: its memory is taken."""
    found: list[Finding] = []
    for position, entry in enumerate(settings.models.llama_servers):
        name = f"llama server {server_name(entry)}"
        url = server_url(server_port(entry, position))
        if is_serving(url, server_name(entry)):
            found.append(Finding(name, True, f"answers at {url}"))
            continue
        try:
            plan = llama_plan(entry, position, home)
            check_installed()
        except BadInput as error:
            found.append(Finding(name, False, str(error)))
            continue
        found.append(Finding(name, True, "; ".join(plan.options.reasons), "`tip up` starts it."))
    return found
