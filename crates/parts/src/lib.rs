//! The request's JSON shapes and their encoded sizes.
