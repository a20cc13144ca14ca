"""What `new-job` is made of."""
