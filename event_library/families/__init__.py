"""Event types, one module per family (a few families share one). `event_library.registry` lists the modules."""
