"""A network with one other end, whose cable a test can pull: a network namespace of Linux. Only root may make one."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager


class OwnNetwork:
    """What is started with `prefix` before its command is reached at `address`, as long as the cable is plugged in."""

    def __init__(self, name: str, address: str) -> None:
        self._name = name
        self.address = address
        self.prefix = ("ip", "netns", "exec", name)

    def pull_the_cable(self) -> None:
        """From now on nothing arrives, in either direction, and nobody is told."""
        _ip("-n", self._name, "link", "set", _other_end(self._name), "down")

    def plug_it_in(self) -> None:
        """What is sent arrives again."""
        _ip("-n", self._name, "link", "set", _other_end(self._name), "up")


@contextmanager
def own_network() -> Iterator[OwnNetwork]:
    """A network of this process alone.

    Raises:
        subprocess.CalledProcessError: This account may not make one.
    """
    # By the number of the process: tests may run side by side. A name of a link has 15 characters at most.
    number = os.getpid() % 16_000
    name = f"tip{number}"
    ours, theirs = (f"10.213.{number // 64}.{4 * (number % 64) + end}" for end in (1, 2))
    _ip("netns", "add", name)
    try:
        _ip("link", "add", f"{name}a", "type", "veth", "peer", "name", _other_end(name), "netns", name)
        _ip("address", "add", f"{ours}/30", "dev", f"{name}a")
        _ip("link", "set", f"{name}a", "up")
        _ip("-n", name, "address", "add", f"{theirs}/30", "dev", _other_end(name))
        _ip("-n", name, "link", "set", "lo", "up")
        network = OwnNetwork(name, theirs)
        network.plug_it_in()
        yield network
    finally:
        # Deleting the namespace alone leaves our end until the last process in it is gone.
        subprocess.run(["ip", "link", "delete", f"{name}a"], check=False, stderr=subprocess.DEVNULL)
        _ip("netns", "delete", name)


def can_make_networks() -> bool:
    """Whether this process may make networks."""
    if shutil.which("ip") is None:
        return False
    try:
        with own_network():
            return True
    except subprocess.CalledProcessError:
        return False


def _other_end(name: str) -> str:
    return f"{name}b"


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, stderr=subprocess.DEVNULL)
