"""Pages that show what was run: one html file each that opens from disk, fetches nothing, and holds all that it shows.

`assembly` puts a page together from its parts, `contents` says what the page of one run holds.
"""

from sonar_slt.runs.report.contents import write_report

__all__ = ["write_report"]
