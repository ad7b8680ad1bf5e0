//! The `muster` program.

fn main() -> anyhow::Result<()> {
    muster::cli::run()
}
