"""The manifest: YAML read once, at the edge, into frozen types (DESIGN 10)."""
