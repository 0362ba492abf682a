"""Data sets as a whole: what is in one (facts, summary), packing it into shards, merging several."""
