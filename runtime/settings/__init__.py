"""From a file to parts: what is in a config, held to what the constructors want."""
