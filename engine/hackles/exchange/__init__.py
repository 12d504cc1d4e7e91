"""What engines and wallboards say to each other, and the ways by which it travels."""
