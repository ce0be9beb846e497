"""Training: forward pass, loss, backward pass, update, over a table of rows; from one neuron to a network."""
