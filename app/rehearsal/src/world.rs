//! The real engine in virtual time: the rehearsal's twin of the server's world.
