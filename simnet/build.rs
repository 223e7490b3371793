//! Lets `entropy.rs` stand in for the C library's `getrandom` in this crate's tests. A package whose own
//! tests run worlds needs the same build script: linker arguments do not travel to dependents.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let target = |key: &str| std::env::var(format!("CARGO_CFG_TARGET_{key}")).unwrap_or_default();
    if target("OS") == "linux" && target("ARCH") == "x86_64" && target("ENV") == "gnu" {
        // `getrandom` 0.3 and later finds the function with dlsym, so ours must be in the dynamic table.
        println!("cargo::rustc-link-arg=-Wl,--export-dynamic-symbol=getrandom");
    }
}
