//! `libskimp.a`: skimp's runtime for C. The functions and their contracts are in [`api`]; `include/skimp.h`
//! is made of it.

#![no_std]

pub mod api;
mod panic;
