"""Is it good, and could it be luck or a leak?"""
