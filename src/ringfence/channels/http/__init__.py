"""The HTTP API. Extra `server`."""
