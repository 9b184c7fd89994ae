"""A provider: found by its issuer, asked for its keys and for tokens. Nothing else is connected to."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import quote_plus, urlencode

import aiohttp
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from ringfence.core.errors import BackendError
from ringfence.core.values import JSON
from ringfence.manifest.fields import loopback
from ringfence.manifest.server import Oidc

from . import tokens
from .tokens import Forged, UnknownKey

MAX_BYTES: Final = 1_048_576
TIMEOUT_S: Final = 10.0
KNOWN_S: Final = 3600.0  # for so long what the provider says of itself is not asked for again
AGAIN_S: Final = 30.0  # between two looks for a key that is not among those we know
_END: Final = "end_session_endpoint"
_NEEDED: Final = ("authorization_endpoint", "token_endpoint", "jwks_uri")


class Provider:
    """One provider, as the manifest names it. Raises BackendError where it does not answer as it should."""

    def __init__(self, config: Oidc, clock: Callable[[], float] = time.time) -> None:
        self.config = config
        self._clock = clock
        self._says: dict[str, JSON] = {}
        self._keys: KeySet | None = None
        self._asked = self._looked = float("-inf")

    async def begin(self, redirect: str, *, state: str, nonce: str, challenge: str) -> str:
        """Where the browser is sent to sign in (RFC 6749, 4.1.1; RFC 7636)."""
        says = await self._known()
        query = {
            "response_type": "code", "client_id": self.config.client_id, "redirect_uri": redirect,
            "scope": " ".join(dict.fromkeys(["openid", *self.config.scopes])), "state": state, "nonce": nonce,
            "code_challenge": challenge, "code_challenge_method": "S256",
        }  # fmt: skip
        end = str(says["authorization_endpoint"])
        return f"{end}{'&' if '?' in end else '?'}{urlencode(query)}"

    async def claims(self, code: str, redirect: str, *, verifier: str, nonce: str) -> tuple[dict[str, JSON], str]:
        """What the provider says of whoever came back with this code, and its ID token. Raises Forged."""
        says = await self._known()
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect, "code_verifier": verifier}
        answer = await self._post(str(says["token_endpoint"]), form)
        token = str(answer.get("id_token", ""))
        claims = await self._checked(token, nonce)
        if self.config.groups not in claims and "userinfo_endpoint" in says:  # many say groups only there
            bearer = {"Authorization": f"Bearer {answer.get('access_token', '')}"}
            more = await self._json("GET", str(says["userinfo_endpoint"]), headers=bearer)
            if more.get("sub") != claims["sub"]:
                raise Forged("the user's details are another one's")
            claims = {**more, **claims}
        return claims, token

    async def end(self, hint: str, back: str) -> str:
        """Where the browser is sent to sign out (RP-Initiated Logout 1.0); empty where the provider offers no such end.

        hint  the ID token of the sign-in, so that it need not ask whether they mean it; empty: it asks
        back  where it sends them then
        """
        says = await self._known()
        end = str(says.get(_END, ""))
        if not (end and self.config.sign_out):
            return ""
        query = {"client_id": self.config.client_id, "post_logout_redirect_uri": back}
        if hint:
            query["id_token_hint"] = hint
        return f"{end}{'&' if '?' in end else '?'}{urlencode(query)}"

    async def _checked(self, token: str, nonce: str) -> dict[str, JSON]:
        for _ in range(2):
            try:
                return tokens.checked(
                    token, await self._key_set(), issuer=self.config.issuer, client=self.config.client_id,
                    nonce=nonce, now=int(self._clock()),
                )  # fmt: skip
            except UnknownKey:
                if self._clock() - self._looked < AGAIN_S:
                    raise
                self._keys = None
        raise Forged("its key is not the provider's")

    async def _known(self) -> dict[str, JSON]:
        """What the provider says of itself (OpenID Connect Discovery 1.0): about the issuer of the manifest alone."""
        if self._says and self._clock() - self._asked < KNOWN_S:
            return self._says
        issuer = self.config.issuer
        says = await self._json("GET", issuer.rstrip("/") + "/.well-known/openid-configuration")
        if says.get("issuer") != issuer:
            raise _wrong(f"{issuer} calls itself {says.get('issuer')!r}", "write server.auth.oidc.issuer as it does")
        for name in (*_NEEDED, *(name for name in ("userinfo_endpoint", _END) if name in says)):
            _safe(issuer, name, str(says.get(name, "")))
        self._says, self._asked, self._keys = says, self._clock(), None
        return says

    async def _key_set(self) -> KeySet:
        if self._keys is None:
            says = await self._known()
            found: Any = await self._json("GET", str(says["jwks_uri"]))
            try:
                signing = [key for key in found["keys"] if key.get("use", "sig") == "sig" and key.get("kty") != "oct"]
                self._keys = KeySet.import_key_set({"keys": signing})
            except (KeyError, TypeError, AttributeError, ValueError, JoseError):
                raise _wrong(f"{self.config.issuer} gives no keys", "see what its jwks_uri answers") from None
            self._looked = self._clock()
        return self._keys

    async def _post(self, url: str, form: dict[str, str]) -> dict[str, JSON]:
        """The client shows who it is as the provider wants it, in the header if it may (RFC 6749, 2.3.1)."""
        secret, headers = self.config.client_secret, {}
        methods = self._says.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        if secret is None:
            form = {**form, "client_id": self.config.client_id}
        elif (value := secret.reveal()) is None:
            raise _wrong(f"{secret} is not set", "set it where the server runs, or in .env beside the manifest")
        elif isinstance(methods, list) and "client_secret_basic" not in methods:
            form = {**form, "client_id": self.config.client_id, "client_secret": value}
        else:
            pair = f"{quote_plus(self.config.client_id)}:{quote_plus(value)}"
            headers = {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
        return await self._json("POST", url, data=form, headers=headers)

    async def _json(self, method: str, url: str, *, data: Mapping[str, str] | None = None,
                    headers: Mapping[str, str] | None = None) -> dict[str, JSON]:  # fmt: skip
        """An object; no redirect is followed, no proxy of the environment is used, and no more than 1 MiB is read."""
        try:
            async with aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=TIMEOUT_S), trust_env=False, cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False, connector=aiohttp.TCPConnector(force_close=True),
            ) as session:  # fmt: skip
                sent = {"Accept": "application/json", "Accept-Encoding": "identity", **(headers or {})}
                async with session.request(method, url, data=data, headers=sent, allow_redirects=False) as answer:
                    body = bytearray()
                    async for piece in answer.content.iter_any():
                        body += piece
                        if len(body) > MAX_BYTES:
                            raise _wrong(f"{url} answers with more than {MAX_BYTES} bytes", "see what is there")
                    if answer.status != 200:
                        raise _wrong(f"{url} answered {answer.status}", "see the provider's log for why")
            found = json.loads(body)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise _wrong(f"{url} cannot be reached: {error or type(error).__name__}", "see whether it is up") from None
        except ValueError:
            raise _wrong(f"{url} answered with no JSON", "see what is there") from None
        if not isinstance(found, dict):
            raise _wrong(f"{url} answered with no JSON object", "see what is there")
        return found


def _safe(issuer: str, name: str, url: str) -> None:
    """Raises BackendError for an address without TLS, unless all of it is on this machine."""
    if not (url.startswith("https://") or (loopback(issuer) and loopback(url))):
        raise _wrong(f"{issuer} has {url or 'nothing'} as its {name}", "it has to be an https:// address")


def _wrong(what: str, todo: str) -> BackendError:
    return BackendError(f"OpenID Connect: {what}", todo=todo)
