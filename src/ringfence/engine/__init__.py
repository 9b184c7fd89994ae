"""The loop and what it needs: grammar, transcript, course. It sees `core` alone."""
