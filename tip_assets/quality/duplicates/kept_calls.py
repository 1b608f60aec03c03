"""The sketches an index keeps: without their keys, numbered as they came, in memory or in a file."""

import struct
from array import array
from pathlib import Path

from tip_resources.domain.sketch import CallSketch

# Written to the file at once.
_BUFFER_BYTES = 1 << 16
# Bytes of the id and of the body, then the two fingerprints; id and body follow.
_HEAD = struct.Struct("<II16s16s")
_DROPPED = (1 << 64) - 1


class KeptCalls:
    """Sketches by number, about 1 kB for a call of 1 kB. With a folder only 8 bytes of each stay in memory."""

    def __init__(self, folder: Path | None = None) -> None:
        self._places = array("Q")
        self._tail = bytearray()
        # Bytes before the tail, which are in the file.
        self._written = 0
        self._file = (folder / "calls.bin").open("w+b") if folder else None

    def __len__(self) -> int:
        return len(self._places)

    def add(self, sketch: CallSketch) -> None:
        """Keeps a sketch under the next number."""
        id_ = sketch.id.encode("utf-8", "surrogatepass")
        self._places.append(self._written + len(self._tail))
        digests = bytes.fromhex(sketch.exact), bytes.fromhex(sketch.normalized)
        self._tail += _HEAD.pack(len(id_), len(sketch.body), *digests) + id_ + sketch.body
        if self._file and len(self._tail) >= _BUFFER_BYTES:
            # Reading moves the place in the file.
            self._file.seek(self._written)
            self._file.write(self._tail)
            self._written += len(self._tail)
            self._tail = bytearray()

    def skip(self) -> None:
        """Uses up the next number for a call that is not kept."""
        self._places.append(_DROPPED)

    def is_kept(self, number: int) -> bool:
        """Whether the call of that number is kept; the number is in use."""
        return self._places[number] != _DROPPED

    def get(self, number: int) -> CallSketch | None:
        """The sketch of that number, its keys left out; None for a call that was not kept."""
        place = self._places[number]
        if place == _DROPPED:
            return None
        id_size, body_size, exact, normalized = _HEAD.unpack(self._read(place, _HEAD.size))
        rest = self._read(place + _HEAD.size, id_size + body_size)
        return CallSketch(
            id=rest[:id_size].decode("utf-8", "surrogatepass"),
            exact=exact.hex(),
            normalized=normalized.hex(),
            bands=b"",
            body=rest[id_size:],
        )

    def _read(self, place: int, size: int) -> bytes:
        if place >= self._written:
            begin = place - self._written
            return bytes(self._tail[begin : begin + size])
        assert self._file is not None
        self._file.seek(place)
        return self._file.read(size)
