"""Limits the decompressed size of a fetched batch: 9.6 kB of zstd can hold 300 MiB.

aiokafka unpacks without one. Its decoders are replaced here, for every codec and in the whole process.
"""

import importlib
import struct
from collections.abc import Callable
from functools import cache
from threading import local
from typing import Any

import cramjam
import numpy as np
from numpy.typing import NDArray

from settings import Settings

Data = bytes | memoryview
MODULES = ("default_records", "legacy_records", "_crecords.default_records", "_crecords.legacy_records")
XERIAL = b"\x82SNAPPY\x00"
XERIAL_BYTES = 16
"""The header of snappy as Java's clients write it: the blocks follow, each with its length before it."""

_local = local()


class UnpackedSizeError(ValueError):
    """A batch that unpacks to more than is allowed."""


@cache
def most() -> int:
    """Return how many bytes a batch may unpack to."""
    return Settings().max_unpacked_mb << 20


def _too_large() -> UnpackedSizeError:
    return UnpackedSizeError(f"the batch unpacks to more than FORETICK_MAX_UNPACKED_MB={most() >> 20} MiB")


def _space() -> NDArray[np.uint8]:
    """Return the thread's own room to unpack into: only what was ever written of it takes memory."""
    result: NDArray[np.uint8] | None = getattr(_local, "space", None)
    if result is None or len(result) != most() + 1:
        result = _local.space = np.empty(most() + 1, dtype=np.uint8)
    return result


def _into(unpack: Callable[[Any, Any], int]) -> Callable[[Data], bytes]:
    def decode(payload: Data) -> bytes:
        space = _space()
        try:
            size = unpack(bytes(payload), space)
        except cramjam.DecompressionError as error:
            if "write whole buffer" in str(error):
                del _local.space  # memory filled by a decompression bomb is released
                raise _too_large() from None
            raise
        if size > most():
            raise _too_large()
        return space[:size].tobytes()

    return decode


def _snappy(payload: Data) -> bytes:
    data = bytes(payload)
    blocks, size = [], 0
    at = XERIAL_BYTES if data.startswith(XERIAL) else None
    if at is None:
        blocks.append(data)
    while at is not None and at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        blocks.append(data[at + 4 : at + 4 + length])
        at += 4 + length
    for block in blocks:
        size += cramjam.snappy.decompress_raw_len(block)
        if size > most():
            raise _too_large()
    return b"".join(bytes(cramjam.snappy.decompress_raw(block)) for block in blocks)


DECODERS: dict[str, Callable[[Data], bytes]] = {
    "gzip_decode": _into(cramjam.gzip.decompress_into),
    "snappy_decode": _snappy,
    "lz4_decode": _into(cramjam.lz4.decompress_into),
    "zstd_decode": _into(cramjam.zstd.decompress_into),
}


def install() -> None:
    """Put the bounded decoders in the place of aiokafka's, in each module that has taken them in by name."""
    for name in MODULES:
        try:
            module = importlib.import_module(f"aiokafka.record.{name}")
        except ImportError:
            continue  # it was built without its extensions
        for decoder, bounded in DECODERS.items():
            if hasattr(module, decoder):
                setattr(module, decoder, bounded)
