"""What one writes without the harness: a script for each trainer, then lm-eval's command line."""
