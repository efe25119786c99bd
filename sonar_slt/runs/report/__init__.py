"""Pages that show what was run: of one run, and of the runs of a sweep.

`contents` says what the page of one run holds, `sweep_page` that of a sweep; the scripts beside them draw it.
"""

from sonar_slt.runs.report.contents import write_report

__all__ = ["write_report"]
