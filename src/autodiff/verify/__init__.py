"""What "checked" means: that float64's digits are right, and what replaces them where they are not."""
