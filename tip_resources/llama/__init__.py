"""llama.cpp in a process of our own, for machines without another model server: a GGUF file becomes an endpoint."""
