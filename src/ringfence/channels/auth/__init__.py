"""Who comes in: sign-in and sessions, API keys, OpenID Connect, a proxy's word; and the guard at the door."""
