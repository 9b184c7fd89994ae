"""Webhooks: somebody is told, by a signed request, that a run has ended or waits for a person."""
