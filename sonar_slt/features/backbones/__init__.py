"""The networks that look at pictures: what all of them are, where their weights come from, and one module for each."""
