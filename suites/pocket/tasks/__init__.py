"""lm-eval tasks of the pocket suite: a YAML file each, over the local files in `../data`."""
