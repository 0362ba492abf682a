"""The benchmark: tasks for any video model, and scores of the videos that come back."""
