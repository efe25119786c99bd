"""Two runs side by side, or a run and what it would be today: configs, what they stand on, figures, and the table."""
