"""The escape battery: what hostile tools try from inside, and how it is told from outside whether they got anywhere."""
