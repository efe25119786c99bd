"""The table of a sweep in every form: screen, csv, markdown, LaTeX, plot; `wording` says what is alike in all."""
