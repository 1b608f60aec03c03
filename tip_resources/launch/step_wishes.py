"""What a step asks of its node, from the tags of its op; and whether any node could ever grant it. Pure.

Which node it gets is decided in fleet/placement.py. The names of the tags are in tags.py.
"""

import re
from collections.abc import Mapping, Sequence
from typing import get_args

from tip_resources.domain.failures import BadInput
from tip_resources.fleet.node_state import NodeState
from tip_resources.fleet.placement import CLASS_PREFIX, WorkRequest
from tip_resources.launch.tags import MEMORY_TAG, NODE_CLASS_TAG, NODE_TAG, PREFERS_TAG, REQUIRES_TAG
from tip_resources.settings.models import NodeSettings

_NODE_CLASSES: tuple[str, ...] = get_args(NodeSettings.model_fields["profile"].annotation)
_WORD = re.compile(r"[a-z0-9][a-z0-9._:-]*")
_MIB = 1 << 20


def wishes(tags: Mapping[str, str], *, key: str, avoid: frozenset[str] = frozenset()) -> WorkRequest:
    """What the tags ask for.

    Args:
        tags: Those of the op.
        key: Run and step, by which equally good nodes are told apart.
        avoid: Nodes on which the step failed before.

    Raises:
        BadInput: A value that can never be met as it is written.
    """
    classes = _words(tags, NODE_CLASS_TAG, "laptop, pi")
    if unknown := classes.difference(_NODE_CLASSES):
        known = ", ".join(_NODE_CLASSES)
        raise _bad(NODE_CLASS_TAG, tags, f"{', '.join(sorted(unknown))} is no class of machine", f"There are {known}.")
    return WorkRequest(
        pinned_node=_pinned(tags),
        requires=_words(tags, REQUIRES_TAG, "gpu, linux"),
        prefers=_words(tags, PREFERS_TAG, "gpu"),
        memory_bytes=_memory_bytes(tags),
        node_classes=classes,
        avoid=avoid,
        key=key,
    )


def never_met(request: WorkRequest, reachable: Sequence[NodeState], fleet: Sequence[NodeState]) -> str | None:
    """Why no node on which steps can be started will ever take the work, and how to mend it; None when one may.

    What a lost node has is not known, so it may.

    Args:
        request: What the work asks for.
        reachable: Nodes on which steps can be started.
        fleet: All nodes.
    """
    if any(_may_meet(request, node) for node in reachable):
        return None
    asked = []
    if request.pinned_node is not None:
        asked.append(f"{NODE_TAG} names {request.pinned_node}")
    if request.node_classes:
        asked.append(f"{NODE_CLASS_TAG} asks for {' or '.join(sorted(request.node_classes))}")
    if request.requires:
        asked.append(f"{REQUIRES_TAG} asks for {', '.join(sorted(request.requires))}")
    has = "; ".join(f"{node.node} has {', '.join(sorted(node.capabilities)) or 'nothing known'}" for node in reachable)
    names = {node.node for node in reachable}
    others = [node.node for node in fleet if node.node not in names and node.capabilities and _may_meet(request, node)]
    hint = f", or run Dagster on {' or '.join(others)}: steps run where Dagster runs" if others else ""
    return (
        f"no node on which steps can be started will ever take it: {' and '.join(asked)}; {has or 'there is no node'}. "
        f"Cancel the run and change the tags of the op{hint}"
    )


def _may_meet(request: WorkRequest, node: NodeState) -> bool:
    if request.pinned_node is not None and request.pinned_node != node.node:
        return False
    if node.status == "lost":
        return True
    classes = {CLASS_PREFIX + name for name in request.node_classes}
    return request.requires <= node.capabilities and not (classes and classes.isdisjoint(node.capabilities))


def _pinned(tags: Mapping[str, str]) -> str | None:
    if NODE_TAG not in tags:
        return None
    name = tags[NODE_TAG].strip()
    if not name:
        raise _bad(NODE_TAG, tags, "names no node", "Write a name that `tip nodes` shows, or no tag.")
    return name


def _words(tags: Mapping[str, str], tag: str, example: str) -> frozenset[str]:
    if tag not in tags:
        return frozenset()
    words = [word.strip() for word in tags[tag].split(",")]
    if wrong := [word for word in words if not _WORD.fullmatch(word)]:
        raise _bad(tag, tags, f"{wrong[0]!r} is not a name in lower case", f"Write for example {tag}: {example!r}.")
    return frozenset(words)


def _memory_bytes(tags: Mapping[str, str]) -> int:
    if MEMORY_TAG not in tags:
        return 0
    text = tags[MEMORY_TAG].strip()
    if not re.fullmatch(r"[0-9]{1,9}", text) or int(text) == 0:
        mend = f"Write for example {MEMORY_TAG}: '2048' for 2 GiB."
        raise _bad(MEMORY_TAG, tags, "is not a whole number of MiB above 0", mend)
    return int(text) * _MIB


def _bad(tag: str, tags: Mapping[str, str], what: str, mend: str) -> BadInput:
    return BadInput(f"{what}.", where=f"op tag {tag}: {tags[tag]!r}", mend=mend)
