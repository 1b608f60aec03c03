"""Places of personal data that touch become one, so that every character is replaced once and wholly."""

import unicodedata
from collections.abc import Iterable
from itertools import pairwise

from tip_assets.quality.pii.call_text import CallText
from tip_assets.quality.pii.found import Found

# "Maria" "Santos", "Maria E. Santos", "O'Neil-Santos": one name, one tag.
_WITHIN_ONE_NAME = frozenset({" ", "-", "'", "\u2019"})
_MOST_BETWEEN_NAMES = 4
_TAKEN_IN = frozenset({"(", "+"})


def merged(call: CallText, found: Iterable[Found]) -> list[Found]:
    """Sorted places without overlaps.

    Overlapping places become their union, so nothing of any of them stays behind. The union takes the
    longest persona fact's type when the facts cover at least half of it, else the longest place's.
    """
    unions: list[Found] = []
    cluster: list[Found] = []
    cluster_end = -1
    for item in sorted(set(found)):
        if item.start < cluster_end:
            cluster.append(item)
            cluster_end = max(cluster_end, item.end)
            continue
        if cluster:
            unions.append(_union(cluster, cluster_end))
        cluster, cluster_end = [item], item.end
    if cluster:
        unions.append(_union(cluster, cluster_end))
    return [_tidy(call, item) for item in _joined_names(call, unions)]


def _union(cluster: list[Found], end: int) -> Found:
    """One place for all of the cluster, which is sorted and ends at `end`."""
    if len(cluster) == 1:
        return cluster[0]
    start = cluster[0].start
    known = [item for item in cluster if item.is_known]
    if known and 2 * _covered(known) >= end - start:
        return Found(start, end, max(known, key=_length).type, True)
    longest = max(cluster, key=lambda item: (item.end - item.start, item.is_known))
    return Found(start, end, longest.type, bool(known))


def _length(item: Found) -> int:
    return item.end - item.start


def _covered(items: list[Found]) -> int:
    """How many characters the items, which are sorted, cover together."""
    covered, end = 0, -1
    for item in items:
        covered += max(0, item.end - max(item.start, end))
        end = max(end, item.end)
    return covered


def _joined_names(call: CallText, items: list[Found]) -> list[Found]:
    """Neighbouring parts of one name as one place, with the initial between them."""
    if not items:
        return []
    joined = [items[0]]
    for _, item in pairwise(items):
        last = joined[-1]
        is_near = item.start - last.end <= _MOST_BETWEEN_NAMES
        if (
            is_near
            and item.type == last.type
            and "NAME" in last.type
            and _is_one_name(call.text[last.end : item.start], last.end - last.start == 1)
        ):
            joined[-1] = Found(last.start, item.end, last.type, last.is_known or item.is_known)
        else:
            joined.append(item)
    return joined


def _is_one_name(between: str, last_letter_stands_alone: bool) -> bool:
    """Whether what lies between two parts is a space, a hyphen, an apostrophe, or an initial."""
    if between in _WITHIN_ONE_NAME or (between == ". " and last_letter_stands_alone):
        return True
    initial = between.strip(" .")
    return len(between) <= _MOST_BETWEEN_NAMES and len(initial) == 1 and initial.isalpha() and between[0] == " "


def _tidy(call: CallText, item: Found) -> Found:
    """Takes in an opening bracket that closes inside, a plus sign, and marks that belong to the last letter."""
    text, (start, end, kind, is_known) = call.text, item
    before, after = text[start - 1 : start], text[end : end + 1]
    if before not in _TAKEN_IN and after.isascii():
        return item
    if before == "(" and ")" in text[start:end] and "(" not in text[start:end]:
        start -= 1
    if start and text[start - 1] == "+":
        start -= 1
    while end < len(text) and unicodedata.combining(text[end]):
        end += 1
    return Found(start, end, kind, is_known)
