"""Groups of commands, one module each: names, options and help."""
