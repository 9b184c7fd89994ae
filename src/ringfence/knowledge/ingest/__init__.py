"""Taking documents in: the folders of a collection, who may read what, and what has changed since the last time."""
