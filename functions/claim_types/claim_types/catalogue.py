"""What can be claimed."""

from __future__ import annotations

from typing import Final

CLAIM_TYPES: Final = (
    {"code": "dental", "title": "Dental treatment"},
    {"code": "hospital", "title": "Stay in hospital"},
    {"code": "medication", "title": "Prescribed medication"},
    {"code": "optical", "title": "Glasses and contact lenses"},
    {"code": "therapy", "title": "Physiotherapy and other therapies"},
    {"code": "travel", "title": "Treatment abroad"},
)
