"""Living with tip for years: what is forgotten and when, room on the disk, backups, and safe settings."""
