//! From container bytes to tracks and their times.
