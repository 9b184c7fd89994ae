"""What an agent knows, wired: its library from the manifest, and the tools over it."""
