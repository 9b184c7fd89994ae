"""What runs outside our process: a warm worker that forks one supervisor per job. Imports nothing of ringfence.

It is started with a bare interpreter (`-I -S`), so that a fork of it costs a millisecond and no module of an
application, of the user's site or of a virtual environment is ever in the way. Between a fork and an exec every object
counts, so these modules use `os`, not `pathlib`.
"""
