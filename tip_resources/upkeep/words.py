"""Figures of upkeep in words."""


def in_bytes(count: int) -> str:
    """A number of bytes as people write it: `512 B`, `3.4 MB` (10^6), `1.2 GB`."""
    if count < 1_000:
        return f"{count} B"
    size, unit = float(count), "B"
    for unit in ("kB", "MB", "GB", "TB"):  # noqa: B007 -- the last one reached is told
        size /= 1_000
        if size < 1_000:
            break
    return f"{size:.1f} {unit}"
