//! What is only of a server.
