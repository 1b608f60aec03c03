"""What op tags ask of a node, what is wrong with them, and when no node can ever grant it."""

import pytest

from tip_resources.domain.failures import BadInput
from tip_resources.fleet.node_state import NodeState, Status
from tip_resources.fleet.placement import WorkRequest
from tip_resources.launch.step_wishes import never_met, wishes


def node(name: str, *capabilities: str, status: Status = "ready") -> NodeState:
    return NodeState(node=name, status=status, reason="", slots=1, capabilities=frozenset(capabilities))


def test_tags_become_a_request() -> None:
    tags = {
        "tip/node": "desk",
        "tip/requires": "gpu, linux",
        "tip/prefers": "nvidia",
        "tip/node-class": "pi,laptop",
        "tip/memory-mb": "2048",
        "somebody/else": "",
    }
    assert wishes(tags, key="run step", avoid=frozenset({"pi-a"})) == WorkRequest(
        pinned_node="desk",
        requires=frozenset({"gpu", "linux"}),
        prefers=frozenset({"nvidia"}),
        node_classes=frozenset({"pi", "laptop"}),
        memory_bytes=2048 * 2**20,
        avoid=frozenset({"pi-a"}),
        key="run step",
    )
    assert wishes({}, key="k") == WorkRequest(key="k")


@pytest.mark.parametrize(
    ("tag", "value", "told"),
    [
        ("tip/memory-mb", "lots", "not a whole number of MiB"),
        ("tip/memory-mb", "0", "not a whole number of MiB"),
        ("tip/memory-mb", "-5", "not a whole number of MiB"),
        ("tip/memory-mb", "9" * 400, "not a whole number of MiB"),
        ("tip/requires", "", "not a name in lower case"),
        ("tip/requires", "gpu,,linux", "not a name in lower case"),
        ("tip/prefers", "a big GPU", "'a big GPU' is not a name in lower case"),
        ("tip/node-class", "toaster", "toaster is no class of machine"),
        ("tip/node", " ", "names no node"),
    ],
)
def test_a_value_that_cannot_be_used_is_named_with_its_tag_and_the_mend(tag: str, value: str, told: str) -> None:
    with pytest.raises(BadInput, match=f"op tag {tag}") as caught:
        wishes({tag: value}, key="k")
    assert told in str(caught.value)
    assert repr(value) in str(caught.value)
    assert caught.value.mend


def test_what_no_reachable_node_has_is_never_met_and_who_has_it_is_named() -> None:
    here, there = node("here", "cpu", "class:hybrid"), node("there", "cpu", "gpu")
    words = never_met(WorkRequest(requires=frozenset({"gpu"})), [here], [here, there])
    assert words is not None
    assert "tip/requires asks for gpu; here has class:hybrid, cpu." in words
    assert "run Dagster on there" in words
    assert "tip/node-class asks for pi" in (
        never_met(WorkRequest(node_classes=frozenset({"pi"})), [here], [here]) or ""
    )
    assert "tip/node names there" in (never_met(WorkRequest(pinned_node="there"), [here], [here, there]) or "")


def test_a_node_that_is_busy_or_of_which_nothing_is_known_may_take_it_yet() -> None:
    wanted = WorkRequest(requires=frozenset({"gpu"}))
    busy = node("desk", "gpu", status="in_use")
    assert never_met(wanted, [busy], [busy]) is None
    lost = node("desk", status="lost")
    assert never_met(wanted, [lost], [lost]) is None
