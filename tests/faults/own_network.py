"""A network with one other end, whose cable a test can pull: a network namespace of Linux. Only root may make one."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest


class OwnNetwork:
    """What is started with `prefix` before its command is reached at `address`, as long as the cable is plugged in.

    Raises:
        OSError: There is no program `ip`.
        subprocess.CalledProcessError: This account may not make networks.
    """

    def __init__(self) -> None:
        # By the number of the process: tests may run side by side. A name of a link has 15 characters at most.
        number = os.getpid() % 16_000
        self._name = f"tip{number}"
        self._our_end, self._other_end = f"{self._name}a", f"{self._name}b"
        ours, self.address = (f"10.213.{number // 64}.{4 * (number % 64) + end}" for end in (1, 2))
        self.prefix = ("ip", "netns", "exec", self._name)
        _ip("netns", "add", self._name)
        try:
            _ip("link", "add", self._our_end, "type", "veth", "peer", "name", self._other_end, "netns", self._name)
            _ip("address", "add", f"{ours}/30", "dev", self._our_end)
            _ip("link", "set", self._our_end, "up")
            _ip("-n", self._name, "address", "add", f"{self.address}/30", "dev", self._other_end)
            _ip("-n", self._name, "link", "set", "lo", "up")
            self.plug_it_in()
        except BaseException:
            self.remove()
            raise

    def pull_the_cable(self) -> None:
        """From now on nothing arrives, in either direction, and nobody is told."""
        _ip("-n", self._name, "link", "set", self._other_end, "down")

    def plug_it_in(self) -> None:
        """What is sent arrives again."""
        _ip("-n", self._name, "link", "set", self._other_end, "up")

    def remove(self) -> None:
        """Ends it. Deleting the namespace alone leaves our end until the last process in it is gone."""
        subprocess.run(["ip", "link", "delete", self._our_end], check=False, stderr=subprocess.DEVNULL)
        _ip("netns", "delete", self._name)


@contextmanager
def own_network() -> Iterator[OwnNetwork]:
    """A network of this process alone; where none may be made, the test is skipped."""
    try:
        network = OwnNetwork()
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("a network can be made by root on Linux only, with ip")
    try:
        yield network
    finally:
        network.remove()


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, stderr=subprocess.DEVNULL)
