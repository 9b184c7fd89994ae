"""What a hostile tool runs: `python inside ATTEMPT '{"token": ...}'`. Each attempt does one thing to the host."""

import sys

import files
import processes
import rights
import shares
import talk

if __name__ == "__main__":
    modules = (files, processes, rights, shares, talk)
    next(getattr(module, sys.argv[1]) for module in modules if hasattr(module, sys.argv[1]))()
