"""Signatures of webhooks, as Standard Webhooks 1.0.0 has them: `webhook-id`, `-timestamp`, `-signature`."""

from __future__ import annotations

import base64
import binascii
import hmac

PREFIX = "whsec_"


def key_of(secret: str) -> bytes:
    """The key: what `whsec_` encodes, or the bytes of any other secret."""
    if secret.startswith(PREFIX):
        try:
            return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
        except binascii.Error:
            pass
    return secret.encode()


def headers(secret: str, ident: str, at_s: int, body: bytes) -> dict[str, str]:
    """The headers of one attempt. `at_s`: seconds since 1970, of this attempt; `ident` is the same for all of them."""
    signed = b"%s.%d.%s" % (ident.encode(), at_s, body)
    mark = base64.b64encode(hmac.digest(key_of(secret), signed, "sha256")).decode()
    return {"webhook-id": ident, "webhook-timestamp": str(at_s), "webhook-signature": f"v1,{mark}"}
