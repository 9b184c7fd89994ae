"""Ringfence: a local-first LLM agent runtime whose safety does not depend on the model."""
