"""How like real calls ours are: the reference, a discriminator that tries to tell them apart, and what follows."""
