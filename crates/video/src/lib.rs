//! From a container's tracks to the facts of its video.
