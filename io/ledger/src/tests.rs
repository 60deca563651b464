//! The rules of the whole: what is asked of sealed parts is what a list of entries would answer.

mod crash;
mod damage;
mod keeping;
mod model;
