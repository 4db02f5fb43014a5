"""What the collector says: headers that browsers can read from anywhere, and its refusals."""

import msgspec
from starlette.responses import Response

from tracker.collector.intake import RefusedError

CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Retry-After",
    "Cross-Origin-Resource-Policy": "cross-origin",
}
NEVER_STORE = {**CORS, "Cache-Control": "no-store"}
TAKEN = Response(status_code=204, headers=NEVER_STORE)
"""One for all: to make an answer anew costs more than to look at who sent the request."""


def refuse(refused: RefusedError) -> Response:
    """The answer to a refused request: `{"reason": …, "detail": …}`."""
    headers = dict(NEVER_STORE)
    if not refused.refusal.permanent:
        headers["Retry-After"] = str(refused.retry_after)
    body = msgspec.json.encode({"reason": refused.refusal.value, "detail": str(refused)})
    return Response(body, refused.refusal.status, headers, media_type="application/json")
