"""The agent as tools of an MCP server: over streamable HTTP under /mcp, and over stdio. Extra `mcp`."""
