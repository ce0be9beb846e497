"""Pictures of the graph."""
