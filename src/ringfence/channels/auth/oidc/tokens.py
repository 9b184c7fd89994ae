"""An ID token, checked (OpenID Connect Core 1.0, 3.1.3.7): whose it is, for whom, of which sign-in, until when."""

from __future__ import annotations

import base64
import json
import warnings
from collections.abc import Mapping
from typing import Final

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from ringfence.core.values import JSON

ALGORITHMS: Final = ("RS256", "ES256", "EdDSA", "Ed25519")  # never `none`, and no HMAC, whose key clients know
LEEWAY_S: Final = 60


class Forged(Exception):
    """A token that does not hold. The text is for the log: nobody outside is told why."""


class UnknownKey(Forged):
    """It is signed with a key that is not among those that we know: the provider may have a new one."""


def checked(token: str, keys: KeySet, *, issuer: str, client: str, nonce: str, now: int) -> dict[str, JSON]:
    """The claims of an ID token; `now` in seconds since 1970. Raises Forged."""
    _key_known(token, keys)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that EdDSA has a new name
            claims: dict[str, JSON] = dict(jwt.decode(token, keys, algorithms=list(ALGORITHMS)).claims)
        jwt.JWTClaimsRegistry(
            now=now, leeway=LEEWAY_S,
            iss={"essential": True, "value": issuer}, sub={"essential": True}, aud={"essential": True},
            exp={"essential": True}, iat={"essential": True}, nonce={"essential": True, "value": nonce},
        ).validate(claims)  # fmt: skip
    except (JoseError, ValueError) as error:
        raise Forged(f"{type(error).__name__}: {error}") from None
    audience = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
    if client not in audience:
        raise Forged(f"it is for {audience}, not for us")
    if claims.get("azp", client) != client or (len(audience) > 1 and "azp" not in claims):
        raise Forged("it was issued to another client")
    if not claims["sub"]:
        raise Forged("it is about nobody")
    return claims


def _key_known(token: str, keys: KeySet) -> None:
    """Raises UnknownKey for a key id that is not there, and Forged for no id where there are several keys."""
    try:
        head = token.split(".")[0]
        header: Mapping[str, JSON] = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
        kid = header.get("kid")
    except (ValueError, AttributeError):
        raise Forged("it has no header") from None
    if kid is None and len(keys.keys) > 1:
        raise Forged("it names no key, and there are several")
    if kid is not None and kid not in {key.kid for key in keys.keys}:
        raise UnknownKey(f"it is signed with the key {str(kid)[:80]!r}")
