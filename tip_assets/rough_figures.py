"""Amounts as a line of progress says them: rough and short. Exact ones are in exports/report_text.py."""

_THOUSAND, _MILLION = 1_000, 1_000_000
_MINUTE, _HOUR = 60, 3_600


def count_of(tokens: float) -> str:
    """`900`, `214k`, `1.2M`."""
    if tokens >= _MILLION:
        return f"{tokens / _MILLION:.1f}M"
    return f"{tokens / _THOUSAND:.0f}k" if tokens >= _THOUSAND else f"{tokens:.0f}"


def duration(seconds: float) -> str:
    """`21 s`, `12 min`, `3.5 h`."""
    if seconds < 2 * _MINUTE:
        return f"{seconds:.0f} s"
    return f"{seconds / _MINUTE:.0f} min" if seconds < 2 * _HOUR else f"{seconds / _HOUR:.1f} h"
