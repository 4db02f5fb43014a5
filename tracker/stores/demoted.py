"""Clients that leave a Redis which became a replica: its name may lead to another by now.

It lets its clients stay, and refuses all that they write. To them it is away, so that redis-py
connects anew.
"""

from typing import Any

import redis
from redis.asyncio import Redis as AsyncRedis


class _Leaving:
    def read_response(self: Any, *args: Any, **options: Any) -> Any:
        try:
            return super().read_response(*args, **options)  # type: ignore[misc]
        except redis.ReadOnlyError as error:
            self.disconnect()
            raise redis.ConnectionError(str(error)) from error


class _LeavingAsync:
    async def read_response(self: Any, *args: Any, **options: Any) -> Any:
        try:
            return await super().read_response(*args, **options)  # type: ignore[misc]
        except redis.ReadOnlyError as error:
            await self.disconnect()
            raise redis.ConnectionError(str(error)) from error


def leaving(client: redis.Redis) -> redis.Redis:
    """The client, which must not have been used."""
    pool = client.connection_pool
    pool.connection_class = type("Connection", (_Leaving, pool.connection_class), {})
    return client


def leaving_async(client: AsyncRedis) -> AsyncRedis:
    """The same on an event loop."""
    pool = client.connection_pool
    pool.connection_class = type("Connection", (_LeavingAsync, pool.connection_class), {})
    return client
