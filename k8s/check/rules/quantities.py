"""Kubernetes' quantities as numbers."""

import re

SUFFIXES = {"": 1, "m": 0.001, "k": 1e3, "M": 1e6, "G": 1e9, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30}


def quantity(text):
    """`250m` is 0.25, `64Mi` is 67108864; None if it is no quantity."""
    found = re.fullmatch(r"([\d.]+)(m|k|M|G|Ki|Mi|Gi)?", str(text))
    return float(found[1]) * SUFFIXES[found[2] or ""] if found else None
