"""The operations of the contract, as data: routes with what they take."""
