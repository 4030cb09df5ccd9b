//! The shipped templates are part of the program: a file that is added to them must be noticed.

#![allow(clippy::print_stdout)]

fn main() {
    println!("cargo:rerun-if-changed=templates");
}
