"""What is kept of a call to find its duplicates later: hashes, no text."""

import struct

import msgspec


class CallSketch(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of a call to find its duplicates later: hashes, no text.

    Args:
        id: The call's id.
        exact: Hash of speakers and texts as they stand, 32 hex digits.
        normalized: Hash of speakers and words alone, 32 hex digits.
        bands: Keys for looking up, packed little-endian signed 64-bit; calls that share one are compared.
        body: What comparing needs; its first byte is the encoding's version.
    """

    id: str
    exact: str
    normalized: str
    bands: bytes
    body: bytes

    def band_keys(self) -> tuple[int, ...]:
        """The keys as signed 64-bit numbers, which is what a database column holds."""
        return struct.unpack(f"<{len(self.bands) // 8}q", self.bands)
