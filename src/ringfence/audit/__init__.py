"""The log as evidence, for readers who hold no key: heads at anchors and witnesses, exports, a feed for a SIEM."""
