//! The service as its users meet it: its answers, and its two programs.

mod programs;
mod routes;
mod service;
