//! Tells the client of a job that nobody could process, and keeps the message inspectable.
