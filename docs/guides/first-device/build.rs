//! Makes constants of the product manifest, so that the program and the documents say the same.

fn main() -> Result<(), iotsec_product::source::BuildError> {
    iotsec_product::source::for_build("iotsec.toml")?.write_to_out_dir("product.rs")
}
