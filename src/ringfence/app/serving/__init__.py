"""Many people and one agent: their runs under way, what each may see of them, and how they are followed."""
