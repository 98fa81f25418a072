"""What each subcommand does, once its words are parsed: open, call, print."""
