"""What a run turns on: Qt's loop, the standard library's, or one whose time is counted."""
