"""`two_agent` mode: caller and agent are separate model calls, each with a private brief, turn by turn."""
