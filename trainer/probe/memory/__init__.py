"""The cache probe: is a hidden state in the KV cache, does it go on there, and is it used? (DESIGN section 9)"""
