"""What happens in a call, in which order: its moves, and how often calls of a set share them."""
