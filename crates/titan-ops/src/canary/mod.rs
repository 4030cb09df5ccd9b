//! What a canary shows: samples against a baseline, and the verdict.
