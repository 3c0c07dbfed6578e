"""Raw bytes between records, as they are gathered."""

from __future__ import annotations

import tracemalloc

from chatroom.model.raw_bytes import RawBytes
from chatroom.model.shared_files import CHUNK


def test_a_chunk_in_small_pieces_takes_no_more_memory_than_in_large_ones() -> None:
    raw = RawBytes(CHUNK, wanted=True)
    tracemalloc.start()
    try:
        for i in range(CHUNK // 2 - 1):
            assert raw.feed(bytes([i % 256, 1])) == b""
        assert tracemalloc.get_traced_memory()[0] < 2 * CHUNK
    finally:
        tracemalloc.stop()
    assert raw.feed(b"\0\1rest") == b"rest"
    assert raw.missing == 0
    assert raw.take() == b"".join(bytes([i % 256, 1]) for i in range(CHUNK // 2 - 1)) + b"\0\1"
    assert raw.take() == b""
