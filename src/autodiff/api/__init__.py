"""What `import autodiff` offers: answers for a program at a point."""
