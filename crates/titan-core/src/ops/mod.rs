//! Changes to Titan's own code: what may be proposed, and how far a proposal has come.
