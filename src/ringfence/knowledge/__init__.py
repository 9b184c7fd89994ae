"""What an agent knows: documents and memory, indexed, and searched with the readers' rights inside the query."""
