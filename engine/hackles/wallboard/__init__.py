"""The supervisors' wallboard: who needs help now."""
