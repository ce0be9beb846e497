"""What only a terminal shows: Rich tables, bars and curves."""
