"""The log as evidence, for readers who hold no key: exports, a feed for a SIEM, statistics, heads kept elsewhere."""
