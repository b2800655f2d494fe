//! From still-image bytes to header facts.
