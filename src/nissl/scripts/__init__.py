"""Training scripts that nobody edits (`nissl record -- python train.py`): how each library is overheard, one file a library."""
