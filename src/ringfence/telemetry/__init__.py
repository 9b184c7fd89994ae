"""What a running agent says about itself: observers of records, which may fail and decide nothing (DESIGN 2)."""
