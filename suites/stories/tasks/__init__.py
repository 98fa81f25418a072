"""lm-eval tasks of the stories suite: a YAML file each, over the public files in the folder `shared`."""
