"""Lots: the ledger's events as moves of whole numbers (`moves`, `queues`), carried out in one pass (`kernel`)."""
