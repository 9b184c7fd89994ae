"""The agent for other agents: a card, and the Agent2Agent protocol over JSON-RPC. Extra `a2a`."""
