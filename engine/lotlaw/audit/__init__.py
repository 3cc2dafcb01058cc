"""Checks that an auditor runs over rule files."""
