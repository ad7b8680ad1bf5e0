//! Where the public data lies. It is not part of the project, so every reader must cope with its absence.

use std::path::{Path, PathBuf};

/// The directory that holds one folder for each data set.
pub(crate) fn root() -> PathBuf {
    std::env::var_os("MUSTER_BENCH_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"),
        PathBuf::from,
    )
}

/// The folder of one data set, or `None` where it is absent.
pub(crate) fn folder(name: &str) -> Option<PathBuf> {
    let path = root().join(name);
    path.is_dir().then_some(path)
}
