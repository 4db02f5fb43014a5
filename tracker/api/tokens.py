"""Access tokens: what a client gets for its secret, and sends with every request."""

from datetime import datetime, timedelta

import jwt

from tracker.vault import Vault

LIFETIME = timedelta(hours=24)
ALGORITHM = "HS256"


class BadTokenError(Exception):
    """A token that opens nothing; the message says why, and what to do."""


def mint(vault: Vault, client_id: str, now: datetime) -> tuple[str, datetime]:
    """A token of a client, and when it ends."""
    # In whole seconds, as a token says it: what is told of its end must be true.
    ends = now.replace(microsecond=0) + LIFETIME
    claims = {"sub": client_id, "iat": int(now.timestamp()), "exp": int(ends.timestamp())}
    return jwt.encode(claims, vault.token_key, ALGORITHM), ends


def client_id_of(vault: Vault, token: str, now: datetime) -> str:
    """The `client_id` of a token that is in force. Raises BadTokenError."""
    try:
        claims = jwt.decode(
            token,
            vault.token_key,
            algorithms=[ALGORITHM],
            # By the clock that the caller has, not PyJWT's.
            options={"require": ["exp", "sub"], "verify_exp": False, "verify_iat": False},
        )
    except jwt.InvalidTokenError:
        raise BadTokenError("This is no token of ours. Get one: POST /oauth/token.") from None
    if claims["exp"] <= now.timestamp():
        raise BadTokenError("The token has expired. Get a new one: POST /oauth/token.")
    return str(claims["sub"])
