"""How good an explanation is: accuracy, stability, consistency."""
