"""The ways in: HTTP with its page, MCP, other agents. Each finds out who asks, and hands the rest to the service."""
