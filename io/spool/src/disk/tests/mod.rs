//! What the store survives, on a volume that does what it is told to.

mod cleaning;
mod damage;
mod later;
mod model;
mod rig;
mod trouble;
