"""The agent's version; node_agent/pyproject.toml reads it from here."""

VERSION = "0.1.0"
