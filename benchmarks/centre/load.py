"""Many browsers at once, on one core: ``python -m benchmarks.centre.load PORT SECONDS BROWSERS CORE``.

Each keeps its connection and asks again as soon as it was answered. It prints answers a second, and the 95th of a
hundred times in milliseconds. `asyncio` on sockets, because a client library would need more time than the server.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time

_ASKED = (
    b"GET /your-data/ HTTP/1.1\r\nHost: privacy.example.org\r\nX-Forwarded-Proto: https\r\n"
    b"Accept: text/html\r\nAccept-Language: de-DE,de;q=0.9,en;q=0.8\r\n\r\n"
)


class _Browser(asyncio.Protocol):
    def __init__(self, until: float, times: list[float], over: asyncio.Future[None]) -> None:
        self._until, self._times, self._over = until, times, over
        self._got, self._length, self._asked_at = b"", -1, 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport), "a connection over TCP"
        self._transport = transport
        self._ask()

    def data_received(self, data: bytes) -> None:
        self._got += data
        if self._length < 0 and (end := self._got.find(b"\r\n\r\n")) >= 0:
            head = self._got[:end].lower()
            assert head.startswith(b"http/1.1 200 "), head
            self._length = end + 4 + int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
        if len(self._got) == self._length:
            self._times.append(time.perf_counter() - self._asked_at)
            self._ask()

    def connection_lost(self, error: Exception | None) -> None:
        if not self._over.done():
            self._over.set_exception(error or ConnectionError("the server closed a connection"))

    def _ask(self) -> None:
        if time.perf_counter() >= self._until:
            if not self._over.done():
                self._over.set_result(None)
            self._transport.close()
            return
        self._got, self._length, self._asked_at = b"", -1, time.perf_counter()
        self._transport.write(_ASKED)


async def _load(port: int, seconds: float, browsers: int) -> list[float]:
    loop, times = asyncio.get_running_loop(), list[float]()
    until = time.perf_counter() + seconds
    ends = [loop.create_future() for _ in range(browsers)]
    for end in ends:
        await loop.create_connection(lambda end=end: _Browser(until, times, end), "127.0.0.1", port)  # type: ignore[misc]
    await asyncio.gather(*ends)
    return times


def main(port: str, seconds: str, browsers: str, core: str) -> None:
    os.sched_setaffinity(0, {int(core)})
    begun = time.perf_counter()
    times = sorted(asyncio.run(_load(int(port), float(seconds), int(browsers))))
    took = time.perf_counter() - begun
    print(len(times) / took, times[int(len(times) * 0.95)] * 1e3)


if __name__ == "__main__":
    main(*sys.argv[1:])
