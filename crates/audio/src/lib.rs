//! From audio bytes to header facts.
