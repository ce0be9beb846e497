"""What "checked" means: that float64's digits are right, and what stands in their place where they are not."""
