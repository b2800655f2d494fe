//! From PDF bytes to page count and page sizes.
