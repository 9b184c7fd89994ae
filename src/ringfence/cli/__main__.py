"""`python -m ringfence.cli`."""

from . import main

main()
