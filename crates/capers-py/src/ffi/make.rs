//! Making objects for the loading side.
