"""Pages to look at: one html file each that opens from disk, fetches nothing, and holds all that it shows.

`assembly` puts one together out of the kit beside it (`kit.js`, `charts.js`, `style.css`) and its own scripts; `svg`
draws plots, `browser` takes pictures.
"""

from sonar_slt.page.assembly import Theme, assembled

__all__ = ["Theme", "assembled"]
