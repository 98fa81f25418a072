"""What pages show, as frames in units with the columns that tell of them: for the app and for the static page alike."""
