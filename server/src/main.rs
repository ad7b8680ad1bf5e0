//! The `muster` program.

/// Events are taken on one thread and worked on and let go of on another, which the system's allocator is slow at.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> anyhow::Result<()> {
    muster::cli::run()
}
