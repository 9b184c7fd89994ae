"""The agent for clients of OpenAI's API: it is the model. Extra `server`."""
