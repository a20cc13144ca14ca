//! The door: socket.io clients and the HTTP API, relayed to and from Pub/Sub.
