"""Runs that are too large for any training to be waited for, planted; and how they are looked at."""
