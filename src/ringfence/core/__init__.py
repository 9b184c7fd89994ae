"""The trust kernel: standard library alone, no I/O, no clock, no logging (DESIGN 3)."""
