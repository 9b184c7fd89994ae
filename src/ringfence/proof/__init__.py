"""What a log proves itself with: Merkle proofs, signed heads, and the keys that sign them."""
