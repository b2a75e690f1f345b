"""A mail server in a process of its own, until its standard input ends: it says its port, and then what it took."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from aiosmtpd.smtp import SMTP

_taken: list[int] = []


class _Sink:
    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd calls it so
        _taken.append(len(envelope.content))
        return "250 2.0.0 Taken"


async def _serve() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(_Sink(), enable_SMTPUTF8=True), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    print(len(_taken), sum(_taken), flush=True)


if __name__ == "__main__":
    asyncio.run(_serve())
