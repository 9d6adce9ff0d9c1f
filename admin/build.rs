//! Packs the admin UI, `ui/dist`, into the program. Where it has not been built the program says how to.

#![expect(clippy::disallowed_methods, reason = "this is how cargo talks to a build script")]

use flate2::Compression;
use flate2::write::GzEncoder;
use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

fn main() -> io::Result<()> {
    let dist = Path::new("ui/dist");
    // A path that is not there would make every build start anew; `scripts/ui.sh` touches this file instead.
    let built = dist.join("index.html").exists();
    println!("cargo::rerun-if-changed={}", if built { "ui/dist" } else { "build.rs" });
    let out = std::env::var_os("OUT_DIR").map(PathBuf::from);
    let out = out.ok_or_else(|| io::Error::other("cargo sets OUT_DIR"))?;
    let mut files = Vec::new();
    if built {
        collect(dist, &mut files)?;
    }
    files.sort();
    fs::write(out.join("ui.rs"), table(dist, &files, &out)?)
}

/// All files below a folder but the hidden ones.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        match path.is_dir() {
            _ if hidden => {}
            true => collect(&path, files)?,
            false => files.push(path),
        }
    }
    Ok(())
}

/// An expression: names below the folder, and bytes as gzip.
fn table(dist: &Path, files: &[PathBuf], out: &Path) -> io::Result<String> {
    let mut text = String::from("&[");
    for (number, path) in files.iter().enumerate() {
        let packed = out.join(format!("ui-{number}.gz"));
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(&fs::read(path)?)?;
        fs::write(&packed, encoder.finish()?)?;
        let name = path.strip_prefix(dist).unwrap_or(path);
        let _ = write!(text, "({:?}, include_bytes!({:?}) as &[u8]),", name.display().to_string(), packed);
    }
    text.push(']');
    Ok(text)
}
