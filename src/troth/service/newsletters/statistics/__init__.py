"""How newsletters are read, of people who consented to that: how often an edition was opened and each link followed.

The image and the links are the same for all of these people, so what is counted names nobody. Others get neither.
"""
