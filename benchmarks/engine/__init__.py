"""How close the request engine comes to what a device can give. README.md says how to run it."""
