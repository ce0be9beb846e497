"""What a person may read otherwise, and the one meaning that it has: names, operators, and how a text is laid out."""
