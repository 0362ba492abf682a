"""Event types: one package per family, whose `TYPES` lists them. `event_library.registry` folds the families."""
