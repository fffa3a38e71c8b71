//! Cargo cannot see that a file was added to the migrations. This line makes it look.

fn main() {
    println!("cargo::rerun-if-changed=../../migrations");
}
