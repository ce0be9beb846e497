"""The manual: pages that `autodiff help` shows, and the man page that is made of them."""
