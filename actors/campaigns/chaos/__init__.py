"""The service is killed and started again, over and over, against an exchange that goes its own way."""
