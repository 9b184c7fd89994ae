"""Suites of cases, played through an agent and measured by what is on record. `ringfence eval` is its command."""
