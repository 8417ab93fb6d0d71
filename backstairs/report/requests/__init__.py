"""Whether nobody else may call: decided for every request, not only for the matrix's cells.

A decision depends on what policies can tell apart. So one request of each class that they tell
apart stands for all of it: callers (`strangers`), ways in (`ways`), times, methods and paths
(`paths`). What cannot be enumerated is said in `Coverage.left_out`, never taken for refused.
"""

from backstairs.report.requests.search import Requests
from backstairs.report.requests.strangers import FULL_GRANT, ROOT
from backstairs.report.requests.witness import Coverage, Witness

__all__ = ["FULL_GRANT", "ROOT", "Coverage", "Requests", "Witness"]
