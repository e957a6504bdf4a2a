"""Who acts: a file is an actor, a folder is a family of plain code."""
