"""Sign in with an OpenID Connect provider: authorisation code with PKCE, state and nonce."""
