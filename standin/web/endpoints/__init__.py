"""The endpoints of the contract, one file a family of resources."""
