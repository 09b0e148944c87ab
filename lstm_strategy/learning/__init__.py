"""What the network sees, is asked, and remembers.

The rooms, in the order in which data flows: `features`, `targets`, `network`, `training`,
`inference`, `forecaster`, `reference`, `walk_forward`, `serving`, `search`, `inspection`.
"""
