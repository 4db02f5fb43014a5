"""Slow senders, a process of their own: connections on which a request comes a byte a second.

    python -m benchmarks.slow_senders PORT KEY COUNT

Prints a line when all are connected, and goes on until it is ended. Who is cut off comes again.
"""

import asyncio
import sys
from contextlib import suppress

import uvloop

from benchmarks.hits import posts

SECONDS_A_BYTE = 1.0


async def _send_slowly(port: int, request: bytes, connected: asyncio.Semaphore) -> None:
    while True:
        with suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            connected.release()
            for byte in request:
                writer.write(bytes([byte]))
                await writer.drain()
                await asyncio.sleep(SECONDS_A_BYTE)
            writer.close()
        await asyncio.sleep(SECONDS_A_BYTE)


async def _main(port: int, key: str, count: int) -> None:
    connected = asyncio.Semaphore(0)
    async with asyncio.TaskGroup() as senders:
        for request in posts(key, count, 1):
            senders.create_task(_send_slowly(port, request, connected))
        for _ in range(count):
            await connected.acquire()
        print("ready", flush=True)


if __name__ == "__main__":
    uvloop.run(_main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
