"""Reading a request's body without ever holding more of it than may be sent."""

from starlette.requests import Request

from tracker.rules.hits import MAX_BODY


async def read_body(request: Request) -> bytes:
    """The body; of one over MAX_BODY only so much that its length shows that it is too large."""
    length = request.headers.get("content-length", "0")
    if length.isdecimal() and int(length) > MAX_BODY:
        return bytes(MAX_BODY + 1)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            break
    return bytes(body)
