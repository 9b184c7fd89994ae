"""How the log proves itself to others: its heads at anchors and witnesses."""
