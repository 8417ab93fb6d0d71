"""What the services share: members' ids, the table, and how routes refuse.

Each module stands alone, so that a function imports what it uses and no more.
"""
